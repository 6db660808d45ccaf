"""Submit a shop's tasks, wait for all of them, and say how each has ended.

python submit.py
"""

import sys
from pathlib import Path

from rowlock import Client, NewTask, RowlockError

ADDRESSES = [f"customer-{number}@example.org" for number in range(1, 41)]

TASKS: list[NewTask] = [
    {"title": "send newsletter", "queue": "shop", "payload": {"to": ADDRESSES}},
    {"title": "charge card", "queue": "shop", "priority": "high", "payload": {"cents": 1999}},
    {"title": "charge card", "queue": "shop", "priority": "high", "payload": {"cents": -5}},
    *(
        NewTask(title="compress", queue="shop", payload={"path": str(path)})
        for path in sorted(Path(__file__).resolve().parent.glob("*.py"))
    ),
]


def main() -> None:
    with Client() as rowlock:
        for task_id in rowlock.submit_many(TASKS):
            task = rowlock.wait(task_id, timeout_seconds=60)
            print(f"{task.id} {task.title}: {task.status}, {task.error or task.result}")


if __name__ == "__main__":
    try:
        main()
    except RowlockError as error:
        sys.exit(str(error))
