import { t, type Key } from "../../i18n";
import { checkText } from "../../parts/check";
import { Verdict, type Finding } from "./findings";

/** What each part of the promise rests on, by the names of the doctor's findings. */
const PARTS: [Key, string[]][] = [
  ["system.stored", ["innodb_flush_log_at_trx_commit", "sync_binlog"]],
  ["system.once", ["isolation", "SKIP LOCKED"]],
  ["system.ends", ["scheduler"]],
  ["system.clock", ["clock"]],
];

/** What a 201 of this server means at the moment, as far as the findings say. */
export function Promise201({ findings }: { findings: Finding[] }) {
  return (
    <dl class="about">
      {PARTS.map(([key, names]) => {
        const found = findings.filter((each) => names.includes(each.what));
        return (
          <div key={key}>
            <dt>{t(key)}</dt>
            {found.length === 0 && <dd class="quiet">{t("system.unknown")}</dd>}
            {found.map((each) => (
              <dd key={each.what}>
                <Verdict finding={each} /> {checkText(each.what)}: <span lang="en">{each.detail}</span>
              </dd>
            ))}
          </div>
        );
      })}
    </dl>
  );
}
