"""The sweeps that audit structures beside `tasks`, each to its end: how much they set right, which
`rowlock_repairs_total` tells."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

import structlog

from app.queue.sweeps import audit
from app.runtime.metrics import AUDIT
from app.service.resources import Resources

AUDIT_SECONDS: Final = 3600.0
AUDIT_BATCH: Final = 1000

log = structlog.get_logger(__name__)


async def _audit(
    resources: Resources, *, what: str, look: Callable[..., Awaitable[audit.Audited]]
) -> int:
    after: str | None = ""
    repaired = 0
    while after is not None and resources.work.is_open:
        found = await resources.database.transact(partial(look, after=after, limit=AUDIT_BATCH))
        if found.repaired:
            log.warning("repaired", what=what, count=found.repaired)
        after = found.after
        repaired += found.repaired
    return repaired


AUDITS: Final[Mapping[str, Callable[[Resources], Awaitable[int]]]] = {
    f"{AUDIT}{look.__name__}": partial(_audit, what=look.__name__, look=look)
    for look in (audit.unique_keys,)
}
