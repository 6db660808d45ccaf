"""What a new user reads first: where everything is, and how to try it."""

import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

_TEMPLATE = """
Rowlock is running.

  API       {url}
  Page      {url}/ui/
  API docs  {url}/docs
  MySQL     {mysql}
  Redis     {redis}
  Data      {home}

In another terminal: submit a task, and run a worker, which answers with what it was given:

  export ROWLOCK_URL={url}{tokens}
  {rowlock} submit "Say hello" --priority high
  {rowlock} worker --once --exec cat

Or by any HTTP client. Submit a task:

  curl -s {url}/tasks {json}{client} \\
    -d '{{"title": "Say hello", "priority": "高"}}'; echo

Act as its worker: claim it, then complete it:

  LEASE=$(curl -s {url}/leases {json}{worker} \\
    -d '{{"worker": "me"}}' | sed -n 's/.*"lease_id": *"\\([^"]*\\)".*/\\1/p')
  curl -s {url}/leases/$LEASE/complete {json}{worker} \\
    -d '{{"result": "hello"}}'; echo

Ctrl-C stops everything and keeps the data.
"""

_TOKENS = """
  export ROWLOCK_CLIENT_TOKEN=YOUR-CLIENT-TOKEN
  export ROWLOCK_WORKER_TOKEN=YOUR-WORKER-TOKEN"""


@dataclass(frozen=True)
class Banner:
    """`mysql` and `redis` are URLs. `*_password_file` has the password of a server that is ours;
    it is shown where only a person sees it. `rowlock` is how a shell calls this program."""

    url: str
    home: Path
    mysql: str
    redis: str
    mysql_password_file: Path | None
    redis_password_file: Path | None
    tokens_needed: bool
    rowlock: str
    shows_passwords: bool

    def text(self) -> str:
        return _TEMPLATE.format(
            url=self.url,
            home=self.home,
            mysql=self._server(self.mysql, self.mysql_password_file),
            redis=self._server(self.redis, self.redis_password_file) or "none",
            json="-H 'Content-Type: application/json'",
            rowlock=self.rowlock,
            tokens=_TOKENS if self.tokens_needed else "",
            client=_token("CLIENT") if self.tokens_needed else "",
            worker=_token("WORKER") if self.tokens_needed else "",
        )

    def _server(self, url: str, password_file: Path | None) -> str:
        if password_file is None:
            return without_password(url)
        if self.shows_passwords:
            return url
        return f"{without_password(url)}   (password: {password_file})"


def own_name() -> str:
    """How a shell calls this very program: by its name if that leads here, else by its path."""
    own = Path(sys.executable)
    if not getattr(sys, "frozen", False):
        own = own.with_name("rowlock")
    named = shutil.which("rowlock")
    if not own.exists() or (named and own.samefile(named)):
        return "rowlock"
    return shlex.quote(str(own))


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"(?<=://)([^/@]*?):[^/]*@", r"\1:***@", url)


def _token(door: str) -> str:
    return f" \\\n    -H 'Authorization: Bearer YOUR-{door}-TOKEN'"
