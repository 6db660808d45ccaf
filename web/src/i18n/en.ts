// Every text of the page, in English. The other languages have the same keys: the check holds
// them to it. What stands in braces is filled in; keep it in every language.

export const en = {
  // Everywhere
  "app.name": "Rowlock",
  "app.language": "Language",
  "app.theme": "Theme",
  "theme.auto": "Auto",
  "theme.light": "Light",
  "theme.dark": "Dark",
  "app.refresh": "Refresh",
  "app.refresh_every": "Refresh every {seconds} s",
  "app.refresh_off": "Refresh off",
  "app.refresh_held": "Paused while you choose",
  "app.help": "Keyboard shortcuts",
  "app.sign_out": "Sign out",
  "app.skip": "Skip to content",
  "app.menu": "Pages",
  "app.not_found": "There is no such page.",
  "app.version": "Version {version}",
  "action.cancel": "Cancel",
  "action.close": "Close",
  "action.copy": "Copy",
  "action.copied": "Copied",
  "action.undo": "Undo",
  "action.now": "Now",
  "action.retry": "Try again",
  "action.show_all": "Show all ({size})",
  "action.show_less": "Show less",
  "action.clear_filters": "Clear filters",

  // Signing in
  "sign_in.title": "Sign in",
  "sign_in.token": "Token",
  "sign_in.about":
    "One of this server's tokens: a viewer token to look, an admin token to change things.",
  "sign_in.keep": "Keep it until this tab is closed",
  "sign_in.submit": "Sign in",
  "sign_in.refused": "This token is not valid (any more).",
  "sign_in.connecting": "Connecting …",

  // What went wrong
  "problem.no_answer": "The server does not answer.",
  "problem.forbidden": "Your token does not open this. {detail}",
  "problem.needs_door": "This needs a token for the {door} door.",
  "problem.too_slow": "This search would take too long. Add a filter, such as a queue or a time.",
  "problem.too_many": "The server has too much to do.",
  "problem.away": "The server cannot do this now. {detail}",
  "problem.retry_after": "It asks to wait {seconds} s.",
  "problem.shown_from": "Shown is what was true {age}.",
  "problem.request_id": "Request {id}",
  "problem.conflict": "This had changed meanwhile: {detail}",

  // States of a task
  "status.to_do": "To do",
  "status.in_progress": "In progress",
  "status.retrying": "Retrying",
  "status.paused": "Paused",
  "status.done": "Done",
  "status.failed": "Failed",
  "status.cancelled": "Cancelled",
  "priority.高": "High",
  "priority.中": "Medium",
  "priority.低": "Low",

  // Times and numbers
  "time.now": "just now",
  "time.seconds": "{n} s",
  "time.minutes": "{n} min",
  "time.hours": "{n} h",
  "time.days": "{n} d",
  "time.ago": "{span} ago",
  "time.in": "in {span}",

  // Lists
  "table.select": "Select {name}",
  "table.select_all": "Select all rows",
  "table.sort": "Sort by {column}",
  "table.selected": "{n} selected",
  "table.rows": "{n} rows",
  "table.empty": "Nothing here yet.",
  "table.filtered": "Nothing matches the filters.",
  "json.none": "none",
  "chart.time": "Time",
  "chart.values": "Values of the chart",

  // Keyboard
  "keys.title": "Keyboard shortcuts",
  "keys.go": "Go to {page}",
  "keys.help": "Show this help",
  "keys.filter": "Go to the filter",
  "keys.next": "Next row",
  "keys.previous": "Previous row",
  "keys.select": "Select the row",
  "keys.open": "Open the row",
  "keys.refresh": "Refresh",

  // Page: overview
  "overview.title": "Overview",
  "overview.attention": "Needs attention",
  "overview.all_well": "All is well.",
  "overview.all_well_about": "{queues} queues, {waiting} waiting, {running} in progress.",
  "overview.oldest": "{queue}: the oldest task has waited {span}",
  "overview.oldest_about": "{waiting} waiting, {running} in progress",
  "overview.failing": "{queue}: {percent} of attempts failed",
  "overview.failing_about": "{failed} in the last {minutes} min",
  "overview.paused": "{queue} is paused",
  "overview.paused_about": "{waiting} waiting; paused",
  "overview.no_scheduler": "No scheduler runs",
  "overview.no_scheduler_about": "Retries, time-outs and lost workers are not looked after.",
  "overview.redis": "Redis is away",
  "overview.redis_about": "All works, but slower: {detail}",
  "overview.totals": "Now",
  "overview.waiting": "Waiting",
  "overview.running": "In progress",
  "overview.retrying": "Retrying",
  "overview.failed": "Failed",
  "overview.done_rate": "Done per minute",
  "overview.failure_rate": "Failed attempts",
  "overview.throughput": "Throughput",
  "overview.throughput_about": "Tasks per minute, last hour",
  "overview.submitted": "Submitted",
  "overview.done": "Done",
  "overview.queues": "Queues",
  "overview.queue": "Queue",
  "overview.oldest_waiting": "Oldest",
  "overview.more_queues": "Only the first {n} queues by name are counted here.",
  "overview.none": "No task has been submitted yet. Submit one:",

  // Page: queues

  // Page: tasks

  // Page: one task

  // Page: failures

  // Page: workers

  // Page: schedules

  // Page: activity

  // Page: system

  // Page: submit
};

export type Key = keyof typeof en;
