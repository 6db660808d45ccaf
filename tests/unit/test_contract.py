"""What is said in several places is the same in all of them: a name that is added on one side
only fails here, and the failure names the other."""

import inspect
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from app.api import (
    admin,
    answers,
    queue_groups,
    queue_settings,
    schedule_schemas,
    schemas,
    submissions,
    unique_key,
)
from app.domain.dependency import OnParentFailure
from app.domain.queue_settings import QueueSettings
from app.domain.schedule import CatchUp, Overlap
from app.domain.states import TRANSITIONS, Actor, Backoff, Event, Priority, Status
from app.domain.unique import Conflict, Hold
from app.queue import manage
from app.queue.dependencies.reading import Direction
from app.queue.groups import reading
from app.queue.lists.filters import TaskFilter, conditions
from rowlock import cli, models
from rowlock.cli import COMMANDS, management
from rowlock.cli.commands import commands_of
from rowlock.cli.filters import FILTERS as OPTIONS
from rowlock.cli.schedule import difference
from rowlock.client import fields, schedule_fields
from rowlock.client.admin import Admin, AsyncAdmin
from rowlock.client.async_client import AsyncClient
from rowlock.client.schedules import AsyncSchedules, Schedules
from rowlock.client.sync_client import Client
from tests.integration.api.test_bad_input_queries import FILTERS as BAD_FILTERS
from tests.integration.api.test_list import FILTERS as LISTED
from tests.integration.explain.test_explain_lists import filters as explained_filters
from tests.model.values import FILTERS as MODELLED

FILTERS = set(schemas.FilterQuery.model_fields)
# In the queue they are called after how many there may be.
IN_THE_QUEUE = {"tag": "tags", "id": "ids"}
# They scan, until their time is over.
UNINDEXED = {"title", "worker", *(f"{of}_{way}" for of in ("completed", "available")
                                  for way in ("after", "before"))}  # fmt: skip
# One of these is good for each.
VALUES = ("2026-01-31T08:00:00Z", ["done"], ["high"], [7])
SUBMITTED = set(submissions.SubmitTask.model_fields)
PATCHED = set(schemas.PatchTask.model_fields)
ACTIONS = {t.event for t in TRANSITIONS if t.actor is Actor.MANAGEMENT}


def same(
    one: Iterable[object], other: Iterable[object], where: str, here: str = "app/api/schemas.py"
) -> None:
    """Both name the same; what only one of them has is in the message."""
    ours, theirs = {str(x) for x in one}, {str(x) for x in other}
    assert not ours - theirs, f"not in {where}: {sorted(ours - theirs)}"
    assert not theirs - ours, f"only in {where}, not in {here}: {sorted(theirs - ours)}"


def takes(name: str, value: object) -> bool:
    """Whether the filter can have that value."""
    try:
        schemas.FilterQuery(**{name: value})
    except ValidationError:
        return False
    return True


def options(command: str) -> set[str]:
    return {parameter.name for parameter in COMMANDS[command].parameters}


def test_a_filter_is_one_everywhere() -> None:
    same(FILTERS, fields.Filters.__annotations__, "rowlock/client/fields.py Filters")
    same(FILTERS, (option.name for option in OPTIONS), "rowlock/cli/filters.py")
    in_queue = {IN_THE_QUEUE.get(name, name) for name in FILTERS}
    same(in_queue, TaskFilter._fields, "app/queue/lists/filters.py TaskFilter")


def test_a_filter_is_tried_everywhere() -> None:
    same(FILTERS, BAD_FILTERS, "tests/integration/api/test_bad_input_queries.py FILTERS")
    listed = {name for asked, _ in LISTED.values() for name in asked}
    # Which ids there are is known only when it runs.
    same(FILTERS - {"id"}, listed & FILTERS, "tests/integration/api/test_list.py FILTERS")
    same(FILTERS, MODELLED, "tests/model/values.py FILTERS")
    in_queue = {IN_THE_QUEUE.get(name, name) for name in FILTERS - UNINDEXED}
    explained = explained_filters(datetime.now())  # noqa: DTZ005
    same(in_queue, explained, "tests/integration/explain/test_explain_lists.py filters")


@pytest.mark.parametrize("name", TaskFilter._fields)
def test_every_filter_is_given_on_and_filters(name: str) -> None:
    asked = {n: next(value for value in VALUES if takes(n, value)) for n in FILTERS}
    wanted = schemas.FilterQuery(**asked).to_filter()
    assert getattr(wanted, name), f"app/api/schemas.py FilterQuery.to_filter leaves out {name}"
    only = TaskFilter()._replace(**{name: getattr(wanted, name)})
    where = conditions(only, tag_ids=range(len(only.tags)))
    assert where.condition != "TRUE", f"app/queue/lists/filters.py conditions leaves out {name}"


