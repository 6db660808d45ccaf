"""Settings of a queue as the table keeps them."""

import pytest

from app.domain.ageing import Ageing
from app.domain.queue_settings import DEFAULTS, QueueSettings, settings_of, settings_text
from app.domain.slots import Limits
from app.domain.states import Priority

AGEING = QueueSettings(Ageing.of({Priority.MEDIUM: 600, Priority.LOW: 3600}))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (DEFAULTS, "{}"),
        (AGEING, '{"ageing_seconds":{"中":600,"低":3600}}'),
        (
            QueueSettings(limits=Limits(10, 2, has_overrides=True)),
            '{"running":10,"running_per_group":2,"has_overrides":true}',
        ),
    ],
)
def test_what_is_written_is_what_is_read(settings: QueueSettings, text: str) -> None:
    assert settings_text(settings) == text
    assert settings_of(text) == settings


def test_what_only_a_later_version_knows_is_left_to_that_one() -> None:
    assert settings_of('{"events":true}') == DEFAULTS
    assert settings_of('{"events":true,"ageing_seconds":{"中":600,"低":3600}}') == AGEING
    assert settings_of('{"ageing_seconds":null}') == DEFAULTS


@pytest.mark.parametrize(
    "text",
    [
        *("", "no json", "[]", "1", "null", '{"ageing_seconds":600}'),
        *('{"ageing_seconds":{"中":"600"}}', '{"ageing_seconds":{"中":0}}'),
        *('{"ageing_seconds":{"低":600}}', '{"ageing_seconds":{"中":1e99}}'),
        '{"ageing_seconds":{"中":99999999999999999999}}',
    ],
)
def test_what_none_has_written_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (the JSON reader has its own)
        settings_of(text)
