import pytest

from app.mysql import connection


@pytest.fixture(autouse=True)
def settings_are_in_force_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time, and with it the version of the settings, is asked for each time."""
    monkeypatch.setattr(connection, "CLOCK_CARRIED_SECONDS", -1.0)
