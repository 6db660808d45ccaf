"""Runs benchmarks, prints the results in a table, and writes them to docs/performance.md."""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.local.errors import LocalError
from bench import (
    ageing,
    backlog,
    bulk,
    commits,
    cycle,
    dependencies,
    groups,
    idle,
    latency,
    lists,
    memory,
    pages,
    pickup,
    python_client,
    python_worker,
    read,
    retention,
    snapshot,
    submit,
    sweep,
    tabs,
    unique,
    workers,
)
from bench.report.book import Book
from bench.report.figures import print_table
from bench.report.machine import describe
from bench.result import BenchError, Result
from bench.session import Options, Session

LIGHT: Final[Mapping[str, Callable[[Session], list[Result]]]] = {
    "submit": submit.run,
    "read": read.run,
    "cycle": cycle.run,
    "bulk": bulk.run,
    "pickup": pickup.run,
    "idle": idle.run,
    "snapshot": snapshot.run,
    "sweep": sweep.run,
    "workers": workers.run,
    "python_worker": python_worker.run,
    "python_client": python_client.run,
    "unique": unique.run,
    "dependencies": dependencies.run,
    "groups": groups.run,
    "latency": latency.run,
    "tabs": tabs.run,
}
LARGE: Final[Mapping[str, Callable[[Session], list[Result]]]] = {
    "commits": commits.run,
    "backlog": backlog.run,
    "lists": lists.run,
    "pages": pages.run,
    "memory": memory.run,
    "retention": retention.run,
    "ageing": ageing.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    options = _parser().parse_args(arguments)
    names = options.names or list(LARGE if options.large else LIGHT)
    given = Options(options.rounds, options.seconds, options.rows, options.home)
    results, failed = _run(names, given, writes=options.report)
    print_table(results)
    for name, reason in failed.items():
        print(f"{name} failed: {reason}")
    if options.report:
        print(f"Written to {Book().write()}")
    sys.exit(1 if failed else 0)


def _run(
    names: Sequence[str], options: Options, *, writes: bool
) -> tuple[list[Result], dict[str, str]]:
    results: list[Result] = []
    failed: dict[str, str] = {}
    try:
        with Session(options, is_large=any(name in LARGE for name in names)) as session:
            machine = describe(session.stack)
            for name in names:
                print(f"{time.strftime('%H:%M:%S')} {name} …", flush=True)
                try:
                    found = {**LIGHT, **LARGE}[name](session)
                except BenchError as error:
                    failed[name] = str(error)
                    continue
                results += found
                if writes:  # at once: what comes after may fail
                    Book().keep(name, found, machine, options)
    except LocalError as error:
        sys.exit(f"bench: {error}")
    return results, failed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*LIGHT, *LARGE, []], metavar="name")
    parser.add_argument("--large", action="store_true", help=f"run {', '.join(LARGE)}")
    parser.add_argument("--rounds", type=int, default=Options.rounds, help="default: %(default)s")
    parser.add_argument(
        "--seconds",
        type=float,
        default=Options.seconds,
        help="duration of each run; default: %(default)s",
    )
    parser.add_argument(
        "--rows", type=int, default=Options.rows, help="number of ended tasks; default: %(default)s"
    )
    parser.add_argument("--home", type=Path, help="directory for the servers' data instead of /tmp")
    parser.add_argument(
        "--no-report", dest="report", action="store_false", help="do not write docs/performance.md"
    )
    parser.epilog = f"Names: {', '.join([*LIGHT, *LARGE])}. Default: {', '.join(LIGHT)}."
    return parser
