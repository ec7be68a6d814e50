"""What every page does with scripts, and how it looks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.console.views import TABS
from tests.browser.conftest import Axe, expect, faults
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay, json_reply

KEY = "sk-entered-0123456789abcdef"


@pytest.fixture(scope="module")
def console(server: Callable[..., Server], upstream: Replay) -> Server:
    """A server with a provider, a key and calls, of which one failed."""
    upstream.offer(["gpt-4o", "gpt-4o-mini", "o3"])
    upstream.route("/failing", json_reply({"error": {"message": "Overloaded."}}, 503))
    url = f"{upstream.url}/openai/v1"
    openai = registries.openai("openai", url, "gpt-4o", "gpt-4o-mini")
    made = server(
        registries.registry(
            registries.with_key(openai, "openai-key", "Authorization", "Bearer "),
            registries.openai("failing", f"{upstream.url}/failing", "broken"),
            openai_key={"api_key": "KEY"},
        ),
        {"KEY": KEY},
        LOG_BODIES="1",
    )
    made.key("ci", workspace=True)
    for model in ("gpt-4o", "gpt-4o-mini", "broken"):
        made.chat(model, stream=True)
    assert len(made.rows(3)) == 3
    return made


def test_another_type_fills_its_presets_in_and_the_preview_follows(page: Any) -> None:
    page.goto("/models/new/")
    page.locator(".type-card", has_text="AWS Bedrock").click()
    page.get_by_label("Region").fill("eu-west-1")
    page.locator("#preview-endpoint").get_by_text(
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/"
    ).wait_for()
    expect(page.get_by_label("Name", exact=True)).to_have_value("bedrock")
    assert page.get_by_label("API key", exact=True).is_hidden()
    page.get_by_text("OAuth2", exact=True).click()
    assert page.get_by_label("Token URL").is_visible()
    assert page.get_by_label("Region").is_hidden()


def test_a_mistake_is_told_when_the_field_is_left(page: Any) -> None:
    page.goto("/models/new/")
    page.get_by_label("Endpoint").fill("api.openai.com")
    page.get_by_label("Endpoint").press("Tab")
    page.locator("#id_endpoint_error").get_by_text("needs a scheme").wait_for()
    expect(page.get_by_label("Endpoint")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("status", [0, 500, 403])
def test_a_part_that_fails_to_load_is_told(
    page: Any, problems: list[str], status: int
) -> None:
    def fail(route: Any) -> None:
        if status:
            route.fulfill(status=status, body="<h1>inside</h1>")
        else:
            route.abort()

    page.goto("/models/new/")
    page.route("**/form/test/", fail)
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("The server gave no answer to that.").wait_for()
    assert page.get_by_text("inside").count() == 0
    problems.clear()


def test_leaving_unsaved_changes_asks_first(page: Any) -> None:
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/models/new/")
    page.get_by_label("Name", exact=True).press_sequentially("x")
    page.goto("/models/")
    assert asked == ["beforeunload"]


def test_the_theme_changes_at_once_and_stays(page: Any) -> None:
    page.goto("/")
    page.get_by_label("Your account and theme").click()
    page.get_by_role("button", name="Theme: dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_snippet_is_copied(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    # It is told for a moment only, which is over when we say so.
    page.clock.install()
    page.goto("/")
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    page.get_by_role("button", name="Copy URL of the gateway").click()
    page.get_by_text("Copied", exact=True).wait_for()
    page.clock.run_for(2000)
    page.get_by_text("Copied", exact=True).wait_for(state="detached")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/v1/chat/completions")


def test_tabs_change_in_place_and_the_way_back_leads_through_them(page: Any) -> None:
    page.goto("/models/openai/")
    page.evaluate("window.stays = true")
    tabs = page.get_by_role("navigation", name="Parts of openai")
    tabs.get_by_role("link", name="Usage").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Last 24 hours")
    heading.wait_for()
    expect(page.locator("#tab-title")).to_be_focused()
    page.wait_for_url("**/?tab=usage")
    expect(tabs.locator("[aria-current]")).to_have_text("Usage")
    assert page.evaluate("window.stays") is True
    page.go_back()
    page.get_by_role("heading", name="Wired agents").wait_for()
    expect(tabs.locator("[aria-current]")).to_have_text("Overview")


def test_pages_are_accessible_and_fit_a_phone(
    page: Any, console: Server, axe: Axe
) -> None:
    """Of pages that are others here than those of test_accessibility.py."""
    (failed,) = console.rows(1, model="broken")
    found = []
    for url in (
        "/",
        "/models/openai/",
        *(f"/models/openai/?tab={tab}" for tab in TABS),
        "/models/openai/edit/",
        "/models/openai/delete/",
        "/requests/",
        "/usage/?range=1h",
        "/settings/api-keys/",
        "/settings/secrets/openai-key/",
        "/settings/secrets/openai-key/delete/",
        f"/requests/{failed['call_id']}/",
    ):
        found += faults(page, axe, url)
    assert not found, "\n".join(found)
