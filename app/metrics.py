"""What `/metrics` tells Prometheus."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

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
SWEEPS: Final = Counter("rowlock_sweep_runs_total", "Sweeps run by this process.", ["sweep"])
SWEPT: Final = Counter("rowlock_swept_tasks_total", "Tasks moved by sweeps.", ["sweep"])
SWEEP_SECONDS: Final = Histogram("rowlock_sweep_seconds", "How long a sweep took.", ["sweep"])
WAITING: Final = Gauge("rowlock_waiting_tasks", "Tasks in to_do or retrying.", ["queue"])
RUNNING: Final = Gauge("rowlock_running_tasks", "Tasks in progress.", ["queue"])
OLDEST_WAITING_SECONDS: Final = Gauge(
    "rowlock_oldest_waiting_seconds", "Age of the oldest claimable task.", ["queue"]
)
WAITING_CALLERS: Final = Gauge("rowlock_waiting_callers", "Long polls that wait now.")
REDIS_UP: Final = Gauge("rowlock_redis_up", "1 while Redis answers, 0 while it is away or absent.")
CACHE_READS: Final = Counter("rowlock_cache_reads_total", "Reads of the cache.", ["kind", "found"])
