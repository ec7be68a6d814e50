"""The Models list: many providers at once, with scripts and without; its size."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import signed_in
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

MODELS = [f"us.anthropic.claude-haiku-4-5-2025100{n}-v1:0" for n in range(5)]


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], upstream: Replay) -> Server:
    """A server with three providers, one of them away."""
    upstream.offer(MODELS)
    url = f"{upstream.url}/openai/v1"
    return server(
        registries.registry(
            registries.openai("one", url, *MODELS),
            registries.openai("two", url, *MODELS),
            registries.openai("away", "http://127.0.0.1:9/v1", "broken"),
        ),
        STATUS_CHECK_SECONDS="86400",
    )


def row(page: Any, name: str) -> Any:
    """Return the row of a provider."""
    return page.locator(".provider-table tbody tr", has=page.get_by_label(name))


def is_available(page: Any, name: str) -> None:
    """Wait for the row that stays: until then it is shown anew."""
    row(page, name).get_by_text("Available", exact=True).wait_for()


def press(page: Any, action: str) -> None:
    page.get_by_role("group").get_by_role("button", name=action).click()


def test_rows_are_dense_and_hosts_are_whole(page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto("/models/")
    for each in page.locator(".provider-table tbody tr").all():
        assert each.bounding_box()["height"] < 80
    page.set_viewport_size({"width": 1920, "height": 800})
    for host in page.locator(".provider-table .host").all():
        assert host.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_test_all_shows_what_came_of_it_by_itself(page: Any) -> None:
    page.goto("/models/")
    page.get_by_role("button", name="Test all").click()
    page.get_by_text("3 providers are being checked.").wait_for()
    row(page, "away").get_by_text("Unavailable", exact=True).wait_for()
    for name in ("one", "two"):
        is_available(page, name)
    page.locator("#totals").get_by_text("1 Unavailable").wait_for()


def test_a_row_that_is_being_checked_keeps_its_menu_open(page: Any) -> None:
    page.goto("/models/")
    is_available(page, "one")
    asked: list[Any] = []
    page.route("**/models/one/row/", lambda route: asked.append(route))
    row(page, "one").evaluate("""it => {
        it.setAttribute("hx-get", "/models/one/row/");
        it.setAttribute("hx-swap", "outerHTML");
        it.setAttribute("hx-trigger", "every 100ms");
        it.dataset.before = "";
        htmx.process(it);
    }""")
    before = page.locator("tr[data-before]")
    while not asked:
        page.wait_for_timeout(20)
    row(page, "one").get_by_label("Actions").click()
    # What was asked before it was opened comes while it is.
    with page.expect_response("**/models/one/row/"):
        asked[0].continue_()
    page.wait_for_timeout(500)
    row(page, "one").get_by_role("link", name="Clone").wait_for()
    assert before.count() == len(asked) == 1
    page.keyboard.press("Escape")
    while len(asked) < 2:
        page.wait_for_timeout(20)
    asked[1].continue_()
    before.wait_for(state="detached")


def test_one_tick_ticks_all_and_takes_them_back(page: Any) -> None:
    page.goto("/models/")
    page.get_by_label("All on this page").check()
    assert page.locator("[name=names]:checked").count() == 3
    page.get_by_label("All on this page").uncheck()
    assert page.locator("[name=names]:checked").count() == 0


@pytest.mark.parametrize("scripts", [True, False])
def test_several_are_disabled_and_enabled(
    console: Server, open_page: Callable[..., Any], scripts: bool
) -> None:
    page = signed_in(open_page(console.url, scripts=scripts), console)
    page.goto("/models/?sort=-name")
    page.get_by_label("one", exact=True).check()
    page.get_by_label("two", exact=True).check()
    press(page, "Disable")
    page.get_by_text("2 providers were disabled.").wait_for()
    assert page.url.endswith("/models/?sort=-name")
    row(page, "one").get_by_text("Disabled", exact=True).wait_for()
    page.get_by_label("one", exact=True).check()
    page.get_by_label("two", exact=True).check()
    press(page, "Enable")
    page.get_by_text("2 providers were enabled.").wait_for()


def test_several_are_deleted_without_scripts(
    console: Server, open_page: Callable[..., Any]
) -> None:
    page = signed_in(open_page(console.url, scripts=False), console)
    page.goto("/models/")
    page.get_by_label("two", exact=True).check()
    press(page, "Delete")
    page.get_by_role("button", name="Delete providers").click()
    page.get_by_text("1 provider is deleted.").wait_for()
    assert page.get_by_label("two", exact=True).count() == 0


def test_a_clone_starts_from_the_row(page: Any) -> None:
    page.goto("/models/")
    is_available(page, "one")
    page.get_by_label("Actions for one").click()
    page.get_by_role("link", name="Clone").click()
    assert page.get_by_label("Name", exact=True).input_value() == "one-copy"
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/models/one-copy/")
