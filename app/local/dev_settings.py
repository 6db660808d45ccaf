"""What `rowlock dev` reads from the environment, beside the settings of the server itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.local.errors import LocalError
from app.settings import DOORS

_HIGHEST_PORT = 65535
_LEAST_POOL_MIB = 16
_TOKENS = (*(f"{door.upper()}_TOKENS" for door in DOORS), "TOKENS_FILE")


@dataclass(frozen=True)
class DevSettings:
    """`database_url` and `redis_url` are None where the server shall be ours.

    An empty ROWLOCK_REDIS_URL is a choice too: to do without Redis.
    """

    home: Path
    host: str
    port: int
    buffer_pool_mib: int
    database_url: str | None
    redis_url: str | None
    has_tokens: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "DevSettings":
        if environment.get("ROWLOCK_TLS_CERTIFICATE_FILE"):
            raise LocalError(
                "`rowlock dev` serves plain HTTP, for this machine only. Unset "
                "ROWLOCK_TLS_CERTIFICATE_FILE, or run `rowlock serve --with-scheduler`."
            )
        return cls(
            home=_home(environment),
            host=environment.get("ROWLOCK_HOST") or "127.0.0.1",
            port=_number(environment, "ROWLOCK_PORT", 8000, 1, _HIGHEST_PORT),
            buffer_pool_mib=_number(
                environment, "ROWLOCK_MYSQL_BUFFER_POOL_MIB", 256, _LEAST_POOL_MIB, 1 << 20
            ),
            database_url=environment.get("ROWLOCK_DATABASE_URL") or None,
            redis_url=environment.get("ROWLOCK_REDIS_URL"),
            # One door's token closes them all.
            has_tokens=any(environment.get(f"ROWLOCK_{name}") for name in _TOKENS),
        )

    @property
    def reachable_host(self) -> str:
        """The address at which this machine reaches its own API."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104

    @property
    def url(self) -> str:
        host = self.reachable_host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def _home(environment: Mapping[str, str]) -> Path:
    if named := environment.get("ROWLOCK_HOME"):
        return Path(named).expanduser().absolute()
    if data := environment.get("XDG_DATA_HOME"):
        return Path(data).absolute() / "rowlock"
    try:
        return Path.home() / ".local/share/rowlock"
    except RuntimeError as error:
        raise LocalError("This user has no home directory. Set ROWLOCK_HOME.") from error


def _number(
    environment: Mapping[str, str], name: str, default: int, least: int, greatest: int
) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= greatest:
        raise LocalError(f"{name} must be a number from {least} to {greatest}, not {text!r}.")
    return int(text)
