// All tasks of a list as a file, a line each, digit by digit as the server has them.
import { send } from "../../api/client";
import { t } from "../../i18n";
import { JsonText } from "../../json/reader";
import { tell } from "../../shell/toasts";
import { start } from "./jobs";

const PAGE = 1000;

export function exportTasks(query: string, total: number | null): void {
  const pages: Blob[] = [];
  let next: string | null = `/tasks?limit=${PAGE}${query && `&${query}`}`;
  let count = 0;
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(pages, { type: "application/x-ndjson" }));
    link.download = "tasks.ndjson";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  start({
    title: t("tasks.export"),
    total,
    step: async () => {
      const answer = await send<object[]>("GET", next!);
      // As Blobs, which a browser may keep on disk.
      pages.push(new Blob(answer.document.map((task) => `${lineOf(task)}\n`)));
      count += answer.document.length;
      next = answer.next;
      return { count: answer.document.length, isMore: next !== null };
    },
    atEnd: () => {
      save();
      tell(t("tasks.exported", { n: count }));
    },
    meanwhile: { label: t("tasks.save_part"), run: save },
  });
}

function lineOf(task: object): string {
  const fields = Object.entries(task).map(
    ([key, value]) => `${JSON.stringify(key)}: ${value instanceof JsonText ? value.text : JSON.stringify(value)}`,
  );
  return `{${fields.join(", ")}}`;
}
