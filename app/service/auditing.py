"""The sweeps that audit structures beside `tasks`, each to its end: how much they set right, which
`rowlock_repairs_total` tells."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

import structlog

from app.domain.states import WAITING
from app.queue.sweeps import audit, audit_dependencies, audit_slots
from app.runtime.metrics import AUDIT
from app.service.resources import Resources

AUDIT_SECONDS: Final = 3600.0
AUDIT_BATCH: Final = 1000
# Of those each of which may depend on thousands.
AUDIT_WAITS: Final = 100
# Those of a queue that are set right in one transaction.
AUDIT_GROUPS: Final = 50

log = structlog.get_logger(__name__)


async def _walk(
    resources: Resources,
    what: str,
    look: Callable[..., Awaitable[audit.Audited[Any]]],
    first: object,
    limit: int,
) -> int:
    after, repaired = first, 0
    while after is not None and resources.work.is_open:
        found = await resources.database.transact(partial(look, after=after, limit=limit))
        if found.repaired:
            log.warning("repaired", what=what, count=found.repaired)
        after = found.after
        repaired += found.repaired
    return repaired


async def unique_keys(resources: Resources) -> int:
    """Delete those that no task holds."""
    return await _walk(resources, "unique_keys", audit.unique_keys, "", AUDIT_BATCH)


async def dependencies(resources: Resources) -> int:
    """Count anew for how many each task waits, and forget what is of no task."""
    walk = partial(_walk, resources, "dependencies")
    for status in sorted(WAITING):
        lost = partial(audit_dependencies.lost_waits, status=status)
        await walk(lost, 0, AUDIT_BATCH)
    counted = await walk(audit_dependencies.waits, 0, AUDIT_WAITS)
    return counted + await walk(audit_dependencies.edges, (0, 0), AUDIT_BATCH)


async def slots(resources: Resources) -> int:
    """Put those in line that wait for a slot, and no others, and count who has one."""
    walk = partial(_walk, resources, "slots")
    repaired = await walk(audit_slots.lines, 0, AUDIT_BATCH)
    for status in sorted(WAITING):
        repaired += await walk(partial(audit_slots.unseen, status=status), 0, AUDIT_BATCH)
    return repaired + await walk(audit_slots.figures, "", AUDIT_GROUPS)


AUDITS: Final[Mapping[str, Callable[[Resources], Awaitable[int]]]] = {
    f"{AUDIT}{audits.__name__}": audits for audits in (unique_keys, dependencies, slots)
}
