"""The page for operators has a sentence for all that the server may say of a task, in each
language."""

import re
from pathlib import Path
from typing import get_args

import pytest

from app.api.reasons import Reason, UnknownPart
from app.domain.states import ENDED, Backoff, Outcome, Priority, Status

I18N = Path(__file__).parents[2] / "web/src/i18n"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_has_its_text(language: str) -> None:
    keys = set(re.findall(r'^  "([^"]+)":', (I18N / f"{language}.ts").read_text(), re.MULTILINE))
    reasons = {
        get_args(model.model_fields["reason"].annotation)[0]
        for model in get_args(get_args(Reason)[0])
    }
    assert reasons >= {"ended", "held", "unknown"}
    in_parts = {"ended": ENDED, "unknown": get_args(UnknownPart.model_fields["part"].annotation)}
    wanted = {f"why.{reason}" for reason in reasons - in_parts.keys()}
    wanted |= {f"why.{reason}_{part}" for reason, parts in in_parts.items() for part in parts}
    wanted |= {f"status.{status}" for status in Status}
    wanted |= {f"outcome.{outcome}" for outcome in Outcome}
    wanted |= {f"priority.{priority}" for priority in Priority}
    wanted |= {f"retry_backoff.{backoff}" for backoff in Backoff}
    assert wanted <= keys
