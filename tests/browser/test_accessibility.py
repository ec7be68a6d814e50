"""axe-core finds nothing to complain of on any page, in any state, light or dark."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.browser import states
from tests.browser.conftest import Axe, complaints, faults, log_in, signed_in
from tests.browser.test_first_run import PAGES
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


def test_no_page_shuts_anybody_out(
    filled: Server, open_page: Callable[..., Any], axe: Axe
) -> None:
    page = signed_in(open_page(filled.url), filled)
    states.starter_keys(page)
    call = filled.rows(1, provider="away")[0]
    found = []
    for path in (*PAGES, f"/requests/{call['call_id']}/"):
        if not path.startswith("/admin/"):  # Django's own, in our colours
            found += faults(page, axe, path)
    assert not found, "\n".join(found)


def test_what_a_viewer_may_not_do_shuts_nobody_out(
    filled: Server, open_page: Callable[..., Any], axe: Axe
) -> None:
    filled.expected = "This needs the role Administrator."
    viewer = open_page(filled.url)
    states.join_as_a_viewer(signed_in(open_page(filled.url), filled), viewer)
    assert not (found := faults(viewer, axe, "/settings/people/")), "\n".join(found)
    viewer.get_by_role("heading", name="You may not do this").wait_for()


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
    # Both at once: the page looks for newer calls by itself.
    time = page.locator("td time").first
    told, text = time.evaluate("each => [each.dateTime, each.textContent]")
    at = datetime.fromisoformat(told)
    shown = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
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
