import { t } from "../i18n";
import { PAGES } from "../pages";
import { Dialog } from "../parts/dialog";
import { showsHelp } from "./keys";

export function Help() {
  if (!showsHelp.value) return null;
  const keys: [string, string][] = [
    ...PAGES.map((page): [string, string] => [
      `g ${page.letter}`,
      t("keys.go", { page: t(page.title) }),
    ]),
    ["j", t("keys.next")],
    ["k", t("keys.previous")],
    ["x", t("keys.select")],
    ["Enter", t("keys.open")],
    ["/", t("keys.filter")],
    ["r", t("keys.refresh")],
    ["?", t("keys.help")],
  ];
  return (
    <Dialog title={t("keys.title")} onClose={() => (showsHelp.value = false)}>
      <dl class="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(" ").map((each) => (
                <kbd key={each}>{each}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
