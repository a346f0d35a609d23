"""What search_coverage/names.py holds is written there, and nowhere else in the functions, the stack and the tools."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main
from search_coverage import names

ROOT = Path(__file__).parents[2]
NAMES = Path(names.__file__)
COMMANDS = "|".join([*main.commands, "COMMAND", "--version"])


def values(holder: object) -> Iterator[str]:
    """Yield every name that is held, also by the classes in it."""
    for attribute, value in vars(holder).items():
        if not attribute.startswith("_"):
            yield from [value] if isinstance(value, str) else values(value)


def pattern(value: str) -> re.Pattern[str]:
    """Return what finds a name in a text; one that is a word of English has to be all of the text."""
    if re.fullmatch("[A-Z]([a-z]+|[A-Z]+)", value):
        return re.compile(rf"\A{value}\Z")
    command = rf"(?! ({COMMANDS})\b)" if value == names.SERVICE else ""  # the command has the service's name
    return re.compile(rf"(?<![\w-]){re.escape(value)}" + (r"(?![\w-]|\.\w)" if value[-1].isalnum() else "") + command)


PATTERNS = {value: pattern(value) for value in values(names)}


def typed_again(source: str) -> list[str]:
    """Return the names that a module types itself, but in docstrings, with their lines."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return [
        f"{value} in line {node.lineno}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
        for value, found in PATTERNS.items()
        if found.search(node.value)
    ]


def test_no_name_is_typed_a_second_time() -> None:
    sources = [
        path
        for folder in ("infra", "lambda", "cli", "simulators", "demo")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" not in path.parts
    ]
    sources.remove(NAMES)

    again = {str(path.relative_to(ROOT)): typed_again(path.read_text(encoding="utf-8")) for path in sources}

    assert {path: found for path, found in again.items() if found} == {}


@pytest.mark.parametrize("value", sorted(PATTERNS))
def test_each_name_would_be_found(value: str) -> None:
    assert typed_again(f"name = {value!r}") == [f"{value} in line 1"]


@pytest.mark.parametrize(
    "source",
    [
        "f'reports/{day}'",
        "f'the files {bucket}/reports/*'",
        "f'told#{job}'",
        "'MetricName=\"BackupsExcluded\"'",
        "'open(\"excluded-backups.csv\")'",
    ],
)
def test_a_name_within_a_text_is_found(source: str) -> None:
    assert len(typed_again(f"text = {source}")) == 1


@pytest.mark.parametrize("source", ["'Reports are made'", "'search-coverage-spool'", "'''As reports/ says.'''; x = 1"])
def test_a_text_that_is_not_a_name_is_not_found(source: str) -> None:
    text = source if source.endswith("x = 1") else f"text = {source}"

    assert typed_again(text) == []


def test_everything_can_import_the_names_since_they_import_nothing() -> None:
    nodes = ast.walk(ast.parse(NAMES.read_text(encoding="utf-8")))

    assert not [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
