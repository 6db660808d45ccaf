import { hash } from "../../state/location";

export function TaskLink({ id }: { id: number | null }) {
  return id === null ? <span class="quiet">–</span> : <a href={hash(`/tasks/${id}`)}>#{id}</a>;
}
