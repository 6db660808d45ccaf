"""What `/metrics` tells Prometheus."""

import os
from collections.abc import Iterable
from typing import Final, NamedTuple

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

# Whose figures they are among those of several processes, as whoever starts these calls them: by
# its process id the one executable is two.
PROCESS_NAME: Final = "ROWLOCK_METRICS_PROCESS"
if PROCESS_NAME in os.environ:
    values.ValueClass = values.MultiProcessValue(lambda: os.environ[PROCESS_NAME])

REQUESTS: Final = Counter(
    "rowlock_requests_total", "HTTP requests answered.", ["method", "route", "status"]
)
REQUEST_SECONDS: Final = Histogram(
    "rowlock_request_seconds",
    "Time from request headers to response headers, long polls included.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
# Callers name queues as they like. Beyond so many, a process counts the rest together, by a name
# that no queue can have.
MOST_QUEUES: Final = 1000
OTHER_QUEUES: Final = "(other)"

CLAIMS: Final = Counter("rowlock_claims_total", "Tasks handed to workers.", ["queue"])
TRANSITIONS: Final = Counter(
    "rowlock_transitions_total",
    "State transitions of tasks by this process.",
    ["source", "target"],
)
BATCH_CALLS: Final = Histogram(
    "rowlock_batch_calls",
    "Number of calls in one batch.",
    ["kind"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
WAITING_CALLERS: Final = Gauge(
    "rowlock_waiting_callers", "Long polls currently waiting.", multiprocess_mode="livesum"
)
CONNECTIONS: Final = Gauge(
    "rowlock_connections", "Open client connections.", multiprocess_mode="livesum"
)
CONNECTIONS_CUT: Final = Counter(
    "rowlock_connections_cut_total",
    "Connections closed to protect others: too many, too slow, too much memory.",
    ["reason"],
)
REDIS_UP: Final = Gauge(
    "rowlock_redis_up",
    "1 while Redis answers, 0 while it does not or is not set.",
    multiprocess_mode="livemin",
)
CACHE_READS: Final = Counter("rowlock_cache_reads_total", "Cache reads.", ["kind", "found"])


_queues: Final[set[str]] = set()


def queue_label(queue: str) -> str:
    """What a queue is counted under: its name, or that of the others where there are too many."""
    if queue in _queues:
        return queue
    if len(_queues) >= MOST_QUEUES:
        return OTHER_QUEUES
    _queues.add(queue)
    return queue


# Sweeps of such a name move no task: they compare what follows it with the rows of tasks.
AUDIT: Final = "audit_"


class SweepFigure(NamedTuple):
    """One sweep, as all schedulers together have run it."""

    sweep: str
    runs: int
    # Of an audit: how much it has set right.
    moved: int
    seconds_since: float

    @property
    def audited(self) -> str | None:
        """What it audits; None: it is no audit."""
        return self.sweep.removeprefix(AUDIT) if self.sweep.startswith(AUDIT) else None


# Schedulers tell of themselves every few seconds.
SILENT_SECONDS: Final = 60.0


def scheduler_state(sweeps: Iterable[SweepFigure]) -> str:
    """`ok` while a scheduler runs somewhere; else what is wrong, and what to do."""
    seconds = min((sweep.seconds_since for sweep in sweeps), default=None)
    if seconds is None:
        return "no scheduler has run yet: run `rowlock scheduler`"
    if seconds > SILENT_SECONDS:
        return f"no scheduler has run for {seconds:.0f} s: run `rowlock scheduler`"
    return "ok"


class QueueFigure(NamedTuple):
    """One queue's standing."""

    queue: str
    waiting: int
    running: int
    # None: of so many queues together it is not looked for.
    oldest_waiting_seconds: float | None


class StoredFigures(Collector):
    """What MySQL knows and no process by itself, as it was last read."""

    queues: Iterable[QueueFigure] = ()
    sweeps: Iterable[SweepFigure] = ()
    # None: MySQL cannot be asked.
    has_scheduler: bool | None = None

    def collect(self) -> Iterable[Metric]:
        waiting = GaugeMetricFamily(
            "rowlock_waiting_tasks", "Tasks in to_do or retrying.", labels=["queue"]
        )
        running = GaugeMetricFamily("rowlock_running_tasks", "Tasks in progress.", labels=["queue"])
        oldest = GaugeMetricFamily(
            "rowlock_oldest_waiting_seconds",
            "Longest time for which a task could have been claimed.",
            labels=["queue"],
        )
        for queue in self.queues:
            waiting.add_metric([queue.queue], queue.waiting)
            running.add_metric([queue.queue], queue.running)
            if queue.oldest_waiting_seconds is not None:
                oldest.add_metric([queue.queue], queue.oldest_waiting_seconds)
        runs = CounterMetricFamily(
            "rowlock_sweep_runs", "Sweeps run by all schedulers.", labels=["sweep"]
        )
        moved = CounterMetricFamily(
            "rowlock_swept_tasks", "Tasks moved by sweeps.", labels=["sweep"]
        )
        age = GaugeMetricFamily(
            "rowlock_sweep_age_seconds",
            "Seconds since a scheduler last reported this sweep; over 60: no scheduler runs.",
            labels=["sweep"],
        )
        scheduler = GaugeMetricFamily(
            "rowlock_scheduler_up",
            "1 while any scheduler runs, 0 if none has reported for a minute.",
        )
        if self.has_scheduler is not None:
            scheduler.add_metric([], self.has_scheduler)
        repairs = CounterMetricFamily(
            "rowlock_repairs",
            "What audits of structures beside the tasks had to set right; stays 0.",
            labels=["what"],
        )
        for sweep in self.sweeps:
            runs.add_metric([sweep.sweep], sweep.runs)
            if sweep.audited is None:
                moved.add_metric([sweep.sweep], sweep.moved)
            else:
                repairs.add_metric([sweep.audited], sweep.moved)
            age.add_metric([sweep.sweep], sweep.seconds_since)
        return (waiting, running, oldest, scheduler, runs, moved, repairs, age)


STORED_FIGURES: Final = StoredFigures()


def registry() -> CollectorRegistry:
    """This process's figures, or those of all that share its port."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)
    shared.register(STORED_FIGURES)
    return shared


REGISTRY.register(STORED_FIGURES)
