"""The house as it stands: what the architecture says of its rooms, read from the source."""

import ast
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "ledger",
    "storage",
    "pipeline",
    "delivery",
    "components",
    "pages",
    "emulators",
    "bench",
)
HOMELESS = {"utils", "util", "helpers", "helper", "common", "core", "services"}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60


def sources() -> dict[str, str]:
    """Return the text of every Python file of the rooms and the roof, by its path."""
    files = [*ROOT.glob("*.py"), *(file for room in ROOMS for file in ROOT.glob(f"{room}/**/*.py"))]
    return {file.relative_to(ROOT).as_posix(): file.read_text() for file in sorted(files)}


HOUSE = sources()
TREES = {path: ast.parse(text, path) for path, text in HOUSE.items()}


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of every absolute import, `a.b.c` for `from a.b import c`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(tree: ast.AST) -> set[str]:
    """Return the top-level packages a module imports."""
    return {name.partition(".")[0] for name in imported(tree)}


def reads_environment(tree: ast.AST) -> bool:
    """Tell whether a module names os.environ, os.getenv or one of their kin."""
    kin = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    if any(name in {f"os.{each}" for each in kin} for name in imported(tree)):
        return True
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "os"
    }
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in kin
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        for node in ast.walk(tree)
    )


def names_settings(tree: ast.AST) -> bool:
    """Tell whether a module imports `settings` or takes it as a parameter."""
    return "settings" in roots(tree) or any(
        isinstance(node, ast.arg) and node.arg == "settings" for node in ast.walk(tree)
    )


def imports_the_roof(tree: ast.AST) -> bool:
    """Tell whether a module imports `app` or `cli`."""
    return bool(roots(tree) & {"app", "cli"})


def registers(tree: ast.AST) -> bool:
    """Tell whether a module of `pages` is a page: it registers itself with Dash."""
    return any(
        getattr(node, "attr", getattr(node, "id", "")) == "register_page" for node in ast.walk(tree)
    )


PAGES = {
    Path(path).stem for path, tree in TREES.items() if path.startswith("pages/") and registers(tree)
}


def imports_a_page(tree: ast.AST, pages: set[str] = PAGES) -> bool:
    """Tell whether a module imports one of `pages`, wherever it stands."""
    named = {".".join(name.split(".")[:2]) for name in imported(tree)}
    relative = {
        alias.name if node.module is None else node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    return bool({f"pages.{page}" for page in pages} & named or pages & relative)


def imports_overview(tree: ast.AST) -> bool:
    """Tell whether a module imports the page `overview`."""
    return imports_a_page(tree, {"overview"})


def imports_emulators(tree: ast.AST) -> bool:
    """Tell whether a module imports the emulators."""
    return "emulators" in roots(tree)


def imports_more_than_the_standard_library(tree: ast.AST) -> bool:
    """Tell whether a module of the ledger stands on anything but the standard library."""
    return bool(roots(tree) - sys.stdlib_module_names - {"ledger"})


def functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield every function's name and lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


Rule = Callable[[ast.AST], bool]


def breaking(rule: Rule, *, but: tuple[str, ...] = (), among: str = "") -> list[str]:
    """Return the paths under `among` that a rule finds, except those named."""
    return [
        path
        for path, tree in TREES.items()
        if path.startswith(among) and not path.startswith(but) and rule(tree)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_stands(room: str) -> None:
    assert (ROOT / room).is_dir()


def test_the_house_is_read() -> None:
    assert "ledger/money.py" in HOUSE
    assert not [path for path in HOUSE if path.startswith(("tests", ".venv", "var", "build"))]


def test_only_settings_reads_the_environment() -> None:
    assert breaking(reads_environment, but=("settings.py",)) == []


def test_only_the_roof_names_settings() -> None:
    assert (
        breaking(names_settings, but=("app.py", "cli.py", "gunicorn.conf.py", "settings.py")) == []
    )


def test_nobody_imports_the_roof() -> None:
    assert breaking(imports_the_roof) == []


def test_nobody_imports_a_page() -> None:
    assert breaking(imports_a_page) == []


def test_no_door_imports_from_pages() -> None:
    assert breaking(lambda tree: "pages" in roots(tree), but=("pages/",)) == []


def test_nobody_imports_the_emulators() -> None:
    assert breaking(imports_emulators, but=("emulators/",)) == []


def test_the_ledger_stands_on_the_standard_library() -> None:
    assert breaking(imports_more_than_the_standard_library, among="ledger/") == []


def test_every_module_opens_with_a_docstring() -> None:
    assert [path for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_no_module_is_longer_than_300_lines() -> None:
    lengths = {path: len(text.splitlines()) for path, text in HOUSE.items()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    found = [
        (path, name, length)
        for path, tree in TREES.items()
        for name, length in functions(tree)
        if length > LONGEST_FUNCTION
    ]
    assert found == []


def test_every_function_has_a_noun_for_its_home() -> None:
    files = [
        file for room in (*ROOMS, "tests", "assets", "ops") for file in ROOT.glob(f"{room}/**/*")
    ]
    assert [file for file in [*ROOT.glob("*"), *files] if file.stem in HOMELESS] == []


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (reads_environment, "import os\nos.environ['A']"),
        (reads_environment, "import os as system\nsystem.getenv('A')"),
        (reads_environment, "from os import environ"),
        (names_settings, "import settings"),
        (names_settings, "from settings import Settings"),
        (names_settings, "def mount(settings): ..."),
        (names_settings, "mount = lambda *, settings: settings"),
        (imports_the_roof, "def late():\n    from app import create_app"),
        (imports_the_roof, "import cli"),
        (registers, "import dash\ndash.register_page(__name__, '/')"),
        (registers, "from dash import register_page\nregister_page(__name__)"),
        (imports_overview, "from pages.overview import layout"),
        (imports_overview, "from pages import overview"),
        (imports_overview, "from . import overview"),
        (imports_overview, "from .overview import layout"),
        (imports_overview, "import pages.overview"),
        (imports_emulators, "from emulators import world"),
        (imports_more_than_the_standard_library, "import numpy.linalg"),
    ],
)
def test_each_rule_finds_what_breaks_it(rule: Rule, source: str) -> None:
    assert rule(ast.parse(source))


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        (reads_environment, "import flask\nflask.request.environ['wsgi.input']"),
        (reads_environment, "import os\nos.getpid()"),
        (names_settings, "from pydantic_settings import BaseSettings"),
        (imports_the_roof, "from flask import app"),
        (names_settings, "chart = {}\nsettings = chart"),
        (registers, "import dash\ndash.page_registry"),
        (imports_overview, "from pages import source"),
        (imports_overview, "from components.overview import card"),
        (imports_emulators, "import multiprocessing"),
        (imports_more_than_the_standard_library, "from ledger.money import NANO\nimport heapq"),
    ],
)
def test_no_rule_finds_what_keeps_it(rule: Rule, source: str) -> None:
    assert not rule(ast.parse(source))


def test_a_function_is_as_long_as_its_lines() -> None:
    tree = ast.parse("def one(): ...\n\n\nasync def three():\n    a = 1\n    return a\n")
    assert list(functions(tree)) == [("one", 1), ("three", 3)]
