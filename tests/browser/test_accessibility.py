"""axe-core finds nothing to complain of on any page, in any state, light or dark."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.browser import states
from tests.browser.conftest import Axe, log_in
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

# Each session may ask providers ten times a minute: it is left after so many states.
STATES_OF_A_SESSION = 8


@pytest.fixture(scope="module")
def filled(console: Server, upstream: Replay) -> Iterator[Server]:
    """A server with a provider that answers and one that is away."""
    states.register(console, upstream)
    yield console
    upstream.credentials.clear()


def complaints(page: Any, axe: Axe, name: str) -> list[str]:
    """Return what is wrong with a page as it stands: wide, narrow, light and dark."""
    found = []
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            found.append(f"{name} is wider than {width} pixels")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            report = axe.run(page)
            if report.violations_count:
                found.append(f"{name}, {theme}, {width}: {report.generate_report()}")
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


@pytest.mark.parametrize("start", range(0, len(states.STATES), STATES_OF_A_SESSION))
def test_no_state_of_a_page_shuts_anybody_out(
    filled: Server,
    upstream: Replay,
    open_page: Callable[..., Any],
    axe: Axe,
    start: int,
) -> None:
    page = log_in(open_page(filled.url))
    page.on("dialog", lambda dialog: dialog.accept())
    found = []
    for name in list(states.STATES)[start : start + STATES_OF_A_SESSION]:
        states.STATES[name](page, upstream.url)
        found += complaints(page, axe, name)
    assert not found, "\n".join(found)


def test_pages_before_the_log_in_shut_nobody_out(
    filled: Server, open_page: Callable[..., Any], axe: Axe
) -> None:
    page = open_page(filled.url)
    page.goto("/login/")
    found = complaints(page, axe, "log-in")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").wait_for()
    found += complaints(page, axe, "log-in refused")
    assert not found, "\n".join(found)


def test_times_are_those_of_the_viewer(
    filled: Server, open_page: Callable[..., Any]
) -> None:
    page = log_in(open_page(filled.url))
    filled.chat("gpt-4o", "Hello")
    assert filled.rows(1, model="gpt-4o")
    zone = {"timezoneId": "Asia/Kolkata"}
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", zone)
    page.goto("/requests/")
    time = page.locator("td time").first
    at = datetime.fromisoformat(time.get_attribute("datetime"))
    shown = datetime.strptime(time.inner_text(), "%Y-%m-%d %H:%M:%S").replace(
        tzinfo=UTC
    )
    assert round((shown - at).total_seconds() / 60) == 5 * 60 + 30


def test_nothing_moves_for_who_wants_less_motion(
    filled: Server, open_page: Callable[..., Any]
) -> None:
    page = log_in(open_page(filled.url))
    page.emulate_media(reduced_motion="reduce")
    page.goto("/models/new/")
    page.evaluate("document.querySelector('.button .icon').classList.add('spin')")
    duration = page.evaluate(
        "getComputedStyle(document.querySelector('.spin')).animationDuration"
    )
    assert re.fullmatch(r"0\.00\d*s|1e-0?\d+s", duration), duration
