"""The benchmarks' own arithmetic, and the report that is made of what they find."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import request_path
from bench.report.book import PROJECT, Book
from bench.report.plot import Axis, Line, chart
from bench.result import BenchError, Result, Run, interleave, percentiles, ratio
from bench.scripts import finish_and_claim
from bench.session import Options
from bench.wire import Wire

ANSWER = b"HTTP/1.1 201 Created\r\ncontent-length: 7\r\nx: y\r\n\r\n[1,2,3]"
MACHINE = {"Machine": {"CPU": "2 × some"}}


def runs(*rates: float) -> list[Run]:
    return [Run(1, rate) for rate in rates]


def result(name: str, figure: float) -> Result:
    return Result(name=name, figure=figure, unit="tasks/s", target="≥ 1", ok=True, how="somehow")


def test_a_ratio_is_taken_round_by_round_so_that_a_slow_moment_counts_for_both() -> None:
    assert ratio(runs(50, 100, 10), runs(100, 200, 20)) == 0.5


def test_none_always_runs_after_the_same_one() -> None:
    order: list[str] = []

    def measure(name: str) -> Callable[[], Run]:
        def run() -> Run:
            order.append(name)
            return Run(1, 1)

        return run

    interleave(2, {"a": measure("a"), "b": measure("b")})

    assert order == ["a", "b", "b", "a"]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    found = percentiles([float(value) for value in range(1, 101)])

    assert (found["p50"], found["p99"], found["max"]) == (50, 99, 100)


@pytest.mark.parametrize("size", [1, 7, len(ANSWER), 2 * len(ANSWER)])
def test_answers_are_read_whole_however_they_arrive(size: int) -> None:
    answers: list[tuple[int, bytes]] = []
    wire = Wire(lambda *answer: answers.append(answer), lambda error: None)

    for begin in range(0, len(ANSWER), size):
        wire.data_received(ANSWER[begin : begin + size])

    assert answers == [(201, b"[1,2,3]")]


def test_the_next_finish_is_of_the_lease_that_the_last_one_brought() -> None:
    script = finish_and_claim()
    next(script)

    first, _ = script.send(b'[{"lease_id":"1.aa"}]')
    second, _ = script.send(
        b'{"items":[{"lease_id":"1.aa","status":200}],"leases":[{"lease_id":"2.bb"}]}'
    )

    assert b'"1.aa"' in first
    assert b'"2.bb"' in second


def test_a_run_that_finds_no_task_left_is_worth_nothing() -> None:
    script = finish_and_claim()
    next(script)

    with pytest.raises(BenchError):
        script.send(b"[]")


def test_a_run_of_one_benchmark_leaves_the_others_rows_as_they_are(tmp_path: Path) -> None:
    for directory in ("bench", "docs/images"):
        (tmp_path / directory).mkdir(parents=True)
    book = Book(tmp_path)

    book.keep("submit", [result("submitted", 4321)], MACHINE, Options())
    book.keep("read", [result("read", 1)], MACHINE, Options())
    book.keep("read", [result("read", 8765)], MACHINE, Options())
    page = book.write().read_text()

    assert "| submitted | 4,321 tasks/s |" in page
    assert "| read | 8,765 tasks/s |" in page
    assert page.count("| read |") == 1


def test_plans_are_in_the_appendix_and_the_page_leads_there(tmp_path: Path) -> None:
    for directory in ("bench", "docs/images"):
        (tmp_path / directory).mkdir(parents=True)
    book = Book(tmp_path)
    plans = [{"list": "status=done", "plan": "<derived2> ALL"}]

    book.keep(
        "lists", [replace(result("lists", 1), details={"explain": plans})], MACHINE, Options()
    )
    page = book.write().read_text()

    assert "derived2" not in page
    assert "](performance-plans.md#lists)" in page
    appendix = book.appendix.read_text()
    assert "## lists\n" in appendix
    assert "| status=done | &lt;derived2> ALL |" in appendix


def test_the_report_is_what_the_kept_results_make(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "docs/images").mkdir(parents=True)
    kept = Book()
    (tmp_path / "bench/results.json").write_text((PROJECT / "bench/results.json").read_text())
    made = Book(tmp_path)
    made.write()

    assert made.page.read_text() == kept.page.read_text()
    assert made.appendix.read_text() == kept.appendix.read_text()


def test_a_plot_is_well_formed_and_says_what_it_shows() -> None:
    line = Line("p50 <fast>", [(1, 0.5), (1000, 20)])

    drawn = chart("Latency & load", Axis("calls/s", is_log=True), Axis("ms"), [line])

    texts = [element.text for element in ET.fromstring(drawn).iter()]
    assert {"Latency & load", "calls/s", "ms", "p50 <fast>"} <= set(texts)


async def test_what_a_request_costs_before_the_service_can_be_measured() -> None:
    found = await request_path.measure(rounds=3, requests=100)

    assert 0 < found[request_path.OURS] < found[request_path.FASTAPI]
