"""Make one task of every regular file under Python's standard library.

python submit.py [http://127.0.0.1:8000]
"""

import hashlib
import json
import sys
import sysconfig
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx

NOT_THE_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


def library_files() -> Iterator[Path]:
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*")):
        is_ours = NOT_THE_LIBRARY.isdisjoint(path.relative_to(library).parts)
        if is_ours and path.is_file() and not path.is_symlink():
            yield path


def main(url: str = "http://127.0.0.1:8000") -> None:
    submitted = 0
    files = library_files()
    with httpx.Client(base_url=url, timeout=60) as rowlock:
        while paths := list(islice(files, 1000)):
            tasks = [
                {
                    "title": f"digest {path.name}",
                    "queue": "stdlib",
                    "tags": ["sha256"],
                    "payload": {"path": str(path)},
                    "retry_delay_seconds": 0,
                }
                for path in paths
            ]
            body = json.dumps({"tasks": tasks}).encode()
            # The same batch again gives the same tasks again: this may be run twice.
            headers = {
                "Content-Type": "application/json",
                "Idempotency-Key": hashlib.sha256(body).hexdigest(),
            }
            rowlock.post("/tasks/batch", content=body, headers=headers).raise_for_status()
            submitted += len(tasks)
    print(f"{submitted} tasks submitted")


if __name__ == "__main__":
    main(*sys.argv[1:])
