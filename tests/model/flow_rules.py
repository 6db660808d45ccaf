"""Tasks that depend on others."""

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, rule

from app.api.fields import MAX_ID
from tests.model import values
from tests.model.client_rules import ClientRules
from tests.support.calls import Document

POLICIES = st.sampled_from([{}, {}, {"on_parent_failure": "cancel"}, {"on_parent_failure": "run"}])


class FlowRules(ClientRules):
    """Children of tasks that are there, and of one another."""

    @rule(
        target=ClientRules.tasks,
        process=values.processes,
        body=values.plain_bodies,
        policy=POLICIES,
        picks=st.lists(values.picks, min_size=1, max_size=3),
        is_open=st.sampled_from([True, True, False]),
    )
    def submit_child(
        self, process: int, body: Document, policy: Document, picks: list[int], is_open: bool
    ) -> MultipleResults[int]:
        """Of tasks that have not ended, or of any."""
        parents = self._parents(picks, is_open=is_open) or [MAX_ID]
        child = {**body, **policy, "depends_on": parents}
        return self._submit(process, [child], key=None, is_batch=False)

    @rule(
        target=ClientRules.tasks,
        process=values.processes,
        bodies=st.lists(values.plain_bodies, min_size=2, max_size=4),
        policies=st.lists(POLICIES, min_size=4, max_size=4),
        picks=st.lists(values.picks, max_size=1),
        is_chain=st.booleans(),
    )
    def submit_flow(
        self,
        process: int,
        bodies: list[Document],
        policies: list[Document],
        picks: list[int],
        is_chain: bool,
    ) -> MultipleResults[int]:
        """A chain, or all after the first."""
        parents = self._parents(picks, is_open=True)
        tasks: list[Document] = []
        for place, body in enumerate(bodies):
            tasks.append({**body, "ref": f"{place}"})
            if place:
                tasks[-1] |= policies[place]
                tasks[-1]["depends_on"] = [f"{place - 1 if is_chain else 0}", *parents]
        return self._submit(process, tasks, key=None, is_batch=True)

    def _parents(self, picks: list[int], *, is_open: bool) -> list[int]:
        """The newest first."""
        tasks = [t for t in self.board.matching({}) if not is_open or not t.has_ended][::-1]
        return [*dict.fromkeys(tasks[pick % len(tasks)].id for pick in picks if tasks)]
