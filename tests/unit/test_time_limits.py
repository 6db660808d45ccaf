"""Limits on how long MySQL works at a read."""

import pytest

from app.mysql.time_limits import timed


@pytest.mark.parametrize("seconds", [0, 1e-9, 0.0004])
def test_no_time_left_is_not_any_time(seconds: float) -> None:
    """To either server 0 means without a limit."""
    mysql = timed("SELECT 1", seconds, is_mariadb=False)
    mariadb = timed("SELECT 1", seconds, is_mariadb=True)
    assert mysql == "SELECT /*+ MAX_EXECUTION_TIME(1) */ 1"
    assert mariadb == "SET STATEMENT max_statement_time = 0.001 FOR SELECT 1"
