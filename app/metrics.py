"""What `/metrics` tells Prometheus."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

REQUESTS: Final = Counter(
    "rowlock_requests_total", "HTTP requests answered.", ["method", "route", "status"]
)
REQUEST_SECONDS: Final = Histogram(
    "rowlock_request_seconds",
    "From a request's head to its answer's, long polls included.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
CLAIMS: Final = Counter("rowlock_claims_total", "Tasks handed to workers.", ["queue"])
TRANSITIONS: Final = Counter(
    "rowlock_transitions_total",
    "Tasks moved by this process from state to state.",
    ["source", "target"],
)
BATCH_CALLS: Final = Histogram(
    "rowlock_batch_calls",
    "Calls that shared one batch.",
    ["kind"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
WAITING: Final = Gauge("rowlock_waiting_tasks", "Tasks in to_do or retrying.", ["queue"])
RUNNING: Final = Gauge("rowlock_running_tasks", "Tasks in progress.", ["queue"])
OLDEST_WAITING_SECONDS: Final = Gauge(
    "rowlock_oldest_waiting_seconds", "Age of the oldest claimable task.", ["queue"]
)
WAITING_CALLERS: Final = Gauge("rowlock_waiting_callers", "Long polls that wait now.")
REDIS_UP: Final = Gauge("rowlock_redis_up", "1 while Redis answers, 0 while it is away or absent.")
CACHE_READS: Final = Counter("rowlock_cache_reads_total", "Reads of the cache.", ["kind", "found"])


class SweepFigure(NamedTuple):
    """One sweep, as all schedulers together have run it."""

    sweep: str
    runs: int
    moved: int
    seconds_since: float


class SweepFigures(Collector):
    """Counted by the schedulers, which other processes are; shown as they were last read."""

    latest: Iterable[SweepFigure] = ()

    def collect(self) -> Iterable[Metric]:
        runs = CounterMetricFamily(
            "rowlock_sweep_runs", "Sweeps run, by all schedulers together.", labels=["sweep"]
        )
        moved = CounterMetricFamily(
            "rowlock_swept_tasks", "Tasks moved by sweeps.", labels=["sweep"]
        )
        age = GaugeMetricFamily(
            "rowlock_sweep_age_seconds",
            "Since a scheduler last told of this sweep; beyond a minute none runs.",
            labels=["sweep"],
        )
        for figure in self.latest:
            runs.add_metric([figure.sweep], figure.runs)
            moved.add_metric([figure.sweep], figure.moved)
            age.add_metric([figure.sweep], figure.seconds_since)
        return (runs, moved, age)


SWEEP_FIGURES: Final = SweepFigures()
REGISTRY.register(SWEEP_FIGURES)
