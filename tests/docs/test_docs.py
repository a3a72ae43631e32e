"""What the docs claim: files that exist, routes that answer, words of make and of the command."""

import re
import subprocess
from pathlib import Path

import pytest

import cli
from app import create_app
from ledger.bucket import Row
from ledger.snapshot import Alert, Cash, Change, Costs, Snapshot, SourceState, Trading
from settings import load

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("ops/**/*.md")]
    if "node_modules" not in path.parts
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)\)")
FILE = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|js|md|sh|yaml))`")
ROUTE = re.compile(r"`(?:GET )?(/(?:api|ws|healthz|readyz|metrics)[\w/.]*)")


def named(pattern: re.Pattern[str]) -> list[tuple[str, str]]:
    found = {(page, text) for page in PAGES for text in pattern.findall(page.read_text())}
    return sorted((str(page.relative_to(ROOT)), text) for page, text in found)


@pytest.mark.parametrize(("page", "target"), named(LINK))
def test_every_link_leads_somewhere(page: str, target: str) -> None:
    if not target.startswith("http"):
        assert (ROOT / page).parent.joinpath(target).exists()


@pytest.mark.parametrize(("page", "path"), named(FILE))
def test_every_file_that_is_named_exists(page: str, path: str) -> None:
    assert (ROOT / path).exists() or (ROOT / page).parent.joinpath(path).exists()


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("docs")
    chosen = load(database_url=f"sqlite:///{folder}/none.db", secret_key="test")  # noqa: S106
    return {str(rule) for rule in create_app(chosen).server.url_map.iter_rules()}


@pytest.mark.parametrize(("page", "route"), named(ROUTE))
def test_every_route_that_is_named_answers(page: str, route: str, routes: set[str]) -> None:
    assert route.rstrip(".") in routes, page


@pytest.mark.parametrize("word", ["run", "test", "setup", "check", "bench", "demo", "proof"])
def test_make_knows_its_words(word: str) -> None:
    asked = subprocess.run(["make", "-n", word], cwd=ROOT, capture_output=True, check=False)  # noqa: S607
    assert asked.returncode == 0


@pytest.mark.parametrize("word", ["run", "demo", "web", "worker", "backfill", "sources"])
def test_the_command_knows_its_words(word: str) -> None:
    known = {str(command.callback.__name__) for command in cli.northstar.registered_commands}
    assert word in known


def members(kind: type) -> set[str]:
    return set(kind.__slots__)


def test_the_wire_page_names_every_member_of_the_document() -> None:
    page = (ROOT / "docs" / "wire.md").read_text()
    kinds = (Trading, Costs, Cash, Change, SourceState, Alert)
    wanted = {"total", "equity"}.union(*map(members, kinds)) | {"net_pnl", "complete", "since"}
    assert {name for name in wanted if f'"{name}"' not in page} == set()
    assert members(Snapshot) - {"trading", "revenue", "costs", "cash", "change"} <= set(
        re.findall(r"\w+", page)
    )


def test_the_wire_page_names_every_column_of_a_row() -> None:
    page = (ROOT / "docs" / "wire.md").read_text()
    levels = {"open", "high", "low", "close"}
    columns = members(Row) - levels - {"bucket"} | {f"trading_{level}" for level in levels}
    assert {name for name in columns if not re.search(rf"\b{name}\b", page)} == set()