def test_a_field_of_a_new_task_is_one_everywhere() -> None:
    here = "app/api/submissions.py"
    in_batch = submissions.SubmitItem.model_fields
    same(in_batch, _of(fields.NewTask), "rowlock/client/fields.py NewTask", here)
    same(SUBMITTED, {"title", *_of(fields.TaskFields)}, "rowlock/client/fields.py TaskFields", here)
    ours = options("submit") - {"url", "token", "wait", "wait_for", "as_json", "idempotency_key"}
    of_key = {name for name in ours if name.startswith("unique_")}
    same(SUBMITTED, ours - of_key | {"unique"}, "rowlock/cli/tasks.py submit")
    parts = {field.alias or name for name, field in unique_key.UniqueKey.model_fields.items()}
    same(parts, fields.Unique.__annotations__, "rowlock/client/fields.py Unique")
    in_command = (name.removeprefix("unique_") for name in of_key)
    same(parts, in_command, "rowlock/cli/tasks.py submit")


def test_a_field_of_a_schedule_is_one_everywhere() -> None:
    where, here = "rowlock/client/schedule_fields.py", "app/api/schedule_schemas.py"
    timing = schedule_schemas.PutSchedule.model_fields.keys() - {"task"}
    same(timing, _of(schedule_fields.ScheduleTiming), where, here)
    same(schemas.TaskTemplate.model_fields, _of(schedule_fields.ScheduledTask), where)
    every = timing | schemas.TaskTemplate.model_fields.keys()
    same(every, _of(schedule_fields.ScheduleFields), where, here)
    ours = {option.name for option in COMMANDS["schedule"].below["put"].parameters}
    ours -= {"name", "if_match", "url", "token", "as_json"}
    of_key = {name for name in ours if name.startswith("unique_")}
    assert of_key == {name for name in options("submit") if name.startswith("unique_")}
    same(every, ours - of_key | {"unique"}, "rowlock/cli/schedule/changes.py put", here)


def test_a_default_of_a_schedule_is_one_everywhere() -> None:
    written = {"cron": "@daily", "task": {"title": "x"}}
    schedule = schedule_schemas.PutSchedule.model_validate(written).model_dump()
    task = schedule.pop("task")
    assert schedule | {"cron": None} == dict(difference.DEFAULTS)
    assert {name: task[name] for name in task if name not in ("title", "payload")} == {
        name: value for name, value in difference.TASK_DEFAULTS.items() if name != "payload"
    }


def test_a_field_that_can_be_changed_is_one_everywhere() -> None:
    same(PATCHED, _of(fields.Changes), "rowlock/client/fields.py Changes")
    same(
        PATCHED,
        options("patch") - {"url", "token", "as_json", "task_id", "clear"},
        "rowlock/cli/tasks.py",
    )


@pytest.mark.parametrize(
    ("values", "literal"),
    [
        (Status, fields.Status),
        (Backoff, fields.Backoff),
        (OnParentFailure, fields.OnParentFailure),
        (Direction, fields.Direction),
        ([*Priority, "high", "medium", "low"], fields.Priority),
        (CatchUp, schedule_fields.CatchUp),
        (Overlap, schedule_fields.Overlap),
        (Hold, fields.UniqueWhile),
        (Conflict, fields.UniqueConflict),
    ],
    ids=[
        "status",
        "backoff",
        "on_parent_failure",
        "direction",
        "priority",
        "catch_up",
        "overlap",
        "while",
        "conflict",
    ],
)
def test_a_value_that_the_sdk_knows_is_one_of_the_server(
    values: Iterable[str], literal: object
) -> None:
    same(values, get_args(literal), "rowlock/client")


def test_what_management_does_is_one_everywhere() -> None:
    is_done = partial(same, ACTIONS, here="app/domain/states.py TRANSITIONS")
    is_done(manage.ACTIONS, "app/queue/manage.py")
    is_done(admin.Action, "app/api/admin.py")
    # Of one task the client door takes it.
    in_bulk = partial(same, ACTIONS | {"delete"}, here="app/domain/states.py TRANSITIONS")
    in_bulk(admin.BulkAction, "app/api/admin.py, for all that match")
    in_bulk(get_args(fields.BulkAction), "rowlock/client/fields.py BulkAction")
    for side in (Admin, AsyncAdmin):
        is_done({n for n in dir(side) if n in set(Event)}, f"rowlock.client.admin {side}")
        in_all = {n.removesuffix("_all") for n in dir(side) if n.endswith("_all")}
        in_bulk(in_all, f"rowlock.client.admin {side}, for all that match")
    is_done(COMMANDS.keys() & (set(Event) - {Event.SUBMIT}), "rowlock/cli/management.py")


