"""What recurring schedules are told, and what they submit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from app.domain.states import ENDED
from tests.model import values
from tests.model.calls import Keyed, Refused
from tests.model.moments import Between, same
from tests.model.schedule_looks import ScheduleLooks
from tests.model.schedules import Schedule
from tests.model.tasks import Task
from tests.model.values import said_otherwise
from tests.model.world import PROCESSES
from tests.support.calls import Document, problem
from tests.support.elapse import moment


class ScheduleRules(ScheduleLooks):
    """Put, get, list, pause, resume, delete, run now; and what time does to them."""

    @initialize(bodies=st.tuples(*[values.schedule_bodies] * len(values.SCHEDULES)))
    def begin_schedules(self, bodies: tuple[Document, ...]) -> None:
        for name, body in zip(values.SCHEDULES, bodies, strict=True):
            self.put_schedule(0, name, body)

    @rule(process=values.processes, name=values.schedule_names, body=values.schedule_bodies)
    def put_schedule(self, process: int, name: str, body: Document) -> None:
        self.settle()
        (body,) = values.dated(self.world.now, [body])
        self._put(process, name, body)

    @precondition(lambda self: self.board.schedules)
    @rule(process=values.processes, pick=values.picks, otherwise=st.booleans())
    def put_schedule_again(self, process: int, pick: int, otherwise: bool) -> None:
        """It changes nothing, whatever has been done to it meanwhile."""
        schedules = self.board.schedules
        schedule = schedules[sorted(schedules)[pick % len(schedules)]]
        self.settle()
        body, revision = schedule.body(), schedule.shown["revision"]
        if otherwise:
            body["task"] = said_otherwise(body["task"])
        self._put(process, schedule.name, body)
        assert schedule.shown["revision"] == revision

    @rule(process=values.processes, name=values.schedule_names, change=values.schedule_changes)
    def change_schedule(self, process: int, name: str, change: str) -> None:
        path, schedule = f"/schedules/{name}", self._schedule(name)
        if change == "delete":
            answer, now = self.ask(process, "DELETE", path)
        else:
            answer, now = self.ask(process, "POST", f"/admin{path}/{change}")
        if isinstance(schedule, Refused):
            self.refuses(answer, schedule)
        elif change == "delete":
            assert answer.status_code == 204, answer.text
            del self.board.schedules[name]
        else:
            assert answer.status_code == 200, answer.text
            if change == "pause":
                self._fires(schedule, now)
                schedule.pause(now)
            else:
                schedule.resume(now)
            self._shows_schedule(answer.json(), schedule)

    @rule(
        process=values.processes,
        name=values.schedule_names,
        key=st.none() | values.schedule_keys,
        times=st.sampled_from([1, 1, 2]),
    )
    def run_schedule(self, process: int, name: str, key: str | None, times: int) -> None:
        for _ in range(times):
            self._run(process, name, key)

    @rule(process=values.processes, name=values.schedule_names, pages=st.sampled_from([1, 2, 3]))
    def look_at_schedule(self, process: int, name: str, pages: int) -> None:
        """It, what comes next, and what came; the list of all."""
        schedule, path = self._schedule(name), f"/schedules/{name}"
        self._look_at_schedules(process, pages)
        answers = self.world.get_all(process, [path, f"{path}/runs"])
        if isinstance(schedule, Refused):
            for answer in answers:
                self.refuses(answer, schedule)
            return
        self._shows_schedule(answers[0].json(), schedule)
        assert answers[0].headers["etag"] == f'"{schedule.shown["revision"]}"'
        self._look_at_runs(process, schedule, pages)
        now = self.world.now
        params = {"after": f"{now.isoformat()}Z", "count": "3"}
        answer = self.world.call(process, "GET", f"{path}/next", params=params)
        upcoming = [moment(document["occurrence_at"]) for document in answer.json()]
        assert upcoming == [*islice(schedule.after(now), 3)]

    @rule()
    def fire(self) -> None:
        """The sweep decides what is due."""
        self.settle()
        self.process = None
        began = self.world.now
        moved = self.world.sweep("fire_due")
        now = self.world.since(began)
        in_order = sorted(
            self.board.schedules.values(),
            key=lambda each: (each.shown["next_at"] or now.until, each.name),
        )
        assert moved == sum(self._fires(each, now) for each in in_order)

    @invariant()
    def look(self) -> None:
        super().look()
        self._look_at_schedules(PROCESSES[self.world.tally.steps % len(PROCESSES)])

    def _fires(self, schedule: Schedule, now: Between) -> int:
        """What was due of a schedule is decided; how many tasks that submits."""
        last = self.board.tasks.get(schedule.shown["last_task_id"])
        is_open = last is not None and last.status not in ENDED
        runs = schedule.fire(now, is_open=is_open)
        process = PROCESSES[self.world.tally.steps % len(PROCESSES)]
        made = 0
        if any(run["outcome"] == "submitted" for run in runs):
            found = self._pages(process, f"/schedules/{schedule.name}/runs", len(schedule.runs), 1)
            ids = {moment(each["occurrence_at"]): each["task_id"] for each in found}
            made = self._submits(schedule, runs, ids, now)
        self._look_at_runs(process, schedule)
        self.world.tally.counts.update(f"occurrence {run['outcome']}" for run in runs)
        return made

    def _put(self, process: int, name: str, body: Document) -> None:
        # What it says of times is still so: no time is made to pass before it is sent.
        self.process = process
        began = self.world.now
        answer = self.world.call(process, "PUT", f"/schedules/{name}", json=body)
        now = self.world.since(began)
        starts_at, ends_at = body.get("starts_at"), body.get("ends_at")
        if starts_at and ends_at and moment(ends_at) < moment(starts_at):
            problem(answer, 422, "ends_at")
            return
        is_new = name not in self.board.schedules
        assert answer.status_code == (201 if is_new else 200), answer.text
        schedule = self.board.schedules.setdefault(name, Schedule(name, now))
        if not is_new and schedule.is_changed_by(body):
            self._fires(schedule, now)
        schedule.put(body, now)
        self._shows_schedule(answer.json(), schedule)
        assert answer.headers["etag"] == f'"{schedule.shown["revision"]}"'

    def _run(self, process: int, name: str, key: str | None) -> None:
        schedule, asked = self._schedule(name), ["run", name]
        headers = {"Idempotency-Key": key} if key else {}
        answer, now = self.ask(process, "POST", f"/schedules/{name}/run", headers=headers)
        known = self.board.known(key) if key else None
        if isinstance(schedule, Refused):
            self.refuses(answer, schedule)
        elif known is None:
            task_id = self._runs_by_hand(process, answer, schedule, now)
            if key and task_id is not None:
                self.board.keys[key] = Keyed(asked, [task_id])
        elif same(known.body, asked):
            assert answer.status_code == 200, answer.text
            (task_id,) = known.ids
            assert answer.headers["location"] == f"../../tasks/{task_id}"
            self.shows(answer.json(), self.board.tasks[task_id], now)
        else:
            problem(answer, 422)

    def _runs_by_hand(
        self, process: int, answer: httpx.Response, schedule: Schedule, now: Between
    ) -> int | None:
        """The task of it; None: it was refused."""
        path = f"/schedules/{schedule.name}/runs"
        is_new = answer.status_code == 201
        at = moment(answer.json()["origin"]["occurrence_at"]) if is_new else now.until
        submitted = self.board.submit([schedule.task(at)], now)
        if isinstance(submitted, Refused):
            self.refuses(answer, submitted)
            return None
        (task,) = submitted
        assert answer.status_code == (200 if task.id else 201), answer.text
        document = answer.json()
        if not is_new:
            newest = self.world.call(process, "GET", path, params={"limit": "1"}).json()[0]
            at = moment(newest["occurrence_at"])
        assert now.since <= at <= now.until
        self._stores(task, int(document["id"]))
        assert answer.headers["location"] == f"../../tasks/{task.id}"
        schedule.run_by_hand(at, task.id, now)
        self.shows(document, task)
        return task.id

    def _submits(
        self,
        schedule: Schedule,
        runs: Sequence[Document],
        ids: Mapping[datetime, int | None],
        now: Between,
    ) -> int:
        """The tasks of runs are there from now on; how many are new. What was refused for its
        unique key is no reason to leave out the next one for its overlap."""
        made = 0
        refused: int | None = None
        for run in runs:
            if run["outcome"] == "submitted":
                found = self.board.submit([schedule.task(run["occurrence_at"])], now)
                if isinstance(found, Refused):
                    refused = found.facts["task_id"]
                else:
                    (task,) = found
                    made += not task.id
                    task_id = ids[run["occurrence_at"]]
                    assert task_id is not None
                    self._stores(task, task_id)
                    run["task_id"] = schedule.shown["last_task_id"] = task.id
                    continue
            if refused is not None and run["outcome"] != "skipped_late":
                run |= {"outcome": "skipped_unique", "task_id": refused}
        return made

    def _stores(self, task: Task, task_id: int) -> None:
        """It is of that id; or is there already, and may have changed."""
        if not task.id:
            task.shown["id"] = task_id
            self.board.store([task])
        assert task.id == task_id
        self.touched.add(task.id)
