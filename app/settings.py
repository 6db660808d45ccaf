"""The settings, read once from the environment (`ROWLOCK_*`), frozen, with units in their names."""

import os
import re
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.runtime.certificate import Certificate

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

# What both drivers understand.
TLS_OPTIONS = frozenset({"ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "ssl_check_hostname"})

# How long Redis is waited for, and what it answers in, is not the URL's to say.
REDIS_OPTIONS = frozenset({"db", "username", "password"})
REDIS_TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
REDIS_TLS_OPTIONS = REDIS_TLS_FILES | {"ssl_check_hostname", "ssl_cert_reqs"}

ONE_SERVER: Final = "must name the one server that accepts writes: redis://host:6379/0"

DOORS = ("client", "worker", "admin", "viewer")
_FILES = TLS_OPTIONS - {"ssl_check_hostname"}

# Comma-separated in the environment.
Words = Annotated[tuple[str, ...], NoDecode]

# Before the hosts, the hosts, and what follows. A password may have a comma; a host has none.
_URL: Final = re.compile(r"([^:/]+://(?:[^:/@]*(?::[^@]*)?@)?)([^/?]*)(.*)", re.DOTALL)


class Host(NamedTuple):
    """Where a MySQL listens."""

    name: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}:{self.port}"


def read_tokens(file: Path) -> dict[str, tuple[str, ...]]:
    """The tokens in a file, by door. Raises `OSError`, or `ValueError` naming the line."""
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] not in DOORS:  # noqa: PLR2004  (a door and its token)
            raise ValueError(
                f"line {number} must be a door ({', '.join(DOORS)}), a space and a token"
            )
        found[words[0]] = (*found.get(words[0], ()), words[1])
    if not found:
        raise ValueError("contains no token")
    return found