def test_how_far_one_is_acted_on_is_one_everywhere() -> None:
    along = set(schemas.InterveneQuery.model_fields)
    for side in (Admin, AsyncAdmin):
        ours = {
            n for action in ACTIONS for n in inspect.signature(getattr(side, action)).parameters
        }
        same(along, ours - {"self", "task_id"}, f"rowlock.client.admin {side}")
    flags = {f.name for action in ACTIONS for f in management._ALONG_FLAGS.get(action, ())}
    assert flags == {"along"}
    same(along, management._ALONG.values(), "rowlock/cli/management.py")


def test_how_all_that_match_are_acted_on_is_one_everywhere() -> None:
    more = schemas.ActionQuery.model_fields.keys() - FILTERS
    sdk = fields.BulkFilters.__annotations__.keys() - FILTERS
    same(more, sdk, "rowlock/client/fields.py BulkFilters")
    shown = answers.BulkDocument.model_fields
    same(shown, models.BulkResult.model_fields, "rowlock/models/tasks.py BulkResult")


def test_what_is_set_for_a_queue_is_one_everywhere() -> None:
    is_set = partial(same, queue_settings.SetQueueSettings.model_fields)
    is_set(QueueSettings().document(), "app/domain/queue_settings.py QueueSettings.document")
    shown = answers.QueueSettingsDocument.model_fields.keys()
    is_set(shown - {"queue", "in_force_at"}, "app/api/answers/queues.py QueueSettingsDocument")
    same(shown, models.QueueSettings.model_fields, "rowlock/models/queues.py QueueSettings")
    for side in (Admin, AsyncAdmin):
        arguments = inspect.signature(side.set_queue_settings).parameters
        is_set(arguments.keys() - {"self", "name"}, f"rowlock.client.admin {side}")
    ours = {option.name for option in COMMANDS["queue"].below["settings"].parameters}
    ours = {"ageing_seconds" if name == "ageing" else name for name in ours}
    ours = {name for name in ours if not name.startswith("no_")}
    is_set(ours - {"name", "url", "token", "as_json"}, "rowlock/cli/queue/settings.py")


def test_what_a_group_has_of_its_own_is_one_everywhere() -> None:
    is_set = partial(same, queue_groups.SetGroup.model_fields)
    for side in (Admin, AsyncAdmin):
        arguments = inspect.signature(side.set_queue_group).parameters
        is_set(arguments.keys() - {"self", "name", "group"}, f"rowlock.client.admin {side}")
    command = COMMANDS["queue"].below["group"].below["set"]
    ours = {option.name for option in command.parameters}
    is_set(ours - {"name", "group", "url", "token", "as_json"}, "rowlock/cli/queue/limits.py")
    shown = answers.GroupDocument.model_fields
    same(shown, models.QueueGroup.model_fields, "rowlock/models/queues.py QueueGroup")
    same(shown, reading.GroupState._fields, "app/queue/groups/reading.py GroupState")


def test_both_clients_do_the_same() -> None:
    def of(client: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(client) if not name.startswith("_")}

    same(of(Client) - {"close"}, of(AsyncClient) - {"aclose", "close"}, "rowlock.AsyncClient")
    same(of(Admin), of(AsyncAdmin), "the admin of rowlock.AsyncClient")
    same(of(Schedules), of(AsyncSchedules), "the schedules of rowlock.AsyncClient")


def _of(typed: Any) -> set[str]:
    return typed.__required_keys__ | typed.__optional_keys__  # type: ignore[no-any-return]


def test_the_root_knows_each_modules_commands() -> None:
    files = Path(cli.__file__).parent.glob("[!_]*.py")
    with_commands = {file.stem for file in files if "\n@command(" in file.read_text()}
    with_commands |= {name for name in COMMANDS if COMMANDS[name].below}
    same(with_commands, cli._OWN, "rowlock/cli/__init__.py", "rowlock/cli")
    for module, names in cli._OWN.items():
        theirs = commands_of(import_module(f"rowlock.cli.{module}"))
        same(theirs, names, "rowlock/cli/__init__.py", f"rowlock/cli/{module}.py")
