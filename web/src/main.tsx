import { render } from "preact";

import { App } from "./shell/app";
import { resume } from "./state/session";

void resume();
render(<App />, document.getElementById("app")!);
