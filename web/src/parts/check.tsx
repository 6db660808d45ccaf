import { t } from "../i18n";

/** What the doctor looks at, as it calls it; of a newer server there may be more. */
const CHECKS = [
  "connection",
  "version",
  "isolation",
  "innodb_flush_log_at_trx_commit",
  "sync_binlog",
  "clock",
  "schema",
  "claim",
  "scheduler",
  "SKIP LOCKED",
  "lock waits",
  "oldest transaction",
  "Redis",
  "Redis user",
  "Redis keys",
  "Redis eviction",
] as const;

/** What was looked at, in the language of the page. */
export function checkText(what: string): string {
  const known = CHECKS.find((each) => each === what);
  return known ? t(`check.${known}`) : what;
}

/** The doctor's own name of it, where that is another. */
export function CheckName({ what }: { what: string }) {
  return checkText(what) === what ? null : <code>{what}</code>;
}
