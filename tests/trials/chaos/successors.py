"""What workers have stored with the ends of their attempts."""

from collections import defaultdict

from tests.trials.chaos.checks import Check, Evidence
from tests.trials.chaos.workers import AFTER


def checked(evidence: Evidence) -> Check:
    """Each attempt that has ended so has stored its task, once; and no other has."""
    stored: dict[str, list[int]] = defaultdict(list)
    for task in evidence.tasks.values():
        if task.title.startswith(AFTER):
            stored[task.title.removeprefix(AFTER)].append(task.id)
    told: dict[str, list[int]] = {}
    broken: list[str] = []
    for note in evidence.notes:
        lease, ids = note["lease"], note.get("submitted")
        if ids is not None and told.setdefault(lease, ids) != ids:
            broken.append(f"lease {lease} was told {told[lease]}, and {ids}")
    for lease, ids in told.items():
        if ids != stored[lease]:
            broken.append(f"lease {lease} was told {ids}, and there is {stored[lease]}")
    for lease, ids in stored.items():
        task_id, _, token = lease.partition(".")
        parent = evidence.tasks.get(int(task_id))
        if parent is None or not ids:  # its client has deleted it
            continue
        ends = [row.outcome for row in evidence.attempts[parent.id] if row.lease_token == token]
        if len(ids) != 1 or (parent.finish_token != token and ends != ["failed"]):
            broken.append(f"lease {lease}: {ids}, and its attempt has ended as {ends}")
    return Check("what an attempt submitted is there once, if it ended", len(stored), broken)
