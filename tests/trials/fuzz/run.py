"""One run of schemathesis, with all its checks, against a server process and a scheduler."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.acceptance.deployment import Deployment

PROJECT = Path(__file__).parents[3]
TOKENS = {door: f"the-{door}-token" for door in ("client", "worker", "admin", "viewer")}

_CONFIG = """
hooks = "tests.trials.fuzz.hooks"
continue-on-failure = true
request-timeout = 20
cache.enabled = false
generation.database = "none"

[warnings]  # whoever is kept out, or cannot write what a pattern wants, tests little
display = ["missing_auth", "unused_openapi_auth", "unsupported_regex"]
fail-on = true

"""
_COMPLAINT = re.compile(r'"level": "(error|critical)"|^Traceback')
_TOKEN = '[auth.openapi.{door}]\nbearer = "{token}"\n'


def fuzz(
    home: Path, options: Sequence[str], *, database_url: str, redis_url: str, has_tokens: bool
) -> bool:
    """Whether every answer was as the document says. What was done and found is on stdout."""
    tokens = TOKENS if has_tokens else {}
    deployment = Deployment(
        home,
        database_url=database_url,
        redis_url=redis_url,
        settings={f"{door.upper()}_TOKENS": token for door, token in tokens.items()},
    )
    try:
        api = deployment.serve()
        deployment.schedule()
        is_good = _schemathesis(home, api.url, options, tokens)
    finally:
        deployment.close()
    complaints = list(_complaints(home))
    print(*complaints, sep="\n")
    return is_good and not complaints


def _schemathesis(home: Path, url: str, options: Sequence[str], tokens: dict[str, str]) -> bool:
    config = home / "schemathesis.toml"
    known = (_TOKEN.format(door=door, token=token) for door, token in tokens.items())
    config.write_text(_CONFIG + "".join(known))
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [program, "--config-file", config, "run", f"{url}/openapi.json", *options],
        cwd=home,  # it leaves files behind
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        check=False,
    )
    return done.returncode == 0


def _complaints(home: Path) -> Iterator[str]:
    """What a process logged as an error, though nobody may have seen it in an answer."""
    for log in home.glob("*.log"):
        for line in log.read_text().splitlines():
            if _COMPLAINT.search(line):
                yield f"{log.name}: {line}"
