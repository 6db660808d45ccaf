"""Calls made from `/openapi.json`, right and wrong ones: each answer is one that it describes."""

from pathlib import Path

import pytest

from tests.trials.fuzz.run import fuzz


@pytest.mark.slow
def test_every_answer_is_as_the_document_says(
    tmp_path: Path, database_url: str, redis_url: str
) -> None:
    # `make fuzz` makes thousands, with other seeds, and without tokens as well.
    assert fuzz(
        tmp_path,
        # Without a token, or with a wrong one: tests/integration/api/test_doors.py.
        ["--seed=1", "--max-examples=5", "--exclude-checks=ignored_auth"],
        database_url=database_url,
        redis_url=redis_url,
        has_tokens=True,
    )
