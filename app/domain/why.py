"""Which reasons apply to a task, the most decisive first. Of a task that waits there is always
one. Pure."""

from collections.abc import Iterator

from app.domain import reasons
from app.domain.reasons import Reason
from app.domain.standing import UNKNOWN, Standing
from app.domain.states import ENDED, Status


def why(standing: Standing) -> list[Reason]:
    """All that apply."""
    status = standing.task.status
    if status in ENDED:
        return [reasons.ended(standing)]
    if status == Status.PAUSED:
        return [reasons.paused(standing)]
    if status == Status.IN_PROGRESS:
        return [*_of_running(standing)]
    return [*_of_waiting(standing)] or [reasons.due(standing)]


def _of_running(standing: Standing) -> Iterator[Reason]:
    yield reasons.held(standing)
    if standing.ends_at <= standing.now and not standing.is_swept:
        yield reasons.no_scheduler(standing)
    if standing.is_row_locked is True:
        yield reasons.row_locked(standing)
    if standing.is_row_locked == UNKNOWN:
        yield reasons.unknown("row_locked")
    if standing.task.lease_seconds is not None and standing.lease_seconds_left == UNKNOWN:
        yield reasons.unknown("last_heartbeat")


def _of_waiting(standing: Standing) -> Iterator[Reason]:
    is_ranked = standing.task.claim_rank is not None
    needs_sweep = not is_ranked
    if standing.is_waiting_for_tasks:
        needs_sweep = standing.waits != UNKNOWN and not standing.waits.unmet
        if standing.waits != UNKNOWN:
            yield reasons.waits_for_tasks(standing.waits)
    elif standing.is_waiting_for_slot:
        needs_sweep = standing.line != UNKNOWN and standing.line.needs_sweep
        if standing.line != UNKNOWN:
            yield reasons.waits_for_slot(standing, standing.line)
    elif not is_ranked:
        yield reasons.not_yet(standing)
    if needs_sweep and not standing.is_swept:
        yield reasons.no_scheduler(standing)
    if standing.queue_paused_at is not None:
        yield reasons.queue_paused(standing)
    if standing.is_row_locked is True:
        yield reasons.row_locked(standing)
    if standing.has_no_worker:
        yield reasons.no_worker(standing)
    if is_ranked and standing.ahead not in (0, UNKNOWN):
        yield reasons.behind(standing)
    yield from map(reasons.unknown, _unknown(standing, is_ranked=is_ranked))


def _unknown(standing: Standing, *, is_ranked: bool) -> Iterator[str]:
    if standing.is_waiting_for_tasks and standing.waits == UNKNOWN:
        yield "waits_for_tasks"
    if standing.is_waiting_for_slot and standing.line == UNKNOWN:
        yield "waits_for_slot"
    if standing.is_row_locked == UNKNOWN:
        yield "row_locked"
    if standing.polled_at == UNKNOWN:
        yield "no_worker"
    if is_ranked and standing.ahead == UNKNOWN:
        yield "behind"
    elif is_ranked and standing.ahead and standing.pace == UNKNOWN:
        yield "throughput"
