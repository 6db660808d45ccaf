import { t } from "../i18n";
import { hash, location } from "../state/location";

/** The ways to the first page of a list and to the next one, whose address `Link` gave. */
export function Pager({ next }: { next: string | null }) {
  const { path, query } = location.value;
  const kept = Object.fromEntries([...query].filter(([name]) => name !== "cursor"));
  const cursor = next && new URLSearchParams(next.split("?")[1]).get("cursor");
  if (!cursor && !query.has("cursor")) return null;
  return (
    <p class="row">
      {query.has("cursor") && <a href={hash(path, kept)}>{t("table.first_page")}</a>}
      {cursor && <a href={hash(path, { ...kept, cursor })}>{t("table.next_page")}</a>}
    </p>
  );
}
