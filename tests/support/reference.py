"""The reference in docs/python.md, made from the docstrings.

`python -m tests.support.reference` writes it anew.
"""

import inspect
import re
from pathlib import Path
from typing import Any, Final

import rowlock
from rowlock.client.admin import Admin
from rowlock.client.schedules import Schedules

PAGE: Final = Path(__file__).parent.parent.parent / "docs/python.md"
# In this order.
SECTIONS: Final = {
    "Clients": (
        *("Client", "AsyncClient", "NewTask", "Unique", "ScheduledTask"),
        *("Flow", "AsyncFlow", "Member"),
    ),
    "Workers": (
        *("Worker", "TaskHandler", "RunningAttempt", "current_attempt"),
        *("Done", "Permanent", "Retry"),
    ),
    "Answers": (
        *("Task", "Attempt", "Lease", "Tag", "Stats", "QueueStats", "QueueState"),
        *("History", "HistoryBucket"),
        *("QueueSettings", "QueueGroup", "BulkResult", "Count", "Cost"),
        *("Why", "Reason", "AwaitedTask", "Dependencies", "RelatedTask", "Parent"),
        *("Schedule", "Occurrence", "ScheduleRun", "BackfillResult"),
        *("RegisteredWorker", "WorkerDetails", "HeldTask"),
        *("Me", "Examination", "Finding", "Processes", "ServerProcess", "Sweep"),
    ),
    "Errors": (
        *("RowlockError", "UnreachableError", "UnexpectedAnswerError", "ProblemError"),
        *("InvalidRequestError", "NotAllowedError", "NotFoundError", "ConflictError"),
        *("UnavailableError", "WaitTimeoutError", "PayloadError", "NaiveTimeError"),
        *("LifespanError", "ScheduleError", "StuckHandlersError", "WorkerProcessError"),
    ),
}
# What programs make themselves; the other objects come from calls.
MADE_BY_PROGRAMS: Final = frozenset({"Client", "AsyncClient", "Worker", "Done", "Retry"})
_ASYNC: Final = (
    "The methods are those of `Client`, to be awaited; `list` and `admin.in_pages` are for "
    "`async for`."
)
_BEGIN: Final = "<!-- From the docstrings: python -m tests.support.reference -->\n"
_END: Final = "<!-- to here -->\n"


def reference() -> str:
    """The section, as Markdown."""
    lines = []
    for section, names in SECTIONS.items():
        lines += [f"### {section}", ""]
        for name in names:
            lines += _entry(name, getattr(rowlock, name))
            if name == "Client":
                lines += ["`client.admin`:", "", *_members(Admin), ""]
                lines += ["`client.schedules`:", "", *_members(Schedules), ""]
    return "\n".join(lines)


def written() -> str:
    """The section that is in the page."""
    return PAGE.read_text().partition(_BEGIN)[2].partition(_END)[0]


def _entry(name: str, what: Any) -> list[str]:
    entry = [f"#### `{name}`", ""]
    if inspect.isfunction(what) or name in MADE_BY_PROGRAMS:
        entry += [f"`{name}{_signature(what)}`", ""]
    entry += [inspect.getdoc(what) or "", ""]
    if name == "AsyncClient":
        return [*entry, _ASYNC, ""]
    if not inspect.isclass(what):
        return entry
    if fields := _fields(what):
        entry += [f"Fields: {', '.join(f'`{field}`' for field in fields)}.", ""]
    members = _members(what)
    return [*entry, *members, ""] if members else entry


def _fields(kind: type) -> list[str]:
    if fields := getattr(kind, "model_fields", None):
        return list(fields)
    return list(kind.__annotations__) if hasattr(kind, "__total__") else []


def _members(kind: type) -> list[str]:
    lines = []
    for name, member in vars(kind).items():
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            said = f"`{name}`"
        elif inspect.isfunction(member):
            said = f"`{name}{_signature(member)}`"
        else:
            continue
        documented = inspect.getdoc(member)
        lines.append(f"- {said}" + (f": {_indented(documented)}" if documented else ""))
    return lines


def _indented(docstring: str) -> str:
    """As what belongs to an item of a list."""
    return re.sub(r"\n(?=.)", "\n  ", docstring)


def _signature(what: Any) -> str:
    """Without annotations and `self`."""
    signature = inspect.signature(what)
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in signature.parameters.items()
        if name not in ("self", "exchange")  # the tests' own
    ]
    return str(inspect.Signature(bare))


if __name__ == "__main__":
    before, begin, rest = PAGE.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    PAGE.write_text("".join([before, begin, reference(), end, after]))
