import { useState } from "preact/hooks";

import type { Problem } from "../api/client";
import { t } from "../i18n";
import { problemText } from "../parts/states";
import { signIn } from "../state/session";
import { Looks } from "./looks";

/** Asks for a token; it goes nowhere but into the header of the calls. */
export function SignIn({ problem }: { problem: Problem | null }) {
  const [token, setToken] = useState("");
  const [keeps, setKeeps] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    if (token.trim()) void signIn(token.trim(), keeps);
  };
  return (
    <main class="alone">
      <form class="card" onSubmit={submit}>
        <h1>
          <img src="icon.svg" alt="" width="26" height="26" /> {t("app.name")}
        </h1>
        <label>
          {t("sign_in.token")}
          <input
            type="password"
            autoComplete="off"
            autofocus
            value={token}
            aria-describedby="sign-in-about"
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p id="sign-in-about" class="quiet">
          {t("sign_in.about")}
        </p>
        <label class="choice">
          <input
            type="checkbox"
            checked={keeps}
            onChange={(event) => setKeeps(event.currentTarget.checked)}
          />
          {t("sign_in.keep")}
        </label>
        {problem && (
          <p class="note bad" role="alert">
            {problemText(problem)}
          </p>
        )}
        <button type="submit" class="main">
          {t("sign_in.submit")}
        </button>
        <Looks />
      </form>
    </main>
  );
}
