"""What recurring schedules are told, and what they submit."""

from collections.abc import Iterator
from itertools import islice

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from app.domain.states import ENDED
from tests.model import values
from tests.model.calls import Keyed, Refused
from tests.model.machine import Machine
from tests.model.moments import Between, agree, same
from tests.model.schedules import Schedule
from tests.model.values import said_otherwise
from tests.model.world import PROCESSES
from tests.support.calls import Document, problem
from tests.support.elapse import moment


class ScheduleRules(Machine):
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
        assert moved == sum(self._fires(each, now) for each in self.board.schedules.values())

    @invariant()
    def look(self) -> None:
        super().look()
        self._look_at_schedules(PROCESSES[self.world.tally.steps % len(PROCESSES)])

    def _fires(self, schedule: Schedule, now: Between) -> int:
        """What was due of a schedule is decided; how many tasks that submits."""
        last = self.board.tasks.get(schedule.shown["last_task_id"])
        is_open = last is not None and last.status not in ENDED
        runs = schedule.fire(now, is_open=is_open)
        self._look_at_runs(PROCESSES[self.world.tally.steps % len(PROCESSES)], schedule)
        self.world.tally.counts.update(f"occurrence {run['outcome']}" for run in runs)
        submitted = [run for run in runs if run["outcome"] == "submitted"]
        for run in submitted:
            self._submits(schedule, run, now)
        return len(submitted)

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
            assert answer.status_code == 201, answer.text
            task_id = self._runs_by_hand(answer, schedule, now)
            if key:
                self.board.keys[key] = Keyed(asked, [task_id])
        elif same(known.body, asked):
            assert answer.status_code == 200, answer.text
            (task_id,) = known.ids
            assert answer.headers["location"] == f"../../tasks/{task_id}"
            self.shows(answer.json(), self.board.tasks[task_id])
        else:
            problem(answer, 422)

    def _schedule(self, name: str) -> Schedule | Refused:
        return self.board.schedules.get(name) or Refused(404, {"schedule": name})

    def _shows_schedule(self, document: Document, schedule: Schedule) -> None:
        changed_at = schedule.shown["updated_at"]
        if isinstance(changed_at, Between):
            schedule.count_from(moment(document["updated_at"]))
        agree(schedule.template, document["task"])
        agree(schedule.shown, {name: document[name] for name in document if name != "task"})

    def _look_at_schedules(self, process: int, pages: int = 1) -> None:
        expected = [schedule for _, schedule in sorted(self.board.schedules.items())]
        found = self._pages(process, "/schedules", len(expected), pages)
        for schedule, document in zip(expected, found, strict=True):
            self._shows_schedule(document, schedule)

    def _look_at_runs(self, process: int, schedule: Schedule, pages: int = 1) -> None:
        """The model knows from now on which tasks were submitted."""
        path = f"/schedules/{schedule.name}/runs"
        found = self._pages(process, path, len(schedule.runs), pages)
        expected = sorted(schedule.runs, key=lambda run: run["occurrence_at"], reverse=True)
        for run, document in zip(expected, found, strict=True):
            if run["outcome"] == "submitted" and run["task_id"] is None:
                assert isinstance(document["task_id"], int)
                run["task_id"] = document["task_id"]
            agree(run, document)

    def _pages(self, process: int, path: str, expected: int, pages: int) -> Iterator[Document]:
        """What so many pages have, and more if there is more."""
        limit = min(max(-(-expected // pages), 1), 1000)
        answer = self.world.call(process, "GET", path, params={"limit": str(limit)})
        yield from answer.json()
        while "next" in answer.links:
            path = str(answer.url.join(answer.links["next"]["url"]))
            answer = self.world.call(process, "GET", path)
            yield from answer.json()

    def _runs_by_hand(self, answer: httpx.Response, schedule: Schedule, now: Between) -> int:
        """The task of it."""
        document = answer.json()
        task_id = int(document["id"])
        assert answer.headers["location"] == f"../../tasks/{task_id}"
        at = moment(document["origin"]["occurrence_at"])
        assert now.since <= at <= now.until
        run = schedule.run_by_hand(at, task_id, now)
        self._submits(schedule, run, now)
        self.shows(document, self.board.tasks[task_id])
        return task_id

    def _submits(self, schedule: Schedule, run: Document, now: Between) -> None:
        """The task of a run, whose id is known, is there from now on."""
        submitted = self.board.submit([schedule.task(run)], now)
        assert not isinstance(submitted, Refused)
        (task,) = submitted
        task.shown["id"] = run["task_id"]
        self.board.store([task])
        self.touched.add(task.id)
        if run["kind"] == "due":
            schedule.shown["last_task_id"] = task.id
