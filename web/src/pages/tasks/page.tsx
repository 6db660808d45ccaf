import { TaskPage } from "../task/page";
import { Jobs } from "./jobs";
import { TaskList } from "./list";

/** The list, or one of its tasks. What runs over many shows on both. */
export function Tasks({ rest }: { rest: string }) {
  return (
    <>
      <Jobs />
      {rest ? <TaskPage id={rest} /> : <TaskList />}
    </>
  );
}
