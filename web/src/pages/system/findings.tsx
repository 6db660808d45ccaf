import type { components } from "../../api/schema";
import { t } from "../../i18n";
import { CheckName, checkText } from "../../parts/check";
import { Chip, type Tone } from "../../parts/chip";
import { CopyButton } from "../../parts/copy_button";
import { Table, type Column } from "../../parts/table";

export type Finding = components["schemas"]["FindingDocument"];

const TONES: Record<Finding["verdict"], Tone> = { ok: "good", note: "warn", bad: "bad" };

/** What is not as it should be, each with what puts it right. */
export function Fixes({ findings }: { findings: Finding[] }) {
  const wrong = ["bad", "note"].flatMap((verdict) =>
    findings.filter((each) => each.verdict === verdict),
  );
  if (wrong.length === 0) {
    return (
      <section class="well">
        <p>
          <strong>{t("system.all_well")}</strong> {t("system.all_well_about", { n: findings.length })}
        </p>
      </section>
    );
  }
  return (
    <section>
      <h2>{t("system.attention")}</h2>
      <ul class="findings">
        {wrong.map((each) => (
          <li key={`${each.what} ${each.detail}`} class={`finding ${TONES[each.verdict]}`}>
            <strong>
              {checkText(each.what)} <CheckName what={each.what} />
            </strong>
            <span lang="en">{each.detail}</span>
            {each.fix && (
              <div>
                <code>{each.fix}</code> <CopyButton text={each.fix} label={t("system.copy_fix")} />
              </div>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** All that was looked at, in the order of the doctor: MySQL, its locks, Redis. */
export function Findings({ findings }: { findings: Finding[] }) {
  const columns: Column<Finding>[] = [
    {
      key: "what",
      title: t("system.what"),
      cell: (each) => (
        <>
          <Verdict finding={each} /> {checkText(each.what)} <CheckName what={each.what} />
        </>
      ),
    },
    {
      key: "detail",
      title: t("system.detail"),
      cell: (each) => (
        <span class="wrapped" lang="en">
          {each.detail}
        </span>
      ),
    },
  ];
  return (
    <Table
      label={t("system.findings")}
      rows={findings}
      columns={columns}
      rowKey={(each) => `${each.what} ${each.detail}`}
    />
  );
}

export function Verdict({ finding: { verdict } }: { finding: Finding }) {
  return <Chip tone={TONES[verdict]}>{t(`system.verdict.${verdict}`)}</Chip>;
}
