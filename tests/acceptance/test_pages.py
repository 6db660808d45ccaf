"""What the pages show to begin with, run as they say."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.deployment import Api
from tests.acceptance.examples import PYTHON, ROWLOCK, Program, ended

Show = Callable[..., Program]


def snippets(page: Path, language: str) -> list[str]:
    found = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.fixture
def save(api: Api, tmp_path: Path) -> Callable[[str, str], None]:
    """Save a snippet in the folder of the test, for its API."""

    def save(name: str, snippet: str) -> None:
        (tmp_path / name).write_text(snippet.replace("http://127.0.0.1:8000", api.url))

    return save


@pytest.fixture
def run(api: Api, tmp_path: Path) -> Iterator[Show]:
    """Run a command there."""
    started: list[Program] = []

    def run(*command: str) -> Program:
        log = tmp_path / f"{len(started)}.log"
        started.append(Program(tmp_path, log, *command, ROWLOCK_URL=api.url))
        return started[-1]

    yield run
    for program in started:
        program.process.kill()
        program.process.wait()


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readmes_worker_does_the_readmes_task(
    page: str, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    save("hello.py", snippets(project / page, "python")[0])
    (line,) = re.findall(
        r"^rowlock (submit hello .*)\n", (project / page).read_text(), re.MULTILINE
    )
    payload = re.findall(r"'(.*)'", line)[0]

    worker = run(PYTHON, "hello.py")
    said = run(*ROWLOCK, "submit", "hello", "--payload", payload, "--wait", "--json").ends()

    task = json.loads(said.splitlines()[-1])
    assert (task["status"], task["result"]) == ("done", "Hello, Rowlock")
    worker.stops()


def test_the_readmes_plain_worker_does_what_curl_submits(
    project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    page = project / "README.md"
    save("plain.py", snippets(page, "python")[1])
    shell = [snippet for snippet in snippets(page, "sh") if "curl" in snippet]
    save("submit.sh", "\n".join(shell))

    run(PYTHON, "plain.py")
    said = run("bash", "-eu", "submit.sh").ends()

    submitted, done = map(json.loads, said.split("\n", 1))
    assert submitted["status"] == "to_do"
    assert (done["id"], done["status"], done["result"]) == (submitted["id"], "done", "HELLO")


def test_the_page_of_python_begins_with_what_works(
    project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    hello, greet, *_ = snippets(project / "docs/python.md", "python")
    save("hello.py", hello)
    save("greet.py", greet)

    worker = run(PYTHON, "hello.py")
    assert run(PYTHON, "greet.py").ends() == "Hello, Rowlock\n"
    worker.stops()


def test_debounced_submits_make_one_task(
    api: Api, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    (recipe,) = _recipes(project, "def document_has_changed")
    save("search.py", f"{recipe}\n\nfor _ in 'abc': document_has_changed(7)\n")

    run(PYTHON, "search.py").ends()

    (task,) = api.http.get("/tasks").json()
    assert (task["unique_key"], task["payload"]) == ("document-7", {"document": 7})
    assert task["waiting_on"] == "time"


def test_fanned_out_tasks_are_submitted_once_however_often_the_attempt_is_repeated(
    api: Api, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    (recipe,) = _recipes(project, "def send_newsletter")
    save("mail.py", recipe)
    body = {"title": "send newsletter", "queue": "mail", "payload": {"to": ["a@x", "b@x"]}}
    newsletter = api.http.post("/tasks", json=body).json()["id"]

    run(*ROWLOCK, "worker", "--handlers", "mail:worker", "--once").ends()
    assert ended(api, newsletter)["result"] == {"mails": 2}
    save("again.py", f"from mail import *\nsend_newsletter(client.get({newsletter}), None)\n")
    run(PYTHON, "again.py").ends()

    sent = api.http.get("/tasks", params={"tag": f"newsletter-{newsletter}"}).json()
    assert [task["payload"]["to"] for task in sent] == ["b@x", "a@x"]
    assert {task["status"] for task in sent} == {"done"}


@pytest.mark.parametrize("page", ["python.md", "python.zh-CN.md"])
def test_one_step_stores_the_next_ones(
    page: str, api: Api, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    (recipe,) = [c for c in snippets(project / "docs" / page, "python") if "then=[" in c]
    save("photos.py", recipe)
    body = {"title": "resize", "queue": "photos", "payload": "a.png"}
    resized = api.http.post("/tasks", json=body).json()["id"]

    run(*ROWLOCK, "worker", "--handlers", "photos:worker", "--once").ends()

    tasks = api.http.get("/tasks", params={"order": "asc"}).json()
    assert [(t["title"], t["status"], t["result"]) for t in tasks] == [
        ("resize", "done", "a-640.png"),
        ("publish", "done", "https://example.org/a-640.png"),
        ("tell", "done", None),
    ]
    (parent,) = api.http.get(f"/tasks/{tasks[2]['id']}/dependencies").json()["tasks"]
    assert parent["id"] == resized


def _recipes(project: Path, part: str) -> list[str]:
    return [code for code in snippets(project / "docs/python.md", "python") if part in code]


@pytest.mark.parametrize("page", ["dependencies.md", "dependencies.zh-CN.md"])
def test_the_flow_of_the_page_about_dependencies_ends_as_it_says(
    page: str, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    text = (project / "docs" / page).read_text()
    save("flow.py", snippets(project / "docs" / page, "python")[0])
    said = run(PYTHON, "flow.py").ends()
    (shown,) = re.findall(r"(?:it prints|输出为) (\d+)", text)
    assert said.splitlines()[-1] == shown


@pytest.mark.parametrize("page", ["limits.md", "limits.zh-CN.md"])
def test_the_tasks_of_the_page_about_limits_run_as_it_says(
    page: str, project: Path, save: Callable[[str, str], None], run: Show
) -> None:
    text = (project / "docs" / page).read_text()
    programs = snippets(project / "docs" / page, "python")
    printed = re.findall(r"(?:it prints|输出为) (\d+)", text)
    assert len(programs) == 3
    for program, shown in zip(programs, printed, strict=True):
        save("limits.py", program)
        assert run(PYTHON, "limits.py").ends().splitlines()[-1] == shown
