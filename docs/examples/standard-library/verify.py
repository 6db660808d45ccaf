"""Wait until every task has ended; then every file has to be done once, with the right digest.

python verify.py [http://127.0.0.1:8000]
"""

import hashlib
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from submit import library_files

Task = dict[str, Any]


def tasks(rowlock: httpx.Client, **filters: Any) -> Iterator[Task]:
    """All tasks of the queue that match, page by page."""
    answer = rowlock.get("/tasks", params={"queue": "stdlib", "limit": 1000, **filters})
    while True:
        yield from answer.raise_for_status().json()
        if "next" not in answer.links:
            return
        answer = rowlock.get(answer.links["next"]["url"])


def main(url: str = "http://127.0.0.1:8000") -> None:
    with httpx.Client(base_url=url, timeout=60) as rowlock:
        while any(tasks(rowlock, status=["to_do", "in_progress", "retrying"], limit=1)):
            time.sleep(0.2)
        ended = list(tasks(rowlock))

    wrong = [task for task in ended if task["status"] != "done" or not is_right(task)]
    for task in wrong:
        print(f"task {task['id']} is {task['status']}: {task['payload']} {task['result']}")
    files = Counter(str(path) for path in library_files())
    found = Counter(task["payload"]["path"] for task in ended)
    for path in (files - found) + (found - files):
        print(f"{path}: {files[path]} file, {found[path]} tasks")
    if wrong or files != found:
        sys.exit("WRONG")
    again = sum(task["attempt"] > 1 for task in ended)
    print(
        f"{len(ended)} files, each done once, every digest right; {again} needed a second attempt"
    )


def is_right(task: Task) -> bool:
    content = Path(task["payload"]["path"]).read_bytes()
    return bool(task["result"] == {"sha256": hashlib.sha256(content).hexdigest()})


if __name__ == "__main__":
    main(*sys.argv[1:])
