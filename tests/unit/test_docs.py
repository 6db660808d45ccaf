"""What the documents say is there: files, commands, calls, settings, dependencies."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo

import rowlock
from app.processes.application import create_app
from app.settings import DOORS, Settings
from rowlock.cli import COMMANDS
from tests.support import reference

PROJECT = Path(__file__).parent.parent.parent
PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
CHINESE = [page for page in PAGES if page.name.endswith(".zh-CN.md")]

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`[^`\n]+`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
# With what stands before and after it.
_LINKED = re.compile(r"(.{0,6}\[[^]]*)\]\(([^)\s]+)\)(.{0,3})")


def text_of(page: str) -> str:
    return (PROJECT / page).read_text()


def prose(text: str) -> str:
    """The text without its code."""
    return _SPAN.sub("", _FENCED.sub("", text))


def code(text: str) -> str:
    """The code alone."""
    return "\n".join([*_FENCED.findall(text), *_SPAN.findall(_FENCED.sub("", text))])


def headings(text: str) -> list[str]:
    return re.findall(r"^#+ .+$", _FENCED.sub("", text), re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The names GitHub gives to headings."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()) for heading in headings(text))
    return {name.replace(" ", "-") for name in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page.read_text())):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text()), link


def test_both_readmes_say_the_same_in_the_same_order() -> None:
    english, chinese = text_of("README.md"), text_of("README.zh-CN.md")

    assert _FENCED.findall(english) == _FENCED.findall(chinese)
    for of in (_levels, _first_cells, _targets, _items):
        assert of(english) == of(chinese)


def _levels(text: str) -> list[int]:
    return [heading.index(" ") for heading in headings(text)]


def _first_cells(text: str) -> list[str]:
    return re.findall(r"^\| (`[^`]+`) \|", text, re.MULTILINE)


def _items(text: str) -> int:
    return len(re.findall(r"^- ", text, re.MULTILINE))


def _targets(text: str) -> list[str]:
    languages = {"README.md", "README.zh-CN.md"}
    links = [link for link in _LINK.findall(text) if link not in languages]
    return sorted(link.replace(".zh-CN.", ".").replace("-zh.png", "-en.png") for link in links)


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_a_chinese_page_has_the_parts_and_the_code_of_the_english_one(page: Path) -> None:
    # The reference is made from the docstrings, and is English.
    chinese = page.read_text().partition("\n## 参考\n")[0]
    english = _english(page).read_text().partition("\n## Reference\n")[0]

    assert list(map(_uncommented, _FENCED.findall(chinese))) == list(
        map(_uncommented, _FENCED.findall(english))
    )
    for of in (_levels, _first_cells, _rows, _items):
        assert of(chinese) == of(english)


@pytest.mark.parametrize("page", CHINESE, ids=lambda page: page.name)
def test_a_chinese_page_says_which_links_lead_to_english(page: Path) -> None:
    for before, link, after in _LINKED.findall(prose(page.read_text())):
        target = link.partition("#")[0]
        english = page.parent / target
        is_its_own = not target or ("英文版" in before and english == _english(page))
        is_picture = before.lstrip("\n").startswith("![")
        if is_its_own or is_picture or ".zh-CN." in target or before.endswith("[English"):
            continue
        assert after in ("（英文", "，英文"), link
        if "#reference" not in link:
            assert not english.with_suffix(".zh-CN.md").is_file(), link


def _english(page: Path) -> Path:
    return page.with_name(page.name.replace(".zh-CN", ""))


def _uncommented(code: str) -> str:
    return re.sub(r'# .*|""".*"""', "", code)


def _rows(text: str) -> int:
    return text.count("\n| ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_no_command_names_a_task_by_a_number(page: Path) -> None:
    """Typed as it stands, it would be about somebody's task."""
    for block in re.findall(r"^```sh\n.*?^```", page.read_text(), re.MULTILINE | re.DOTALL):
        assert not re.search(r"/tasks/\d", block)
        assert not re.search(r"\browlock (?:[a-z]+) \d", block)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_commands_that_are_named_exist(page: Path) -> None:
    shown = code(page.read_text())
    targets = set(re.findall(r"^([a-z]+):", text_of("Makefile"), re.MULTILINE))

    assert set(re.findall(r"\bmake ([a-z]+)", shown)) <= targets
    assert set(re.findall(r"(?:^|[\s`]|bin/)rowlock ([a-z]+)", shown)) <= set(COMMANDS)


