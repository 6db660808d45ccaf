"""What a new user reads first: where everything is, and how to try it."""

import re
from dataclasses import dataclass
from pathlib import Path

_TEMPLATE = """
Rowlock is running.

  API       {url}
  API docs  {url}/docs
  MySQL     {mysql}
  Redis     {redis}
  Data      {home}

Submit a task:

  curl -s {url}/tasks {json}{client} \\
    -d '{{"title": "Say hello", "priority": "高"}}'; echo

Be its worker: claim it, then complete it:

  LEASE=$(curl -s {url}/leases {json}{worker} \\
    -d '{{"worker": "me"}}' | sed -n 's/.*"lease_id": *"\\([^"]*\\)".*/\\1/p')
  curl -s {url}/leases/$LEASE/complete {json}{worker} \\
    -d '{{"result": "hello"}}'; echo

Ctrl-C stops everything and keeps the data.
"""


@dataclass(frozen=True)
class Banner:
    """`mysql` and `redis` are URLs; `own_*` says whether the server is ours, its password too."""

    url: str
    home: Path
    mysql: str
    redis: str
    own_mysql: bool
    own_redis: bool
    tokens_needed: bool

    def text(self) -> str:
        return _TEMPLATE.format(
            url=self.url,
            home=self.home,
            mysql=self.mysql if self.own_mysql else without_password(self.mysql),
            redis=(self.redis if self.own_redis else without_password(self.redis)) or "none",
            json="-H 'Content-Type: application/json'",
            client=_token("CLIENT") if self.tokens_needed else "",
            worker=_token("WORKER") if self.tokens_needed else "",
        )


def without_password(url: str) -> str:
    """The URL as it may be shown."""
    return re.sub(r"(?<=://)([^/@]*?):[^/]*@", r"\1:***@", url)


def _token(door: str) -> str:
    return f" \\\n    -H 'Authorization: Bearer YOUR-{door}-TOKEN'"
