"""A real browser before the real server, and what both share."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.e2e import dialects
from tests.e2e.conftest import installation, replay, server
from tests.e2e.processes import ADMINISTRATOR, Server
from tests.e2e.replay import Replay

__all__ = ["installation", "replay", "server"]

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
# A browser reports a form sent back with its mistakes, and a page that is not there.
EXPECTED = re.compile(r"the server responded with a status of (?:404|409|422)")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all that stands beside this file: it starts servers and a browser."""
    item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium is not installed.")
        pytest.skip("Chromium is not installed.")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


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
        context.set_default_timeout(30_000)
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
    """A page of the administrator, logged in through the form."""
    return log_in(open_page(console.url))


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
