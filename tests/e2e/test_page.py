"""The page in a real browser: a fill reaches the text, and a killed server is survived."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.product import Emulators, Product, program, running

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NET = "#content [data-live='net_pnl']"
PATIENCE_MS = 30_000

Both = tuple[Emulators, Product]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    program("chromium")
    with running(tmp_path_factory.mktemp("page")) as started:
        emulators, product = started
        emulators.freeze()
        product.shows(emulators.net)
        yield started


@pytest.fixture
def page(both: Both) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program("chromium"), args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": 1440, "height": 900})
        opened.goto(both[1].url)
        yield opened
        browser.close()


def money(amount: Decimal) -> str:
    """Write dollars as the page does: cents half to even, the sign before the dollar."""
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return f"{'−' if rounded < 0 else ''}${abs(rounded):,.2f}"


def state(name: str) -> str:
    return f"#transport-badge[data-state='{name}']"


def test_an_injected_fill_changes_the_text_to_the_upstreams_own_net(both: Both, page: Page) -> None:
    emulators, _ = both
    net = page.locator(NET).first
    before = money(emulators.net())
    expect(net).to_have_text(before, timeout=PATIENCE_MS)
    page.wait_for_selector(state("live-ws"), timeout=PATIENCE_MS)
    emulators.ask("/fill", {"book_side": "bid", "count": "25.50"})
    after = money(emulators.net())
    assert after != before
    expect(net).to_have_text(after, timeout=PATIENCE_MS)


def test_the_page_recovers_by_itself_when_the_server_is_killed(both: Both, page: Page) -> None:
    emulators, product = both
    page.wait_for_selector(state("live-ws"), timeout=PATIENCE_MS)
    page.evaluate("window.kept = document.body")
    product.kill("web")
    page.wait_for_function(
        "document.querySelector('#transport-badge').dataset.state !== 'live-ws'",
        timeout=PATIENCE_MS,
    )
    expect(page.locator(NET).first).to_have_text(money(emulators.net()))
    emulators.ask("/fill", {"book_side": "ask", "count": "11"})
    product.start("web")
    page.wait_for_selector(state("live-ws"), timeout=3 * PATIENCE_MS)
    expect(page.locator(NET).first).to_have_text(money(emulators.net()), timeout=PATIENCE_MS)
    assert page.evaluate("window.kept === document.body"), "the page was loaded anew"


def test_the_page_agrees_with_the_document_at_its_seq(both: Both, page: Page) -> None:
    _, product = both
    page.wait_for_selector(state("live-ws"), timeout=PATIENCE_MS)
    shown = "[document.documentElement.dataset.seq, document.querySelector(selector).textContent]"
    for _attempt in range(40):
        seq, text = page.evaluate(f"(selector) => {shown}", NET)
        document = product.current()
        if str(document["seq"]) == seq:
            assert text == money(Decimal(document["net_pnl"]))
            return
    pytest.fail("page and document were never at one seq")


def test_nothing_is_wrong_in_the_console(both: Both, page: Page) -> None:
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(both[1].url)
    page.wait_for_selector(state("live-ws"), timeout=PATIENCE_MS)
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=PATIENCE_MS)
    assert wrong == []
