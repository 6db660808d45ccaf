import { render } from "preact";

import { loadTexts } from "./i18n";
import { App } from "./shell/app";
import { resume } from "./state/session";

void resume();
await loadTexts();
render(<App />, document.getElementById("app")!);