def test_every_call_of_the_api_is_in_the_walk_through() -> None:
    settings = Settings(database_url="mysql://nobody@localhost/none")
    shown = {_unnamed(call) for call in re.findall(r"`([A-Z]+ /[^`]*)`", text_of("docs/api.md"))}

    for path, operations in create_app(settings).openapi()["paths"].items():
        for method in operations:
            assert _unnamed(f"{method.upper()} {path}") in shown


def _unnamed(call: str) -> str:
    return re.sub(r"\{\w+\}", "{}", call)


def test_the_reference_of_the_sdk_is_its_docstrings() -> None:
    assert {name for names in reference.SECTIONS.values() for name in names} == set(rowlock.__all__)
    assert reference.written() == reference.reference(), "python -m tests.support.reference"


def test_every_setting_is_listed_with_its_default_and_meaning() -> None:
    listed = dict(_settings_rows())
    own = {"ROWLOCK_HOME", "ROWLOCK_MYSQLD", "ROWLOCK_MYSQL_BUFFER_POOL_MIB"}
    own |= {"ROWLOCK_URL", "ROWLOCK_TOKEN", "ROWLOCK_SIGNING_KEY"}
    own |= {f"ROWLOCK_{door.upper()}_TOKEN" for door in DOORS}

    assert listed.keys() - own == {f"ROWLOCK_{name.upper()}" for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        assert listed[f"ROWLOCK_{name.upper()}"] == (_default(field), field.description)


def test_the_chinese_page_has_the_defaults_of_the_english_one() -> None:
    for (_, (default, _)), (name, (chinese, _)) in zip(
        _settings_rows(), _settings_rows("docs/settings.zh-CN.md"), strict=True
    ):
        assert chinese == {"none": "无", "none: it must be set": "无，必须设置"}.get(
            default, default
        ), name


def test_every_variable_that_local_services_read_is_listed() -> None:
    source = "".join(path.read_text() for path in (PROJECT / "app/local").glob("*.py"))

    assert set(re.findall(r"ROWLOCK_[A-Z_]*[A-Z]", source)) <= dict(_settings_rows()).keys()


def _settings_rows(page: str = "docs/settings.md") -> Iterator[tuple[str, tuple[str, str]]]:
    row = re.compile(r"^\| `(ROWLOCK_\w+)` \| (.*?) \| (.*) \|$", re.MULTILINE)
    for name, default, meaning in row.findall(text_of(page)):
        yield name, (default, meaning)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none: it must be set"
    return "none" if field.default in (None, ()) else f"`{field.default}`"


def test_every_dependency_is_justified() -> None:
    described = tomllib.loads(text_of("pyproject.toml"))
    project = described["project"]
    wanted = [
        *project["dependencies"],
        *described["dependency-groups"]["server"],
        *project["optional-dependencies"]["dev"],
    ]
    said = text_of("docs/decisions/0012-dependencies.md")

    for requirement in wanted:
        name = re.split(r"[\[><=,]", requirement)[0]
        assert f"`{name}`" in said, name


def test_the_index_of_decisions_is_whole() -> None:
    pages = [path.name for path in sorted((PROJECT / "docs/decisions").glob("0*.md"))]

    assert _LINK.findall(text_of("docs/decisions/README.md")) == pages


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/architecture.zh-CN.md"])
def test_every_room_is_on_the_map_and_every_file_that_is_named_is_there(page: str) -> None:
    text = text_of(page)
    rooms = {
        str(init.parent.relative_to(PROJECT))
        for top in ("app", "rowlock")
        for init in (PROJECT / top).rglob("*/__init__.py")
    }
    listed = re.findall(r"^\| `((?:app|rowlock)/[^`]+)` \|", text, re.MULTILINE)
    assert sorted(listed) == sorted(rooms)
    tree = [str(file.relative_to(PROJECT)) for file in PROJECT.glob("app/**/*.py")]
    for named in re.findall(r"`([a-z_/]+\.py)`", text):
        assert any(file == named or file.endswith(f"/{named}") for file in tree), named
