"""What has the focus is seen: nothing that sticks to the window lies over it.

https://www.w3.org/WAI/WCAG22/Understanding/focus-not-obscured-minimum.html
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import states
from tests.browser.conftest import signed_in
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

FORMS = (
    "/models/new/",
    "/models/new/?preset=custom",
    "/models/lab/edit/",
    "/models/lab/?tab=models",
    "/models/lab/delete/",
    "/agents/new/upload/",
    "/playground/",
    "/usage/",
    "/requests/",
    "/settings/api-keys/",
    "/settings/people/",
    "/settings/gateway/",
    "/settings/audit-log/",
    "/password/",
)
# A window of usual size, and what is left of it at 200 %.
WINDOWS = {"100 %": (1280, 800), "200 %": (640, 400)}
# In a low window nothing sticks: the pages with most that would.
AT_200 = ("/models/new/?preset=custom", "/models/lab/edit/", "/playground/", "/usage/")
MOST_STOPS = 400

# How many presses of a key are awaited at once.
PRESSES = 20
COVERED = """() => {
    const it = document.activeElement;
    if (it === document.body) return null;
    // Radio buttons in cards and segments are shown by what is around them.
    const shown = it.closest("label") ?? it;
    const box = shown.getBoundingClientRect();
    const words = it.getAttribute("aria-label") || it.textContent.trim();
    const name = it.id || words || it.value;
    const lies = (over) => {
        const other = over.getBoundingClientRect();
        const top = Math.max(box.top, other.top), left = Math.max(box.left, other.left);
        const high = Math.min(box.bottom, other.bottom) - top;
        const wide = Math.min(box.right, other.right) - left;
        if (high < 1 || wide < 1) return false;
        const seen = document.elementFromPoint(left + wide / 2, top + high / 2);
        return over.contains(seen);
    };
    // Looked for once a page: of each stop it would be all the work.
    const sticks = (each) =>
        ["sticky", "fixed"].includes(getComputedStyle(each).position);
    window.sticking ??= [...document.querySelectorAll("body *")].filter(sticks);
    const why = window.sticking
        .filter((each) => !each.contains(it) && !it.contains(each) && lies(each))
        .map((each) => `under .${each.className}`);
    const outside = box.top >= innerHeight || box.bottom <= 0;
    return [name, why.join(", ") || (outside ? "outside of the window" : "")];
}"""
# Looked at in the page itself, when a key is let go and the focus has moved.
WATCH = f"""() => {{
    const covered = {COVERED};
    if (!window.stops) addEventListener("keyup", () => window.stops.push(covered()));
    window.stops = document.activeElement === document.body ? [null] : [];
}}"""


@pytest.fixture(scope="module")
def filled(console: Server, upstream: Replay) -> Iterator[Server]:
    """A server with a provider that answers and one that is away."""
    states.register(console, upstream)
    yield console
    upstream.credentials.clear()


def hidden_stops(page: Any, key: str) -> list[str]:
    """Walk all around the page with a key and return what had the focus out of sight.

    Between its last stop and its first one nothing has the focus.
    """
    page.evaluate(WATCH)
    stops: list[Any] = []
    while stops.count(None) < 2 and len(stops) < MOST_STOPS:
        for _press in range(PRESSES):
            page.keyboard.press(key)
        stops = page.evaluate("window.stops")
    seen = dict.fromkeys(map(tuple, filter(None, stops)))
    assert seen
    return [f"{name[:40]!r} {why}" for name, why in seen if why]


@pytest.mark.parametrize("window", WINDOWS)
def test_what_has_the_focus_is_never_covered(
    filled: Server, open_page: Callable[..., Any], window: str
) -> None:
    page = signed_in(open_page(filled.url), filled)
    width, height = WINDOWS[window]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(reduced_motion="reduce")
    found = {}
    for path in AT_200 if window == "200 %" else FORMS:
        page.goto(path)
        for each in page.locator("main details").all():
            each.evaluate("each => { each.open = true; }")
        stops = hidden_stops(page, "Tab") + hidden_stops(page, "Shift+Tab")
        if stops:
            found[path] = stops
    assert not found, "\n".join(map(str, found.items()))


def test_a_result_in_the_footer_covers_no_field_either(
    filled: Server, open_page: Callable[..., Any], upstream: Replay
) -> None:
    page = signed_in(open_page(filled.url), filled)
    page.set_viewport_size({"width": 1280, "height": 800})
    states.check_that_was_refused(page, upstream.url)
    page.evaluate("scrollTo(0, 0)")
    assert hidden_stops(page, "Shift+Tab") == []
    assert hidden_stops(page, "Tab") == []
