"""Where the focus goes, and what the keyboard alone can do."""

from typing import Any

import pytest

from tests.browser.conftest import expect
from tests.browser.test_providers import add_model, begin
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.replay import Replay

FOCUSED = "document.activeElement"
INSIDE = "document.activeElement.closest('dialog') !== null"


@pytest.fixture(scope="module")
def registered(console: Server, upstream: Replay) -> Server:
    """A server with one provider, which nothing uses."""
    upstream.offer(["gpt-4o", "gpt-4o-mini", "o3"])
    spec = {
        "provider": "openai",
        "endpoint": f"{upstream.url}/openai/v1",
        "models": ["gpt-4o"],
        "auth": {"type": "None"},
        "options": {"private_network": True},
    }
    console.apply({"model_providers": [{"name": "lab", "spec": spec}]})
    # Deleting what is in use asks for its name.
    console.chat("gpt-4o")
    assert console.rows(1, provider="lab")
    # Until then its row is shown anew each second.
    assert wait_until(lambda: console.status("lab") == "available", PATIENCE)
    return console


def focus_is_on(page: Any, trait: str, value: str) -> None:
    """Wait until the focus is on what has a trait: scripts move it a moment later."""
    page.wait_for_function(f"value => {FOCUSED}.{trait} === value", arg=value)


def discover(page: Any, upstream: Replay) -> None:
    """Open the form of a new provider and its list of models to pick from."""
    begin(page, "OpenAI", "picked", f"{upstream.url}/openai/v1")
    page.get_by_label("API key", exact=True).fill("sk-browser-0123456789abcdef")
    add_model(page, "gpt-4o")
    page.get_by_role("button", name="Fetch models").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()


def test_deleting_asks_in_a_dialog_that_keeps_the_focus(
    page: Any, registered: Server
) -> None:
    page.goto("/models/")
    page.get_by_label("Actions for lab").press("Enter")
    page.get_by_role("link", name="Delete").press("Enter")
    page.get_by_role("dialog", name="Delete lab?").wait_for()
    focus_is_on(page, "id", "id_confirm")
    for _press in range(8):
        page.keyboard.press("Tab")
        # After the last control the browser's own are next, the page's never.
        assert page.evaluate(f"{INSIDE} || {FOCUSED} === document.body")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")
    focus_is_on(page, "getAttribute('aria-label')", "Actions for lab")


def test_cancel_closes_the_dialog_and_a_wrong_name_deletes_nothing(
    page: Any, registered: Server
) -> None:
    page.goto("/models/")
    page.get_by_label("Actions for lab").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("dialog").get_by_role("link", name="Cancel").click()
    assert page.url.endswith("/models/")
    page.get_by_label("Actions for lab").click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_label("Type lab to confirm").fill("another")
    page.keyboard.press("Enter")
    page.get_by_text("Type lab to confirm.").wait_for()
    assert registered.status("lab")


def test_models_are_picked_by_the_keyboard(
    page: Any, registered: Server, upstream: Replay
) -> None:
    discover(page, upstream)
    focus_is_on(page, "id", "picker-filter")
    page.keyboard.type("mini")
    page.keyboard.press("Enter")
    assert page.url.endswith("/models/new/"), "Enter sent the form"
    page.get_by_label("gpt-4o-mini").press("Space")
    page.get_by_role("button", name="Add the ticked models").press("Enter")
    page.get_by_role("dialog").wait_for(state="hidden")
    expect(page.locator("#id_models")).to_have_value("gpt-4o\ngpt-4o-mini")
    focus_is_on(page, "id", "id_models_entry")


def test_a_list_of_models_that_is_left_adds_nothing(
    page: Any, registered: Server, upstream: Replay
) -> None:
    discover(page, upstream)
    page.get_by_label("o3").check()
    page.keyboard.press("Escape")
    # Hidden at once, and gone, with what was ticked, a moment later.
    page.locator("dialog.picker").wait_for(state="detached")
    assert page.locator("[name=picked]").count() == 0
    focus_is_on(page, "textContent", "Fetch models")


def test_links_of_the_error_summary_lead_to_the_fields(page: Any) -> None:
    page.goto("/models/new/")
    page.get_by_label("Endpoint").fill("")
    page.get_by_role("button", name="Save").click()
    page.locator("#error-summary").wait_for()
    focus_is_on(page, "id", "error-summary")
    page.locator("#error-summary").get_by_role("link", name="Models").press("Enter")
    focus_is_on(page, "id", "id_models_entry")


def test_a_private_address_ticks_its_mark_by_itself(page: Any) -> None:
    page.goto("/models/new/")
    mark = page.get_by_label("Allow an address on a private network")
    assert not mark.is_checked()
    page.get_by_label("Endpoint").fill("http://192.168.1.20:8001")
    page.get_by_text("so connecting to it was allowed").wait_for()
    expect(mark).to_be_checked()


def test_the_stored_secret_is_kept_until_replace_is_pressed(
    page: Any, registered: Server, upstream: Replay
) -> None:
    begin(page, "OpenAI", "keyed", f"{upstream.url}/openai/v1")
    page.get_by_label("API key", exact=True).fill("sk-browser-0123456789abcdef")
    add_model(page, "gpt-4o")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/models/keyed/")
    page.goto("/models/keyed/edit/")
    assert page.get_by_text("••••cdef · added").is_visible()
    assert page.get_by_label("API key", exact=True).is_hidden()
    page.locator("summary", has_text="Replace").press("Enter")
    expect(page.get_by_label("API key", exact=True)).to_be_visible()


def test_every_control_of_the_form_shows_the_focus(page: Any) -> None:
    page.goto("/models/new/")
    seen = set()
    for _press in range(60):
        page.keyboard.press("Tab")
        mark = page.evaluate(
            """() => {
                const it = document.activeElement;
                if (it === document.body) return null;
                const of = (e) => getComputedStyle(e);
                const shown = (e) => e && of(e).outlineStyle !== "none";
                const around = it.closest("label, .chip-box");
                const name = it.id || it.textContent.trim() || it.value;
                return [name, shown(it) || shown(around)];
            }"""
        )
        if mark is None:
            break
        assert mark[1], f"{mark[0]} shows no focus"
        seen.add(mark[0])
    assert {"id_name", "id_endpoint", "id_models_entry", "Save"} <= seen
