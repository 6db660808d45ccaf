"""`rowlock bench` and `rowlock recount`, as commands."""

from tests.acceptance.deployment import Api, Deployment


def test_a_running_server_is_measured_and_left_as_it_was(deployment: Deployment, api: Api) -> None:
    task = api.http.post("/tasks", json={"title": "somebody else's"}).json()
    measured = deployment.run("bench", "--url", api.url, "--seconds", "0.1")
    assert measured.exit_code() == 0, measured.words
    for line in ("POST /tasks ", "GET /tasks/{id}, hot", "finish + claim in one call"):
        assert line in measured.words
    assert api.http.get("/tasks").json() == [task]


def test_a_server_that_is_not_there_is_named(deployment: Deployment) -> None:
    measured = deployment.run("bench", "--url", "http://127.0.0.1:9")
    assert measured.exit_code() == 1
    assert "cannot connect to http://127.0.0.1:9" in measured.words


def test_a_recount_says_what_was_wrong(deployment: Deployment, api: Api) -> None:
    for _ in range(3):
        api.http.post("/tasks", json={"title": "t", "tags": ["a"]})
    deployment.execute("DELETE FROM tasks LIMIT 2")
    recount = deployment.run("recount")
    assert recount.exit_code() == 0, recount.words
    assert "queue/default/to_do/中: -2" in recount.words
    assert "2 counters were wrong and are now correct." in recount.words
    (queue,) = api.http.get("/stats").json()["queues"]
    assert queue["waiting"] == 1
    assert api.http.get("/tags").json() == [{"name": "a", "tasks": 1}]
