"""The example of a long command, run as its page says."""

import gzip
import os
from pathlib import Path

from tests.acceptance.deployment import Api, until
from tests.acceptance.examples import (
    ROWLOCK,
    Start,
    attempts,
    ended,
    get,
    need,
    submit,
)


def test_long_command(api: Api, start: Start, tmp_path: Path) -> None:
    need("bash", "jq")
    source, target = tmp_path / "in put", tmp_path / "out put.gz"
    content = os.urandom(10_000)
    source.write_bytes(content)
    command = (*ROWLOCK, "worker", "-q", "videos", "-c", "2", "--exec", "./encode.sh")
    worker = start("long-command", *command, ROWLOCK_URL=api.url)
    wrong = submit(api, "encode", "videos", {"input": str(source)})
    payload = {"input": str(source), "output": str(target)}
    task_id = submit(api, "encode", "videos", payload)

    until(lambda: get(api, task_id)["progress"] is not None, "some way")
    assert 0 < get(api, task_id)["progress"]["percent"] <= 100
    assert ended(api, task_id)["result"] == {
        "output": str(target),
        "bytes": target.stat().st_size,
    }
    assert gzip.decompress(target.read_bytes()) == content

    assert ended(api, wrong)["error"].startswith('the payload needs "input" and "output"\n')
    assert attempts(api, wrong) == ["failed"]
    absent = submit(api, "encode", "videos", {**payload, "input": "nowhere"}, retry_limit=0)
    assert "nowhere: No such file" in ended(api, absent)["error"]
    assert [path.name for path in tmp_path.glob("*part*")] == []
    worker.stops()


def test_long_command_cancelled_and_given_back(api: Api, start: Start, tmp_path: Path) -> None:
    need("bash", "jq")
    source, target = tmp_path / "input", tmp_path / "output.gz"
    source.write_bytes(b"x" * 10_000)
    command = (*ROWLOCK, "worker", "-q", "videos", "--grace-seconds", "0", "--exec", "./encode.sh")
    worker = start("long-command", *command, ROWLOCK_URL=api.url)
    payload = {"input": str(source), "output": str(target)}
    cancelled = submit(api, "encode", "videos", payload)
    part = Path(f"{target}.part-1")
    until(part.exists, "begun")
    (encoder,) = worker.children()

    api.http.post(f"/admin/tasks/{cancelled}/cancel").raise_for_status()
    until(lambda: not Path(f"/proc/{encoder}").exists(), "the command dead")
    assert list(tmp_path.glob("output.gz*")) == []
    assert ended(api, cancelled)["status"] == "cancelled"

    given_back = submit(api, "encode", "videos", payload)
    until(part.exists, "begun")
    (encoder,) = worker.children()
    worker.stops()
    assert not Path(f"/proc/{encoder}").exists()
    assert list(tmp_path.glob("output.gz*")) == []
    task = get(api, given_back)
    assert (task["status"], task["current_retry_count"]) == ("to_do", 0)
