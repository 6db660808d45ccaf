"""What may be set for a queue, and how it is written. Pure."""

from typing import Any, Final, NamedTuple

import orjson

from app.domain.ageing import AGEING, MOST_SECONDS, Ageing
from app.domain.slots import NO_LIMITS, Limits, limits_of


class QueueSettings(NamedTuple):
    """What a queue has been given; one that was given nothing has the defaults."""

    ageing: Ageing | None = None
    limits: Limits = NO_LIMITS

    def document(self) -> dict[str, Any]:
        """By the contract's names. Priorities by value: orjson takes no subclass of str as a
        key."""
        seconds = {} if self.ageing is None else self.ageing.seconds
        rate, rate_per_group = self.limits.rate, self.limits.rate_per_group
        return {
            "ageing_seconds": {p.value: n for p, n in seconds.items()} or None,
            "running": self.limits.running,
            "running_per_group": self.limits.running_per_group,
            "fair": self.limits.fair,
            "rate": rate and rate.document(),
            "rate_per_group": rate_per_group and rate_per_group.document(),
        }


DEFAULTS: Final = QueueSettings()


def settings_text(settings: QueueSettings) -> str:
    """As the table keeps it: a JSON object of what is not the default."""
    document = settings.document()
    if settings.limits.has_overrides:
        document["has_overrides"] = True
    return orjson.dumps({n: v for n, v in document.items() if v not in (None, False)}).decode()


def settings_of(text: str) -> QueueSettings:
    """What such a text says; names that only a later version knows are left to that one. Raises
    ValueError for what none has written."""
    found = orjson.loads(text)
    if not isinstance(found, dict):
        raise ValueError("is no object")  # noqa: TRY004  (whoever wrote it is not there)
    return QueueSettings(_ageing_of(found.get("ageing_seconds")), limits_of(found))


def _ageing_of(seconds: object) -> Ageing | None:
    if seconds is None:
        return None
    if not isinstance(seconds, dict) or not all(map(_is_age, seconds.values())):
        raise ValueError("ageing_seconds are no seconds by priority")
    return Ageing.of({p: seconds[p] for p in AGEING if p in seconds})


def _is_age(value: object) -> bool:
    return isinstance(value, int) and 0 < value <= MOST_SECONDS
