"""A real browser before the real server, and what both share."""

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import dialects
from tests.e2e.conftest import installation, replay, server
from tests.e2e.processes import ADMINISTRATOR, PATIENCE, Server
from tests.e2e.replay import Replay

__all__ = ["installation", "replay", "server"]

# The one without windows does the same, for four fifths of the work.
BROWSERS = ("chromium-headless-shell", "chromium")
CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, BROWSERS)), ""
)
# Each width, and the themes in which barriers are looked for there.
WIDTHS = {360: ("light",), 390: (), 1280: ("light", "dark")}
# A browser reports a form sent back with its mistakes, and a page that is no page.
EXPECTED = re.compile(r"the server responded with a status of (?:403|404|405|409|422)")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all that stands beside this file: it starts servers and a browser."""
    item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def started() -> Iterator[tuple[Any, asyncio.AbstractEventLoop]]:
    """The browser, and the loop that Playwright runs on this thread."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium is not installed.")
        pytest.skip("Chromium is not installed.")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        loop = asyncio.get_running_loop()
        yield browser, loop
        asyncio._set_running_loop(loop)
        browser.close()


@pytest.fixture(scope="module")
def chromium(started: tuple[Any, asyncio.AbstractEventLoop]) -> Iterator[Any]:
    """The browser, for the tests of a module.

    Playwright leaves its loop as the running one between its calls. It is put out of
    sight after them: beside a running loop Django refuses to use a database.
    """
    browser, loop = started
    asyncio._set_running_loop(loop)
    yield browser
    asyncio._set_running_loop(None)


# What WCAG 2.2 asks for at level AA, and axe's best practices. Of its trials the one
# about names that lack what is shown, which people say who talk to their browser.
RULES = """
    runOnly: [
        "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice",
    ],
    rules: {"label-content-name-mismatch": {enabled: true}},
"""
# What another theme may break.
OF_COLOURS = """
    runOnly: {type: "rule", values: ["color-contrast", "link-in-text-block"]},
"""
VIOLATIONS = """
axe.run({resultTypes: ["violations"], %s}).then(({violations}) => ({violations}))
"""


class Axe:
    """axe-core, given to a page once and asked for violations alone.

    What it found in order, too, takes longer to hand over than to find.
    """

    def __init__(self) -> None:
        self._base = pytest.importorskip("axe_playwright_python.base")

    def run(self, page: Any, rules: str = RULES) -> Any:
        """Return what keeps people out of a page as it stands, by some rules."""
        if not page.evaluate("'axe' in window"):
            page.evaluate(self._base.AXE_SCRIPT)
        return self._base.AxeResults(page.evaluate(VIOLATIONS % rules))


@pytest.fixture(scope="session")
def axe() -> Axe:
    """What looks for barriers on a page."""
    return Axe()


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What browsers complained about; empty at the end of every test."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def open_page(chromium: Any, problems: list[str]) -> Iterator[Callable[..., Any]]:
    """Open a page of a browser with no history: `open_page(url, scripts=True)`.

    Whatever it prints as an error, a refusal of the page's policy included, fails the
    test.
    """
    contexts = []

    def make(url: str, *, scripts: bool = True) -> Any:
        context = chromium.new_context(base_url=url, java_script_enabled=scripts)
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        context.on("weberror", lambda error: problems.append(str(error.error)))
        context.on(
            "console",
            lambda line: (
                problems.append(f"{line.page.url if line.page else ''}: {line.text}")
                if line.type == "error" and not EXPECTED.search(line.text)
                else None
            ),
        )
        return context.new_page()

    yield make
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def console(server: Callable[..., Server]) -> Server:
    """A server with an administrator and nothing registered."""
    return server()


@pytest.fixture
def page(console: Server, open_page: Callable[..., Any]) -> Any:
    """A page of the administrator, who is logged in."""
    return signed_in(open_page(console.url), console)


def expect(what: Any) -> Any:
    """Return claims about a place on a page, which wait until they hold."""
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=1000 * PATIENCE)
    return sync_api.expect(what)


def signed_in(page: Any, server: Server) -> Any:
    """Give a page the session of an administrator, and return it.

    The form would take longer, on purpose: it computes an expensive hash.
    """
    cookie = {"name": "sessionid", "value": server.session(), "url": server.url}
    page.context.add_cookies([cookie])
    return page


def faults(page: Any, axe: Axe, url: str) -> list[str]:
    """Open a page and return what is wrong with it, as `complaints` does."""
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(url)
    return complaints(page, axe, url)


def complaints(page: Any, axe: Axe, name: str) -> list[str]:
    """Return what is wrong with a page as it stands: in all widths, light and dark.

    Dark differs in its colours alone, so that one width tells; the two phones in what
    fits alone, since no rule of the stylesheet lies between them.
    """
    found = []
    for width, themes in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append(f"{name} is wider than {width} pixels")
        for theme in themes:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            report = axe.run(page, OF_COLOURS if theme == "dark" else RULES)
            if report.violations_count:
                found.append(f"{name}, {theme}, {width}: {report.generate_report()}")
    return found


def log_in(
    page: Any,
    name: str = ADMINISTRATOR["DJANGO_SUPERUSER_USERNAME"],
    password: str = ADMINISTRATOR["DJANGO_SUPERUSER_PASSWORD"],
) -> Any:
    """Log somebody in through the form and return the page, the Dashboard then."""
    page.goto("/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"[0-9]/$"))
    return page


@pytest.fixture(scope="module")
def upstream(replay: Replay) -> Replay:
    """All four formats: below /openai/v1, /anthropic, /bedrock and /ollama."""
    for name in ("openai", "anthropic", "bedrock", "ollama"):
        dialects.install(replay, f"/{name}")
    return replay
