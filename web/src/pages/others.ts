// All pages but the first: a file of their own, which comes after what the first one needs.
export { Queues } from "./queues/page";
export { Schedules } from "./schedules/page";
export { Submit } from "./submit/page";
export { System } from "./system/page";
export { Tasks } from "./tasks/page";
export { Workers } from "./workers/page";
