"""What a Redis has to be and its user has to be allowed, and what is wrong where it is not so."""

import re
from typing import Any, Final, NamedTuple

from redis import exceptions

from app.redis.calls import Command, Script
from app.redis.session import Session

# From here on scripts may say that they write, and are neither saved nor replicated.
LEAST_VERSION: Final = (7, 0)

# Each is tried, on keys of its own; those that are refused are the answer.
_COMMANDS: Final = """#!lua
local refused = {}
local function try(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = command end
end
try('TIME')
try('HSETNX', KEYS[1], 'epoch', '')
try('HINCRBY', KEYS[1], 'lists', 1)
try('HMGET', KEYS[1], 'epoch', 'lists')
try('ZADD', KEYS[2], 1, 'lease')
try('ZSCORE', KEYS[2], 'lease')
try('ZRANGEBYSCORE', KEYS[2], '-inf', 0)
try('ZREMRANGEBYSCORE', KEYS[2], '-inf', 0)
try('ZREM', KEYS[2], 'lease')
try('SET', KEYS[3], '', 'PX', 1)
try('MGET', KEYS[3])
try('STRLEN', KEYS[3])
try('DEL', KEYS[1], KEYS[2], KEYS[3])
return refused
"""
# All that will be asked of it, to be looked at by `require_allowed`.
TRIAL: Final = (
    Command("SCRIPT", arguments=("LOAD", "return 1")),
    Command("SCRIPT", arguments=("EXISTS", "0" * 40)),
    Script(_COMMANDS, ("trial:hash", "trial:set", "trial:text")),
)

_REFUSED_COMMAND: Final = re.compile(r"to run the '([^']+)' command")
_UNKNOWN_COMMAND: Final = re.compile(r"unknown command '([^']+)'")
_CLUSTER: Final = "Redis Cluster is not supported; use a Redis or Valkey without cluster mode"
_SENTINEL: Final = "Redis Sentinel is not supported; use the URL of the Redis or Valkey itself"
# By the first word of what Redis answers.
_TROUBLES: Final = {
    "READONLY": "it does not accept writes, like a replica",
    "OOM": "it is full (maxmemory)",
    "MISCONF": "it does not accept writes because it cannot save to disk (MISCONF)",
    "NOREPLICAS": "it does not accept writes because too few replicas are connected (NOREPLICAS)",
    "DENIED": "it is in protected mode",
    "MOVED": _CLUSTER,
    "ASK": _CLUSTER,
    "CROSSSLOT": _CLUSTER,
    "CLUSTERDOWN": _CLUSTER,
}


class UnfitRedisError(Exception):
    """A Redis that cannot be used as it is; the message says why, and has no secret in it."""


class Server(NamedTuple):
    """What a server says of itself when it is greeted."""

    server: str
    version: str
    mode: str
    role: str


async def connect(url: str, prefix: str) -> tuple[Session, Server]:
    """Connect to a Redis that can be used. Raises `UnfitRedisError` or `RedisError`."""
    session = await Session.open(url)
    try:
        (hello,) = await session.send([("HELLO",)])
        server = Server(*(hello.get(field.encode(), b"").decode() for field in Server._fields))
        require_fit(server)
        require_allowed(await session.send([call.words(prefix) for call in TRIAL]))
    except BaseException:
        session.end()
        raise
    return session, server


def require_allowed(answers: list[Any]) -> None:
    """Raises `UnfitRedisError` naming what `TRIAL` found refused."""
    if refused := answers[-1]:
        raise UnfitRedisError(_may_not_run(b", ".join(refused).decode()))


def require_fit(server: Server) -> None:
    """Raises `UnfitRedisError` for one that cannot be used, whoever the user is."""
    if server.mode == "cluster":
        raise UnfitRedisError(_CLUSTER)
    if server.mode == "sentinel":
        raise UnfitRedisError(_SENTINEL)
    numbers = tuple(int(n) for n in re.findall(r"\d+", server.version)[:2])
    if numbers < LEAST_VERSION:
        needed = ".".join(map(str, LEAST_VERSION))
        raise UnfitRedisError(f"it is version {server.version}; {needed} or later is needed")
    if server.role != "master":
        raise UnfitRedisError("it is a replica; name the server that accepts writes")


def trouble_of(error: BaseException, *, prefix: str) -> str | None:
    """What is wrong with a Redis that refuses, for anybody to read; None where it does not refuse
    but cannot be reached or does not answer."""
    said = str(error)
    match error:
        case UnfitRedisError():
            return said
        case exceptions.AuthenticationError():
            return "it rejects the user or the password"
        case exceptions.ResponseError():
            return _refusal(said, error.status_code or said.partition(" ")[0], prefix)
    return None


def _refusal(said: str, code: str, prefix: str) -> str:
    if code == "NOPERM":
        command = _REFUSED_COMMAND.search(said)
        if command is None:
            return f"its user may not use keys that begin with {prefix}"
        return _may_not_run(command[1].replace("|", " ").upper())
    if "cluster mode" in said:  # of a SELECT
        return _CLUSTER
    if unknown := _UNKNOWN_COMMAND.match(said):
        return f"it does not know the command {unknown[1].upper()}"
    return _TROUBLES.get(code, f"it rejects a command ({code})")


def _may_not_run(commands: str) -> str:
    return f"its user may not run {commands}"
