"""How the words of a command line become what a command gets, and what is said of wrong ones."""

import inspect
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from rowlock.cli import COMMANDS
from rowlock.cli.commands import Argument, Command, Flag, Option, command
from rowlock.cli.parser import UsageError, Words, parameters
from rowlock.cli.values import Choice, Number, Text

NAMES = Argument("names", Text("NAME"), is_many=True, is_required=False)
OPTIONS = (
    Option("--queue", "-q", to="queues", is_many=True, about=""),
    Option("--limit", "-n", kind=Number(int, 1, 64), default=50, about=""),
    Option("--every", kind=Number(float, 0.1), about=""),
    Option("--order", kind=Choice("asc", "desc"), about=""),
    Option("--url", env=("ROWLOCK_URL", "ROWLOCK_OTHER_URL"), default="http://a", about=""),
    Flag("--yes", "-y", about=""),
    Flag("--json", "-j", to="as_json", about=""),
)
NOTHING = {
    **{"names": [], "queues": [], "limit": 50, "every": None, "order": None},
    **{"url": "http://a", "yes": False, "as_json": False},
}


@command("any", "", NAMES, *OPTIONS)
def anywhere(**_given: Any) -> None:
    """Takes options wherever they stand."""


@command("first", "", NAMES, *OPTIONS, options_first=True)
def first(**_given: Any) -> None:
    """Takes options before its arguments."""


@command("one", "", Argument("title", Text("TITLE")), Option("--to", is_required=True, about=""))
def one(**_given: Any) -> None:
    """Needs both."""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROWLOCK_URL", raising=False)
    monkeypatch.delenv("ROWLOCK_OTHER_URL", raising=False)


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ([], {}),
        (["a", "--yes", "b"], {"names": ["a", "b"], "yes": True}),
        (["-q", "x", "--queue=y", "-qz"], {"queues": ["x", "y", "z"]}),
        (["-n5", "-n", "7"], {"limit": 7}),
        (["-yjn", "3"], {"yes": True, "as_json": True, "limit": 3}),
        # Whatever follows an option that takes a value is its value.
        (
            ["-q", "-y", "--queue", "--", "--url", "--json"],
            {"queues": ["-y", "--"], "url": "--json"},
        ),
        (["--queue=", "--url="], {"queues": [""], "url": ""}),
        (["--queue=a=b"], {"queues": ["a=b"]}),
        (["-", "--", "-y", "--nonsense"], {"names": ["-", "-y", "--nonsense"]}),
        (["--every", "1e3", "--order", "asc"], {"every": 1000.0, "order": "asc"}),
    ],
    ids=" ".join,
)
def test_what_is_given_arrives(words: Sequence[str], given: dict[str, Any]) -> None:
    assert parameters(anywhere, Words(anywhere, words)) == NOTHING | given


def test_after_the_first_argument_there_may_be_no_more_options() -> None:
    words = ["-y", "cat", "-n", "--", "--yes"]
    given = parameters(first, Words(first, words))
    assert given == NOTHING | {"yes": True, "names": ["cat", "-n", "--", "--yes"]}
    given = parameters(first, Words(first, ["--", "--json", "-y"]))
    assert given == NOTHING | {"names": ["--json", "-y"]}


def test_the_environment_counts_less_than_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def url(*words: str) -> object:
        return parameters(anywhere, Words(anywhere, words))["url"]

    monkeypatch.setenv("ROWLOCK_OTHER_URL", "http://other")
    assert url() == "http://other"
    monkeypatch.setenv("ROWLOCK_URL", "")
    assert url() == "http://other"
    monkeypatch.setenv("ROWLOCK_URL", "http://first")
    assert url() == "http://first"
    assert url("--url", "http://here") == "http://here"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--nonsense"], "No such option '--nonsense'."),
        (["--quue", "a"], "No such option '--quue'. Did you mean '--queue'?"),
        # No abbreviations: the next option might take them away.
        (["--lim", "5"], "No such option '--lim'. Did you mean '--limit'?"),
        (["-yx"], "No such option '-x'."),
        (["--yes=1"], "Option '--yes' does not take a value."),
        (["-y", "--queue"], "Option '--queue' requires an argument."),
        (["-n", "many"], "Invalid value for '--limit' / '-n': 'many' is not a whole number."),
        (["-n", "2.5"], "Invalid value for '--limit' / '-n': '2.5' is not a whole number."),
        (["-n", "0"], "Invalid value for '--limit' / '-n': 0 is less than 1."),
        (["-n", "65"], "Invalid value for '--limit' / '-n': 65 is more than 64."),
        (["-n", "9" * 400], f"Invalid value for '--limit' / '-n': {'9' * 400} is more than 64."),
        (["--every", "nan"], "Invalid value for '--every': 'nan' is not a number."),
        (["--every", "inf"], "Invalid value for '--every': 'inf' is not a number."),
        (["--order", "up"], "Invalid value for '--order': 'up' is not one of asc, desc."),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_wrong_is_named(words: Sequence[str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parameters(anywhere, Words(anywhere, words))
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "b"], "Missing argument 'TITLE'."),
        (["a"], "Missing option '--to'."),
        (["a", "b", "c", "--to", "d"], "Got unexpected extra arguments (b c)"),
    ],
)
def test_what_is_missing_or_too_much_is_named(words: Sequence[str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        parameters(one, Words(one, words))
    assert str(raised.value) == said


def _every() -> Iterator[tuple[str, Command]]:
    for name, each in COMMANDS.items():
        yield name, each
        yield from ((f"{name} {below}", command) for below, command in each.below.items())


@pytest.mark.parametrize(("name", "each"), [*_every()], ids=lambda value: str(value)[:30])
def test_a_commands_function_takes_what_can_be_given(name: str, each: Command) -> None:
    assert each.name == name
    given = [parameter.name for parameter in each.parameters]
    inspect.signature(each.function).bind(**dict.fromkeys(given))
    names = [name for option in each.options for name in option.names]
    assert len({*given}) == len(given), "one parameter for two things"
    assert len({*names}) == len(names), "one name for two options"
