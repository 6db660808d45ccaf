"""Settings: from the environment, checked at once, and never changed after."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.settings import Settings

URL = "mysql://user:password@db.example/rowlock"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ROWLOCK_"):
            monkeypatch.delenv(name)


def test_a_database_is_all_that_has_to_be_said() -> None:
    settings = Settings(database_url=URL)
    assert settings.redis_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.on_loopback
    assert not settings.has_tokens


def test_without_a_database_there_is_nothing_to_serve() -> None:
    with pytest.raises(ValidationError, match="database_url"):
        Settings()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_DATABASE_URL", URL)
    monkeypatch.setenv("ROWLOCK_PORT", "9000")
    monkeypatch.setenv("ROWLOCK_CLIENT_TOKENS", " a , b,, ")
    monkeypatch.setenv("ROWLOCK_ADMIN_TOKENS", "")
    monkeypatch.setenv("ROWLOCK_LOG_LEVEL", "debug")
    settings = Settings()
    assert settings.port == 9000
    assert settings.client_tokens == ("a", "b")
    assert settings.admin_tokens == ()
    assert settings.log_level == "debug"
    assert settings.has_tokens


def test_what_is_said_at_the_call_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_PORT", "9000")
    assert Settings(database_url=URL, port=9001).port == 9001


@pytest.mark.parametrize("tokens", ["", ",", " , ,"])
def test_commas_alone_are_no_token(monkeypatch: pytest.MonkeyPatch, tokens: str) -> None:
    monkeypatch.setenv("ROWLOCK_CLIENT_TOKENS", tokens)
    assert not Settings(database_url=URL).has_tokens


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_these_are_this_machine(host: str) -> None:
    assert Settings(database_url=URL, host=host).on_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "db.example", ""])
def test_these_are_not(host: str) -> None:
    assert not Settings(database_url=URL, host=host).on_loopback


@pytest.mark.parametrize("scheme", ["mysql", "mysql+pymysql", "mysql+aiomysql", "mariadb"])
def test_each_driver_gets_its_own_url_with_the_charset(scheme: str, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.touch()
    settings = Settings(database_url=f"{scheme}://user:p%40ss@db.example:3307/rowlock?ssl_ca={ca}")
    for url, driver in (
        (settings.async_url, "mysql+aiomysql"),
        (settings.sync_url, "mysql+pymysql"),
    ):
        assert url.drivername == driver
        assert (url.username, url.password) == ("user", "p@ss")
        assert (url.host, url.port, url.database) == ("db.example", 3307, "rowlock")
        assert url.query == {"charset": "utf8mb4", "ssl_ca": str(ca)}


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        ("a", ["a:3306"]),
        ("a:3307,b", ["a:3307", "b:3306"]),
        ("a,b:1,[::1]:2", ["a:3306", "b:1", "::1:2"]),
    ],
)
def test_several_servers_may_be_named(hosts: str, found: list[str]) -> None:
    settings = Settings(database_url=f"mysql://user:p,a/ss@{hosts}/rowlock")
    assert [str(host) for host in settings.hosts] == found
    assert (settings.async_url.password, settings.async_url.database) == ("p,a/ss", "rowlock")
    assert settings.async_url.host == settings.hosts[0].name
    assert "p,a/ss" not in settings.shown_url


def test_without_tls_options_neither_driver_takes_tls() -> None:
    settings = Settings(database_url=URL)
    assert settings.sync_url.query["ssl_disabled"] == "true"
    assert settings.async_url.query == {"charset": "utf8mb4"}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("database_url", "", "not a URL"),
        ("database_url", "db.example", "not a URL"),
        ("database_url", "sqlite:///x", "must begin with mysql"),
        ("database_url", "postgresql://u@h/d", "must begin with mysql"),
        ("database_url", "mysql://user@db.example", "must name a database"),
        ("database_url", "mysql://u@h:x,i/d", "not a URL"),
        ("database_url", "mysql://u@h,/d", "several servers, so each needs a host"),
        ("database_url", "mysql://u@h,i/d?unix_socket=/s", "several servers, so each needs a"),
        ("database_url", "mysql://u@h/d?ssl_mode=REQUIRED", "the unknown option ssl_mode; the"),
        ("database_url", "mysql://u@h/d?ssl_ca=/no/such.pem", "cannot be read: /no/such.pem"),
        ("tls_key_file", "/no/such.pem", "needs ROWLOCK_TLS_CERTIFICATE_FILE to be set too"),
        ("trusted_proxies", "10.0.0.0/8,proxy.example", "contains proxy.example, which is neither"),
        ("redis_url", "db.example:6379", "must begin with redis"),
        ("redis_url", "http://db.example", "must begin with redis"),
        ("redis_url", "redis://h:port/0", "is not a URL"),
        ("redis_url", "redis://h:65536/0", "is not a URL"),
        ("redis_url", "redis://h/first", "must name its database by a number"),
        ("redis_url", "redis://h?db=first", "must name its database by a number"),
        ("redis_url", "redis://h/0?nonsense=1", "the unknown option nonsense; the known"),
        ("redis_url", "redis://h/0?socket_timeout=60", "the unknown option socket_timeout; the"),
        ("redis_url", "redis://h/0?ssl_ca_certs=x", "the unknown option ssl_ca_certs; the"),
        ("redis_url", "rediss://h/0?ssl_ca_certs=/no/such.pem", "cannot be read: /no/such.pem"),
        ("redis_url", "rediss://h/0?ssl_cert_reqs=perhaps", "none, optional or required"),
        ("redis_url", "redis://h,i/0", "names several servers; it must name the one server"),
        ("redis_url", "redis://:p@h:1,i:2/0", "names several servers; it must name the one"),
        ("redis_url", "redis+sentinel://h:26379/m", "Redis Cluster and Sentinel are not supported"),
        ("redis_url", "rediss+cluster://h:6379", "Redis Cluster and Sentinel are not supported"),
        ("cache_ttl_seconds", "0.001", "greater than or equal to 0.05"),
        ("port", "0", "greater than or equal to 1"),
        ("port", "65536", "less than or equal to 65535"),
        ("port", "http", "valid integer"),
        ("database_timeout_seconds", "0", "greater than 0"),
        ("search_timeout_seconds", "61", "less than or equal to 60"),
        ("sweep_batch_size", "0", "greater than or equal to 1"),
        ("log_level", "loud", "'debug'"),
        ("log_format", "xml", "'json'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv("ROWLOCK_DATABASE_URL", URL)
    monkeypatch.setenv(f"ROWLOCK_{name.upper()}", value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    (error,) = caught.value.errors()
    assert error["loc"] == (name,)
    assert said in error["msg"]


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_certificate_that_cannot_be_used_is_refused(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "certificate.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ValidationError, match=r"tls_key_file\n.*the certificate cannot be used"):
        Settings(database_url=URL, tls_certificate_file=file)


@pytest.mark.parametrize("between", ["/", "?", "#"])
def test_a_password_that_breaks_the_url_is_not_shown(between: str) -> None:
    url = f"redis://user:123{between}secret@h:6379/0"
    with pytest.raises(ValidationError) as caught:
        Settings(database_url=URL, redis_url=url)
    assert "secret" not in caught.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "url",
    [
        *("redis://h", "redis://h/", "redis://h/1", "redis://user:p%2Fp@[::1]:6380?db=1"),
        *("rediss://:p@h:6380/1", "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=no"),
        *("unix:///run/redis.sock", "unix:///run/redis.sock?db=1&password=p"),
    ],
)
def test_redis_may_be_reached_in_each_of_its_ways(url: str) -> None:
    assert Settings(database_url=URL, redis_url=url).redis_url == url


def test_an_empty_prefix_is_none() -> None:
    """Not one that puts nothing before a key, and so shares them with everybody."""
    assert Settings(database_url=URL, redis_prefix="").redis_prefix is None
    assert Settings(database_url=URL, redis_prefix="mine:").redis_prefix == "mine:"


def test_no_redis_may_be_said_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_REDIS_URL", "")
    assert Settings(database_url=URL).redis_url is None


def test_they_do_not_change() -> None:
    settings = Settings(database_url=URL)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_every_setting_says_what_it_is_and_times_say_their_unit() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        if field.annotation is float:
            assert name.endswith("_seconds"), name