class Settings(BaseSettings):
    """Every setting of the server; `docs/settings.md` lists them, and a test holds it to this."""

    model_config = SettingsConfigDict(
        env_prefix="ROWLOCK_", frozen=True, extra="ignore", hide_input_in_errors=True
    )

    # What has a secret in it is no part of the repr.
    database_url: str = Field(
        repr=False,
        description="The URL of MySQL: `mysql://user:password@host:3306/database`. TLS options "
        "(`ssl_ca`, `ssl_cert`, `ssl_key`) go in its query. Of several hosts, "
        "`host:3306,other:3306`, the one that accepts writes is used.",
    )
    redis_url: str | None = Field(
        default=None,
        repr=False,
        description="The URL of Redis or Valkey: `redis://host:6379/0`. Without it everything "
        "works, but nothing is cached, and a lost worker is detected only at its task's timeout.",
    )
    host: str = Field(default="127.0.0.1", description="The address the API listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="The port the API listens on.")
    ui: Literal["on", "off"] = Field(
        default="on", description="Whether the API serves the page for operators at `/ui/`."
    )

    tls_certificate_file: Path | None = Field(
        default=None,
        description="A PEM file with the certificate and any intermediate certificates; with it "
        "the API serves HTTPS. Read again when it changes, without a restart.",
    )
    tls_key_file: Path | None = Field(
        default=None,
        validate_default=True,
        description="The certificate's private key, if it is not in the same file.",
    )
    trusted_proxies: Words = Field(
        default=(),
        description="Addresses or networks of proxies, comma-separated, whose `X-Forwarded-For` "
        "header is trusted. From others it is ignored.",
    )

    client_tokens: Words = Field(
        default=(), repr=False, description="Tokens for the client door, comma-separated."
    )
    worker_tokens: Words = Field(
        default=(), repr=False, description="Tokens for the worker door, comma-separated."
    )
    admin_tokens: Words = Field(
        default=(),
        repr=False,
        description="Tokens for the admin door, comma-separated. They open every GET, too.",
    )
    viewer_tokens: Words = Field(
        default=(),
        repr=False,
        description="Tokens that open every GET and nothing else, comma-separated.",
    )

    tokens_file: Path | None = Field(
        default=None,
        description="A file with more tokens, one per line: the door (`client`, `worker`, "
        "`admin` or `viewer`), a space, the token. Read again when it changes, without a restart.",
    )

    database_pool_size: int = Field(
        default=8,
        ge=2,
        le=256,
        description="Maximum number of connections to MySQL per process for writes, and as many "
        "again for reads. Calls share transactions, so few are needed.",
    )
    database_timeout_seconds: float = Field(
        default=5.0,
        gt=0,
        le=60,
        description="After this long without an answer from MySQL, a call fails with 503.",
    )
    redis_timeout_seconds: float = Field(
        default=0.05,
        gt=0,
        le=5,
        description="After this long without an answer, Redis is not used for a short time.",
    )
    redis_prefix: str | None = Field(
        default=None,
        description="The prefix of every key in Redis. By default it is `rowlock:`, the name in "
        "the database's table `deployment`, and `:`, so that several deployments can share one "
        "Redis.",
    )
    cache_ttl_seconds: float = Field(
        default=3.0, ge=0.05, le=60, description="Maximum time a query result stays in the cache."
    )
    poll_interval_seconds: float = Field(
        default=0.08,
        ge=0.01,
        le=5,
        description="How often a process with waiting calls polls MySQL for tasks submitted or "
        "ended through other processes: one query per poll, for all waiting calls.",
    )
    connection_limit: int = Field(
        default=12_000,
        ge=16,
        le=1_000_000,
        description="Maximum number of open connections per process. Beyond it, one whose "
        "last call was refused is closed, or else the one that has been idle or sending for "
        "longest; if all are being answered, the new one gets 503.",
    )
    waiting_limit: int = Field(
        default=10_500,
        ge=1,
        le=1_000_000,
        description="Maximum number of long polls waiting in a process. Beyond it, calls get 429.",
    )
    idle_timeout_seconds: float = Field(
        default=5.0,
        ge=1,
        le=3600,
        description="A connection without a request for this long is closed.",
    )
    transfer_timeout_seconds: float = Field(
        default=60.0,
        ge=1,
        le=3600,
        description="Maximum time for a request to arrive, and for a response to be received; "
        "after that the connection is closed.",
    )
    transfer_memory_mib: int = Field(
        default=20,
        ge=1,
        le=65_536,
        description="Maximum memory per process for requests until they are answered, and as much "
        "again for responses until they are received. Beyond it, the one that has been large for "
        "longest gets 503 or is cut off.",
    )
    body_values_limit: int = Field(
        default=500_000,
        ge=1000,
        description="Maximum number of JSON values in a body, each of which takes up to 200 bytes "
        "of memory. Beyond it, the call gets 413.",
    )
    search_timeout_seconds: float = Field(
        default=2.0,
        gt=0,
        le=60,
        description="Maximum time of a list query (a `title` search may scan); MySQL stops it "
        "after that.",
    )
    sweep_interval_seconds: float = Field(
        default=1.0, ge=0.05, le=60, description="How often the scheduler runs each sweep."
    )
    sweep_batch_size: int = Field(
        default=500,
        ge=1,
        le=5000,
        description="Maximum number of tasks a sweep moves in one transaction.",
    )
    retention_days: int | None = Field(
        default=None,
        ge=1,
        le=36_500,
        description="An ended task is deleted this many days after its last change, with its "
        "attempts and its idempotency key. Without it, tasks are kept until a client deletes them.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The lowest severity that is logged."
    )
    log_format: Literal["json", "console"] = Field(
        default="json", description="`json`, one object per line, or `console`, for terminals."
    )

    @field_validator(*(f"{door}_tokens" for door in DOORS), "trusted_proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(word.strip() for word in value.split(",") if word.strip())
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for word in value:
            try:
                ip_network(word)
            except ValueError as error:
                raise ValueError(
                    f"contains {word}, which is neither an address nor a network"
                ) from error
        return value

    @field_validator("tls_key_file")
    @classmethod
    def _fits_the_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("tls_certificate_file")
        if certificate is None:
            if value is not None:
                raise ValueError("needs ROWLOCK_TLS_CERTIFICATE_FILE to be set too")
            return None
        try:
            Certificate(certificate, value)
        except OSError as error:
            raise ValueError(f"the key or the certificate cannot be used: {error}") from error
        return value

    @field_validator(
        "tls_certificate_file", "tls_key_file", "tokens_file", "redis_prefix", mode="before"
    )
    @classmethod
    def _is_named(cls, value: object) -> object:
        return value or None

    @field_validator("tokens_file")
    @classmethod
    def _can_be_read(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                read_tokens(value)
            except OSError as error:
                raise ValueError(f"cannot be read: {error}") from error
        return value

    @field_validator("database_url")
    @classmethod
    def _is_mysql(cls, value: str) -> str:
        try:
            url, *others = _urls(value)
        except (ArgumentError, ValueError) as error:
            raise ValueError("is not a URL; write mysql://user:password@host:3306/name") from error
        if url.get_backend_name() not in {"mysql", "mariadb"}:
            raise ValueError("must begin with mysql:// (for MariaDB too)")
        if not url.database:
            raise ValueError("must name a database; write mysql://user:password@host:3306/name")
        for name, given in url.query.items():
            if name not in TLS_OPTIONS | {"charset", "unix_socket"}:
                known = ", ".join(sorted(TLS_OPTIONS | {"unix_socket"}))
                raise ValueError(f"has the unknown option {name}; the known ones are: {known}")
            if name in _FILES and not os.access(str(given), os.R_OK):
                raise ValueError(f"names a file in {name} that cannot be read: {given}")
        if others and ("unix_socket" in url.query or not all(u.host for u in (url, *others))):
            raise ValueError("names several servers, so each needs a host: a:3306,b:3306")
        return value

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, value: str | None) -> str | None:
        if not value:
            return None
        try:
            url = urlsplit(value)
            names_several = url.scheme != "unix" and "," in url.netloc.rpartition("@")[2]
            _ = names_several or url.port
        except ValueError as error:
            # Not as it says it: what it takes for a port may be half a password.
            raise ValueError("is not a URL; write redis://:password@host:6379/0") from error
        if "sentinel" in url.scheme or "cluster" in url.scheme:
            raise ValueError(f"{ONE_SERVER}; Redis Cluster and Sentinel are not supported")
        if url.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError("must begin with redis://, rediss:// or unix://")
        if names_several:
            raise ValueError(f"names several servers; it {ONE_SERVER}")
        if url.fragment:
            raise ValueError("contains a #; in a password, write %23")
        if url.scheme != "unix" and not re.fullmatch(r"/?\d*", url.path):
            raise ValueError("must name its database by a number")
        known = REDIS_OPTIONS | (REDIS_TLS_OPTIONS if url.scheme == "rediss" else frozenset())
        for name, given in parse_qsl(url.query, keep_blank_values=True):
            if name not in known:
                option = (
                    f"the unknown option {name}" if name.isidentifier() else "an unknown option"
                )
                listed = ", ".join(sorted(known))
                raise ValueError(f"has {option}; the known ones are: {listed}")
            if name == "db" and not given.isdecimal():
                raise ValueError("must name its database by a number")
            if name == "ssl_cert_reqs" and given not in {"none", "optional", "required"}:
                raise ValueError("must have none, optional or required as ssl_cert_reqs")
            if name in REDIS_TLS_FILES and not os.access(given, os.R_OK):
                raise ValueError(f"names a file in {name} that cannot be read: {given}")
        return value

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """The servers that the database's URL names."""
        return tuple(
            Host(url.host or "localhost", url.port or 3306) for url in _urls(self.database_url)
        )

    @property
    def shown_url(self) -> str:
        """Where the database is, but for the password and the options."""
        urls = (url.set(drivername="mysql", query={}) for url in _urls(self.database_url))
        return ", ".join(url.render_as_string() for url in urls)

    @cached_property
    def async_url(self) -> URL:
        """The database for the service, by aiomysql, on the first of the hosts."""
        return _with_charset(self.database_url, "mysql+aiomysql")

    @cached_property
    def sync_url(self) -> URL:
        """The database for migrations, by PyMySQL, on the first of the hosts."""
        url = _with_charset(self.database_url, "mysql+pymysql")
        # Unasked it would take TLS that proves nothing, and find fit what the service does not.
        asks_for_tls = not TLS_OPTIONS.isdisjoint(url.query)
        return url if asks_for_tls else url.update_query_dict({"ssl_disabled": "true"})

    @property
    def has_tokens(self) -> bool:
        named = any(getattr(self, f"{door}_tokens") for door in DOORS)
        return named or self.tokens_file is not None

    @property
    def url(self) -> str:
        """Where the API is."""
        scheme = "https" if self.tls_certificate_file else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"

    @property
    def on_loopback(self) -> bool:
        return self.host in LOOPBACK_HOSTS


def _urls(url: str) -> list[URL]:
    """A URL for each host."""
    parts = _URL.fullmatch(url)
    hosts = parts[2].split(",") if parts else []
    return [make_url(f"{parts[1]}{host}{parts[3]}") for host in hosts] if parts else [make_url(url)]


def _with_charset(url: str, driver: str) -> URL:
    return _urls(url)[0].set(drivername=driver).update_query_dict({"charset": "utf8mb4"})
