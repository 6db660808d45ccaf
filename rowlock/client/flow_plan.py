"""In which order and in which batches a flow's tasks are stored."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rowlock.client.fields import encode_fields
from rowlock.client.upload import BATCH_LIMIT, BATCH_LIMIT_BYTES
from rowlock.models import Task

PARENTS_LIMIT: Final = 1000
BLOCKS_LIMIT: Final = 16
EDGES_LIMIT: Final = 10_000


class Member:
    """A task of a flow. Its `task` and `id` are known once the flow's block has ended."""

    def __init__(self, title: str, name: str | None, fields: dict[str, Any]) -> None:
        self.title = title
        self.name = name
        self._fields = fields
        self._task: Task | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name or self.title!r}>"

    @property
    def task(self) -> Task:
        """As it was stored. Raises `RuntimeError` before that."""
        if self._task is None:
            raise RuntimeError(f"{self!r} is not stored before the end of its flow's block")
        return self._task

    @property
    def id(self) -> int:
        """The task's id. Raises `RuntimeError` before it is stored."""
        return self.task.id

    @property
    def parents(self) -> "tuple[int | Member, ...]":
        """What it depends on."""
        parents: tuple[int | Member, ...] = self._fields.get("depends_on", ())
        return parents


class Placed(NamedTuple):
    """A task in its place: what it names, and for whom of the flow it is added later."""

    member: Member
    parents: "Sequence[int | Member]"
    blocks: Sequence[Member] = ()


class Batch(NamedTuple):
    """Tasks that are stored together, with their bodies."""

    members: list[Member]
    bodies: list[bytes]


def in_order(members: Sequence[Member]) -> list[Placed]:
    """Each after what it depends on; but of a task that depends on too many, those after it that
    may be added to it. Raises `ValueError`."""
    children: defaultdict[Member, list[Member]] = defaultdict(list)
    for member in members:
        for parent in member.parents:
            if isinstance(parent, Member):
                children[parent].append(member)
    late: dict[Member, list[Member]] = {}
    for member in members:
        if len(member.parents) > PARENTS_LIMIT:
            may_be_late = [
                p for p in member.parents if isinstance(p, Member) and _may_be_late(p, children)
            ]
            bound = len(member.parents) - len(may_be_late)
            if bound > PARENTS_LIMIT:
                raise ValueError(
                    f"{member!r} depends on {len(member.parents):,} tasks, of which {bound:,} "
                    "depend on others, have others that depend on them, or are not of the flow: "
                    f"at most {PARENTS_LIMIT:,} of these"
                )
            late[member] = may_be_late[PARENTS_LIMIT - bound :]
    put_off = {member for each in late.values() for member in each}
    placed: list[Placed] = []
    for member in members:
        if member in put_off:
            continue
        parents = [p for p in member.parents if not (isinstance(p, Member) and p in put_off)]
        placed.append(Placed(member, parents))
        placed += [Placed(each, (), (member,)) for each in late.get(member, ())]
    return placed


def _may_be_late(parent: Member, children: Mapping[Member, Sequence[Member]]) -> bool:
    return (
        not parent.parents
        and len(children[parent]) == 1
        and len(parent._fields.get("blocks", ())) < BLOCKS_LIMIT
    )


def batches(placed: Sequence[Placed], names: Collection[str]) -> Iterator[Batch]:
    """One after the other: where the next one is asked for, the last one is stored."""
    refs = _refs(placed, names)
    batch, edges, size = Batch([], []), 0, 0
    for each in placed:
        more = len(each.parents) + len(each.member._fields.get("blocks", ())) + len(each.blocks)
        body = _body(each, refs)
        if batch.members and (
            body is None
            or len(batch.members) == BATCH_LIMIT
            or edges + more > EDGES_LIMIT
            or size + len(body) > BATCH_LIMIT_BYTES
        ):
            yield batch
            batch, edges, size = Batch([], []), 0, 0
            body = _body(each, refs)
        assert body is not None
        batch.members.append(each.member)
        batch.bodies.append(body)
        edges, size = edges + more, size + len(body)
    if batch.members:
        yield batch


def _refs(placed: Sequence[Placed], names: Collection[str]) -> Mapping[Member, str]:
    """Of all that have names, or that others depend on."""
    needed = {parent for each in placed for parent in each.parents if isinstance(parent, Member)}
    found: dict[Member, str] = {}
    for number, (member, *_) in enumerate(placed, 1):
        if member.name is not None:
            found[member] = member.name
        elif member in needed:
            ref = str(number)
            while ref in names:
                ref = f"_{ref}"
            found[member] = ref
    return found


def _body(placed: Placed, refs: Mapping[Member, str]) -> bytes | None:
    """None: it is added to one that is not stored yet."""
    if any(each._task is None for each in placed.blocks):
        return None
    member = placed.member
    fields: dict[str, Any] = {"title": member.title, **member._fields}
    # Those of the same batch have no ids yet.
    fields["depends_on"] = [
        refs[parent] if isinstance(parent, Member) and parent._task is None else parent
        for parent in placed.parents
    ]
    fields["blocks"] = [*fields.get("blocks", ()), *placed.blocks]
    if member in refs:
        fields["ref"] = refs[member]
    return encode_fields({name: value for name, value in fields.items() if value != []})
