"""History is kept for as long as it can be asked for, and no longer."""

import json
from datetime import timedelta

import httpx
from sqlalchemy import Engine, text

from app.queue.figures import history
from app.service import sweeping
from app.service.resources import Resources
from tests.support.calls import submit
from tests.support.elapse import mysql_now

LEFT = text(
    "SELECT seconds, TIMESTAMPDIFF(MINUTE, at, UTC_TIMESTAMP(6)) DIV 60 FROM history "
    "WHERE queue = '' ORDER BY 1, 2"
)
MANY = sweeping.UNUSED_BATCH + 10


async def test_what_cannot_be_asked_for_is_deleted_and_nothing_else(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    with engine.begin() as connection:
        for seconds, hours in ((60, (1, 2, 400)), (3600, (1, 2, 335, 337, 400))):
            for ago in hours:
                connection.execute(
                    text(
                        "INSERT INTO history (queue, seconds, at, figures) VALUES "
                        "('', :seconds, UTC_TIMESTAMP(6) - INTERVAL :ago HOUR, '{}')"
                    ),
                    {"seconds": seconds, "ago": ago},
                )
        # More than one batch.
        connection.execute(
            text(
                "INSERT INTO history (queue, seconds, at, figures) VALUES "
                + ", ".join(["('q', 60, '2020-01-01', '{}')"] * MANY)
            )
        )
    await submit(api)
    await sweeping.fold_counters(resources)
    await sweeping.delete_unused(resources)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(LEFT)]
        assert connection.scalar(text("SELECT COUNT(*) FROM history WHERE queue = 'q'")) == 0
    assert found == [(60, 0), (60, 1), (3600, 0), (3600, 1), (3600, 2), (3600, 335), (3600, 337)]


async def test_minutes_that_come_late_are_still_hours(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    """No scheduler ran for three hours."""
    await submit(api)
    then = mysql_now(engine) - timedelta(hours=3)
    late = {f"default/{then.isoformat(timespec='minutes')}": {"submitted": 1}}
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE counter_deltas SET history = :late"), {"late": json.dumps(late)}
        )
    for _ in range(2):
        answer = await api.get("/stats/history", params={"minutes": 240})
        assert sum(bucket["submitted"] for bucket in answer.json()["buckets"]) == 1
        answer = await api.get("/stats/history", params={"minutes": 60})
        assert sum(bucket["submitted"] for bucket in answer.json()["buckets"]) == 0
        await sweeping.fold_counters(resources)
        await sweeping.delete_unused(resources)
    with engine.connect() as connection:
        sizes = connection.execute(text("SELECT seconds FROM history WHERE queue = ''")).scalars()
        assert list(sizes) == [history.HOUR.total_seconds()]


async def test_a_former_versions_deltas_have_no_history(
    api: httpx.AsyncClient, resources: Resources, engine: Engine
) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO counter_deltas (deltas) VALUES ('{\"queue/default/to_do/中\": 1}')")
        )
    for _ in range(2):
        answer = await api.get("/stats/history")
        assert answer.status_code == 200
        await sweeping.fold_counters(resources)
