"""Examples in the OpenAPI document: bodies that may be sent as they stand, and what goes wrong."""

from collections.abc import Mapping
from typing import Any, Final

_LEASE_ID: Final = "1.0123456789abcdef0123456789abcdef"
_SUBMIT: Final = {
    "title": "resize image",
    "priority": "高",
    "tags": ["核心业务"],
    "queue": "images",
    "timeout_seconds": 60,
    "payload": {"path": "/photos/1.jpg", "width": 800},
    "group": "customer-17",
}
_NEXT: Final = {"title": "publish image", "queue": "images", "payload": {"path": "/small/1.jpg"}}
_CLAIM: Final = {
    "worker": "host-1",
    "queues": ["images", "default"],
    "limit": 10,
    "wait_seconds": 20,
    "lease_seconds": 30,
}

# By the name of the schema.
BODIES: Final[Mapping[str, Any]] = {
    "SubmitTask": _SUBMIT,
    "SubmitBatch": {
        "tasks": [
            _SUBMIT,
            {"title": "split video", "queue": "video", "ref": "split"},
            {"title": "encode video", "queue": "video", "depends_on": ["split"]},
            {"title": "sync", "unique": {"key": "customer-17", "debounce_seconds": 30}},
        ]
    },
    "PatchTask": {"priority": "低", "due_date": "2030-01-31T08:00:00+08:00", "description": None},
    "PutSchedule": {
        "cron": "30 2 * * *",
        "timezone": "Europe/Berlin",
        "task": {"title": "nightly report", "queue": "reports", "timeout_seconds": 1800},
    },
    "Backfill": {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z"},
    "ClaimTasks": _CLAIM,
    "Heartbeat": {"progress": {"percent": 40}},
    "SendHeartbeats": {
        "items": [
            {"lease_id": _LEASE_ID, "progress": {"percent": 40}},
            {"lease_id": f"2{_LEASE_ID[1:]}"},
        ]
    },
    "Complete": {"result": {"bytes": 52_133}, "submit": [_NEXT]},
    "Fail": {"error": "no such file", "retryable": False},
    "Release": {"delay_seconds": 30, "reason": "the mail server is busy"},
    "SetQueueSettings": {
        "ageing_seconds": {"中": 600, "低": 3600},
        "running": 10,
        "running_per_group": 2,
        "fair": True,
        "rate": {"limit": 100, "per_seconds": 60},
        "rate_per_group": {"limit": 10, "per_seconds": 60, "burst": 5},
    },
    "SetGroup": {"running": 5, "weight": 3},
    "FinishTasks": {
        "items": [
            {
                "lease_id": _LEASE_ID,
                "outcome": "complete",
                "result": {"bytes": 52_133},
                "submit": [_NEXT],
            },
            {"lease_id": f"2{_LEASE_ID[1:]}", "outcome": "fail", "error": "no such file"},
        ],
        "claim": _CLAIM,
    },
}

WHY_EXAMPLES: Final[dict[str, Any]] = {
    "content": {
        "application/json": {
            "examples": {
                "waiting": {
                    "value": {
                        "status": "to_do",
                        "is_claimable": True,
                        "reasons": [
                            {
                                "reason": "behind",
                                "detail": "12 tasks of the queue are ahead of it; lately 6.0 "
                                "attempts a minute have ended, so its turn may come in about "
                                "2 min.",
                                "tasks": 12,
                                "at_least": False,
                                "ended_per_minute": 6.0,
                                "expected_at": "2030-01-31T08:02:00Z",
                            }
                        ],
                    }
                },
                "running": {
                    "value": {
                        "status": "in_progress",
                        "is_claimable": False,
                        "reasons": [
                            {
                                "reason": "held",
                                "detail": "'host-1' has had it for 45 s (attempt 1), and was last "
                                "heard of 5 s ago. Unless the worker is heard of again, it ends as "
                                "lost in 25 s; retry 1 of 3 follows.",
                                "worker": "host-1",
                                "attempt": 1,
                                "started_at": "2030-01-31T07:59:15Z",
                                "deadline": "2030-01-31T08:04:15Z",
                                "last_heartbeat_at": "2030-01-31T07:59:55Z",
                                "ends_at": "2030-01-31T08:00:25Z",
                                "ends_as": "lost",
                                "becomes": "retrying",
                            }
                        ],
                    }
                },
            }
        }
    }
}


def _problem(status: int, kind: str, title: str, detail: str, **extensions: Any) -> dict[str, Any]:
    return {"type": kind, "title": title, "status": status, "detail": detail, **extensions}


def _about(status: int, kind: str, title: str, field: str, message: str) -> dict[str, Any]:
    errors = [{"field": field, "message": message}]
    return _problem(status, f"urn:rowlock:{kind}", title, f"{field}: {message}", errors=errors)


PROBLEMS: Final[Mapping[int, Any]] = {
    400: _about(400, "not-json", "Not JSON", "body", "is not valid JSON: EOF while parsing"),
    401: _problem(401, "about:blank", "Unauthorized", "This token is not valid."),
    403: _problem(403, "about:blank", "Forbidden", "This call needs a token for the admin door."),
    404: _problem(
        404, "urn:rowlock:task-not-found", "Task not found", "There is no task 1.", task_id=1
    ),
    409: _problem(
        409,
        "urn:rowlock:lease-is-gone",
        "Lease is gone",
        "This lease no longer holds task 1: its attempt ended as timed_out. "
        "The task is now retrying.",
        task_id=1,
        task_status="retrying",
        outcome="timed_out",
    ),
    412: _problem(
        412,
        "urn:rowlock:revision-mismatch",
        "Revision mismatch",
        "Schedule nightly-report is at revision 3, not at the one that If-Match names.",
        schedule="nightly-report",
        revision=3,
    ),
    413: _about(413, "body-too-large", "Body too large", "body", "must be at most 1,048,576 bytes"),
    415: _about(
        415,
        "unsupported-media-type",
        "Unsupported media type",
        "Content-Type",
        "must be application/json, not text/plain",
    ),
    422: _about(422, "invalid-request", "Invalid request", "tasks.3.title", "is required"),
    429: _problem(
        429,
        "urn:rowlock:too-many-waiting",
        "Too many waiting",
        "10,500 long polls are already waiting; try again later.",
    ),
    503: _problem(
        503,
        "urn:rowlock:database-away",
        "Database away",
        "MySQL cannot be reached or does not answer: no answer within 5 s. "
        "A change may not have been stored.",
    ),
}
