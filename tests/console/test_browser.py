"""The Models pages in a real browser: scripts, swaps, policy, accessibility, width."""

import os
import shutil
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from gateway.models import CallBody
from providers import transport
from providers.console.views import TABS
from providers.models import WorkspaceKey

pytestmark = pytest.mark.slow

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
PHONE = {"width": 360, "height": 800}


@pytest.fixture
def upstream():
    """Stands in for every provider: lists three models."""
    models = [{"id": "gpt-4o"}, {"id": "gpt-4o-mini"}, {"id": "o3"}]
    answer = httpx.Response(200, json={"data": models})
    with transport.use(httpx.MockTransport(lambda request: answer)):
        yield


@pytest.fixture
def problems():
    """What the browser complained about; empty at the end of every test."""
    found = []
    yield found
    assert found == []


@pytest.fixture
def page(live_server, administrator, upstream, problems):
    """A browser page of the administrator; fails the test on any console error."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).is_file():
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium is not installed.")
        pytest.skip("Chromium is not installed.")
    client = Client()
    client.force_login(administrator)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        context = browser.new_context(base_url=live_server.url)
        context.add_cookies(
            [
                {
                    "name": settings.SESSION_COOKIE_NAME,
                    "value": session,
                    "url": live_server.url,
                }
            ]
        )
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda line: (
                problems.append(line.text)
                # Chromium reports a form sent back with its mistakes as an error.
                if line.type == "error" and "422" not in line.text
                else None
            ),
        )
        yield page
        browser.close()


def test_a_provider_is_registered_with_the_mouse_and_the_keyboard(page):
    page.goto("/models/new/")
    page.get_by_label("API key", exact=True).fill("sk-entered-0123456789abcdef")
    page.get_by_role("button", name="Fetch models").click()
    page.get_by_label("gpt-4o-mini").check()
    page.get_by_role("button", name="Add the ticked models").click()
    assert page.locator(".chip-box .chip").count() == 1
    page.get_by_label("Model ids").fill("o3, mine")
    page.get_by_label("Model ids").press("Enter")
    assert page.locator("#id_models").input_value() == "gpt-4o-mini\no3\nmine"
    page.get_by_label("Model ids").press("Backspace")
    assert page.locator("#id_models").input_value() == "gpt-4o-mini\no3"
    page.get_by_role("button", name="Test connection").click()
    page.get_by_text("2 of 2 models found.").wait_for()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/models/openai/")
    page.get_by_text("openai is saved. It is being checked.").wait_for()
    page.get_by_role("button", name="Test now").click()
    page.locator("#status").get_by_text("Available").wait_for()


def test_another_type_fills_its_presets_in_and_the_preview_follows(page):
    page.goto("/models/new/")
    page.locator(".type-card", has_text="AWS Bedrock").click()
    page.get_by_label("Region").fill("eu-west-1")
    page.locator("#preview-endpoint").get_by_text(
        "https://bedrock-runtime.eu-west-1.amazonaws.com/model/"
    ).wait_for()
    assert page.get_by_label("Name", exact=True).input_value() == "bedrock"
    assert page.get_by_label("API key", exact=True).is_hidden()
    page.get_by_text("OAuth2", exact=True).click()
    assert page.get_by_label("Token URL").is_visible()
    assert page.get_by_label("Region").is_hidden()


def test_a_mistake_is_told_when_the_field_is_left(page):
    page.goto("/models/new/")
    page.get_by_label("Endpoint").fill("api.openai.com")
    page.get_by_label("Endpoint").press("Tab")
    page.locator("#id_endpoint_error").get_by_text("needs a scheme").wait_for()
    assert page.get_by_label("Endpoint").get_attribute("aria-invalid") == "true"


@pytest.mark.parametrize("status", [0, 500, 403])
def test_a_part_that_fails_to_load_is_told(page, problems, status):
    def fail(route):
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


def test_leaving_unsaved_changes_asks_first(page):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/models/new/")
    page.get_by_label("Name", exact=True).press_sequentially("x")
    page.goto("/models/")
    assert asked == ["beforeunload"]


def test_the_theme_changes_at_once_and_stays(page):
    page.goto("/")
    page.get_by_label("Your account and theme").click()
    page.get_by_role("button", name="Theme: dark").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"


def test_a_snippet_is_copied(page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.get_by_role("button", name="Copy the gateway URL").click()
    page.get_by_text("Copied", exact=True).wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/v1/chat/completions")


def test_tabs_change_in_place_and_the_way_back_leads_through_them(
    provider_row, page, problems
):
    page.goto("/models/openai/")
    page.evaluate("window.stays = true")
    tabs = page.get_by_role("navigation", name="Parts of openai")
    tabs.get_by_role("link", name="Usage").focus()
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Last 24 hours")
    heading.wait_for()
    assert page.evaluate("document.activeElement.id") == "tab-title"
    assert page.url.endswith("?tab=usage")
    assert tabs.locator("[aria-current]").inner_text() == "Usage"
    assert page.evaluate("window.stays") is True
    page.go_back()
    page.get_by_role("heading", name="Wired agents").wait_for()
    assert tabs.locator("[aria-current]").inner_text() == "Overview"


@pytest.fixture
def provider_row(provider):
    """A provider; made first, while no browser's loop is running."""
    return provider()


@pytest.fixture
def failed(record):
    """A failed call among others; made first, while no browser's loop is running."""
    for number in range(3):
        record(model=f"model-{number}", cost=Decimal("0.001"), stream=True)
    failed = record(status=502, outcome="upstream_error", error_code="overloaded")
    CallBody.objects.create(
        call_id=failed.call_id, stored_at=timezone.now(), asked="{}", sent="{}"
    )
    WorkspaceKey.issue("ci")
    return failed


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(failed, page, theme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page.goto("/models/new/")
    page.get_by_label("API key", exact=True).fill("sk-entered-0123456789abcdef")
    page.get_by_label("Model ids").fill("gpt-4o")
    page.get_by_label("Model ids").press("Enter")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url("**/models/openai/")
    page.get_by_label("Your account and theme").click()
    page.get_by_role("button", name=f"Theme: {theme}").click()
    for url in (
        "/",
        "/models/",
        "/models/new/",
        "/models/openai/",
        *(f"/models/openai/?tab={tab}" for tab in TABS),
        "/models/openai/edit/",
        "/models/openai/delete/",
        "/requests/",
        "/password/",
        "/playground/",
        "/usage/?range=1h",
        "/settings/api-keys/",
        "/settings/secrets/",
        "/settings/secrets/openai-key/",
        "/settings/secrets/openai-key/delete/",
        "/settings/gateway/",
        "/settings/audit-log/",
        f"/requests/{failed.call_id}/",
    ):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(url)
        found = axe.run(page)
        assert found.violations_count == 0, f"{url}: {found.generate_report()}"
        page.set_viewport_size(PHONE)
        page.goto(url)
        too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert too_wide <= 0, url
