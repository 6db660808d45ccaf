"""The state table: as promised, as drawn, and as the code asks it."""

import re
from itertools import product
from pathlib import Path

import pytest

from app.domain.states import (
    ENDED,
    OUTCOMES,
    TRANSITIONS,
    WAITING,
    Event,
    Outcome,
    Status,
    allows,
    leads_to,
)

Edge = tuple[str | None, str, str, str]

RUNNING_ENDS_IN_RETRY_OR_FAILURE = [
    ("in_progress", event, actor, target)
    for event, actor in (("fail", "worker"), ("time_out", "sweep"), ("lose", "sweep"))
    for target in ("retrying", "failed")
]

# Written out once more, on purpose: whoever changes the table changes a promise.
PROMISED: frozenset[Edge] = frozenset(
    [
        (None, "submit", "client", "to_do"),
        ("to_do", "claim", "worker", "in_progress"),
        ("retrying", "claim", "worker", "in_progress"),
        ("in_progress", "complete", "worker", "done"),
        *RUNNING_ENDS_IN_RETRY_OR_FAILURE,
        ("in_progress", "fail_for_good", "worker", "failed"),
        ("in_progress", "release", "worker", "to_do"),
        ("in_progress", "release", "worker", "retrying"),
        ("to_do", "pause", "management", "paused"),
        ("retrying", "pause", "management", "paused"),
        ("paused", "resume", "management", "to_do"),
        ("paused", "resume", "management", "retrying"),
        ("to_do", "cancel", "management", "cancelled"),
        ("retrying", "cancel", "management", "cancelled"),
        ("paused", "cancel", "management", "cancelled"),
        ("in_progress", "cancel", "management", "cancelled"),
        ("to_do", "cascade", "sweep", "cancelled"),
        ("retrying", "cascade", "sweep", "cancelled"),
        ("paused", "cascade", "sweep", "cancelled"),
        ("failed", "retry", "management", "to_do"),
        ("cancelled", "retry", "management", "to_do"),
    ]
)

ARROW = re.compile(r"^ *(\w+|\[\*\]) --> (\w+|\[\*\])(?: : ([\w ]+) \((\w+)\))?$")


@pytest.fixture(scope="module", params=["state_machine.md", "state_machine.zh-CN.md"])
def page(project: Path, request: pytest.FixtureRequest) -> str:
    return (project / "docs" / str(request.param)).read_text()


def test_the_table_is_what_was_promised() -> None:
    assert _edges_of_the_code() == PROMISED
    assert len(TRANSITIONS) == len(PROMISED), "an edge stands there twice"


def test_the_diagram_is_the_table(page: str) -> None:
    drawn = [arrow for arrow in _arrows(page) if arrow[1] != "[*]"]
    edges: list[Edge] = [
        (None if source == "[*]" else source, event, actor, target)
        for source, target, event, actor in drawn
    ]

    assert set(edges) == _edges_of_the_code()
    assert len(edges) == len(TRANSITIONS), "an arrow is drawn twice"


def test_the_diagram_ends_where_nothing_leads_on(page: str) -> None:
    ends = {source for source, target, _, _ in _arrows(page) if target == "[*]"}

    assert ends == {s.value for s in Status if not any(t.source == s for t in TRANSITIONS)}


def test_the_written_table_is_the_table(page: str) -> None:
    edges: list[Edge] = [
        (None if source == "–" else source, event.replace(" ", "_"), actor, target)
        for sources, event, actor, targets, _ in _rows(page)
        for source, target in product(_names(sources), _names(targets))
    ]

    assert set(edges) == _edges_of_the_code()
    assert len(edges) == len(TRANSITIONS), "a row stands there twice"


@pytest.mark.parametrize(("source", "event"), list(product([None, *Status], Event)))
def test_the_code_allows_what_the_table_has(source: Status | None, event: Event) -> None:
    targets = {t for s, e, _, t in PROMISED if (s, e) == (source, event)}

    assert allows(source, event) == bool(targets)
    assert {target for target in Status if leads_to(source, event, target)} == targets


def test_a_task_ends_where_no_worker_and_no_sweep_takes_it_on() -> None:
    moved_on_alone = {
        t.source
        for t in TRANSITIONS
        if t.actor in ("worker", "sweep") and t.event is not Event.CASCADE
    }

    assert {s for s in Status if s not in moved_on_alone} == ENDED | {Status.PAUSED}


def test_a_task_waits_where_it_can_be_claimed() -> None:
    assert {t.source for t in TRANSITIONS if t.event is Event.CLAIM} == WAITING


def _edges_of_the_code() -> set[Edge]:
    return {(t.source and t.source.value, t.event, t.actor, t.target) for t in TRANSITIONS}


def _arrows(page: str) -> list[tuple[str, str, str, str]]:
    """(from, to, event, actor) of every arrow; every line of the diagram is understood."""
    found = re.search(r"```mermaid\nstateDiagram-v2\n(.*?)```", page, re.DOTALL)
    assert found, "there is no diagram"
    arrows = []
    for line in found[1].splitlines():
        if line.strip():
            arrow = ARROW.match(line)
            assert arrow, f"not an arrow: {line}"
            source, target, event, actor = arrow.groups("")
            assert event or target == "[*]", f"an arrow without its event: {line}"
            arrows.append((source, target, event.replace(" ", "_"), actor))
    return arrows


def _rows(page: str) -> list[list[str]]:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|")
    ]
    assert rows[0][:4] in (["from", "event", "by", "to"], ["从", "事件", "触发者", "到"])
    # The Chinese page has its own word behind that of the code.
    return [[re.sub(r" [一-鿿]+$", "", cell) for cell in row] for row in rows[2:]]


def _names(cell: str) -> list[str]:
    return [name.strip("` ") for name in re.split("[,、]", cell)]


def test_every_event_that_ends_an_attempt_says_how_it_ended() -> None:
    assert set(OUTCOMES) == {t.event for t in TRANSITIONS if t.source == Status.IN_PROGRESS}
    assert set(OUTCOMES.values()) == set(Outcome)
