"""What is said of a Redis that cannot be used."""

import re
from pathlib import Path
from typing import Any

import pytest
from redis._parsers.base import BaseParser

from app.redis.fitness import TRIAL, Server, UnfitRedisError, require_fit, trouble_of

APP = Path(__file__).parent.parent.parent / "app"
VALKEY = Server("valkey", "9.1.2", "standalone", "master")


def test_every_command_is_tried_at_the_start() -> None:
    called: set[str] = set()
    for file in APP.rglob("*.py"):
        called.update(re.findall(r"redis\.call\('([A-Z]+)'", file.read_text()))
        called.update(re.findall(r"Command\(\"([A-Z]+)\"", file.read_text()))
    tried = re.findall(r"try\('([A-Z]+)'", str(TRIAL))

    assert {*tried, "SCRIPT"} == called
    assert len(tried) == len(set(tried))


@pytest.mark.parametrize("version", ["7.0.0", "7.2.4", "8.0.1", "9.1.2", "10.0.0"])
def test_a_version_that_is_new_enough_will_do(version: str) -> None:
    require_fit(VALKEY._replace(version=version))


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (VALKEY._replace(version="6.2.14"), "it is version 6.2.14; 7.0 or later is needed"),
        (VALKEY._replace(mode="cluster"), "Redis Cluster is not supported"),
        (VALKEY._replace(mode="sentinel"), "Redis Sentinel is not supported"),
        (VALKEY._replace(role="replica"), "it is a replica"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(server: Server, said: str) -> None:
    with pytest.raises(UnfitRedisError, match=re.escape(said)):
        require_fit(server)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("MOVED 3999 10.0.0.1:6379", "Redis Cluster is not supported"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "Redis Cluster is not supported"),
        ("CLUSTERDOWN Hash slot not served", "Redis Cluster is not supported"),
        ("ERR SELECT is not allowed in cluster mode", "Redis Cluster is not supported"),
        ("READONLY You can't write against a read only replica.", "it does not accept writes"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "it is full (maxmemory)"),
        ("MISCONF Redis is configured to save RDB snapshots, but", "it cannot save to disk"),
        ("NOREPLICAS Not enough good replicas to write.", "too few replicas"),
        ("DENIED Redis is running in protected mode because", "it is in protected mode"),
        ("NOAUTH Authentication required.", "it rejects the user or the password"),
        ("WRONGPASS invalid username-password pair", "it rejects the user or the password"),
        ("NOPERM this user has no permissions to run the 'eval' command", "may not run EVAL"),
        ("NOPERM User u has no permissions to run the 'script|load' command", "run SCRIPT LOAD"),
        ("NOPERM No permissions to access a key", "may not use keys that begin with rowlock:ab:"),
        ("ERR unknown command 'EVAL', with args beginning with:", "not know the command EVAL"),
        ("ODD nobody has heard of this", "it rejects a command (ODD)"),
    ],
)
def test_a_refusal_is_told_in_words(answer: str, said: str) -> None:
    parse_error: Any = BaseParser.parse_error
    trouble = trouble_of(parse_error(answer), prefix="rowlock:ab:")
    assert trouble is not None
    assert said in trouble


@pytest.mark.parametrize("error", [ConnectionError("secret"), TimeoutError(), ValueError("secret")])
def test_what_does_not_answer_has_no_reason_that_is_for_anybody(error: Exception) -> None:
    assert trouble_of(error, prefix="") is None
