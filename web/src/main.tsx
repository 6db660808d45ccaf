import { render } from "preact";

import { loadTexts } from "./i18n";
import { loadOthers } from "./pages/later";
import { App } from "./shell/app";
import { resume } from "./state/session";

void resume();
await loadTexts();
render(<App />, document.getElementById("app")!);
// So that they are there when somebody goes to one.
setTimeout(() => void loadOthers(), 500);
