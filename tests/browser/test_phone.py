"""A phone shows what matters first, and paper what a page says."""

from typing import Any

import pytest

from tests.e2e.processes import Server

HIGHEST_ROW = 120


@pytest.fixture(scope="module")
def called(console: Server) -> Server:
    """A server with a call that failed, of a long model's name."""
    long = "a-model-with-a-name/as-long-as-those-of-hubs-are-128k-instruct-q4"
    spec = {
        "provider": "openai",
        "endpoint": "http://127.0.0.1:9/v1",
        "models": [long],
        "auth": {"type": "None"},
        "options": {"private_network": True},
    }
    console.apply({"model_providers": [{"name": "away", "spec": spec}]})
    console.settle(long)
    console.chat(long)
    assert console.rows(1, provider="away")
    return console


def test_requests_fit_on_a_phone(page: Any, called: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/requests/")
    heights = page.evaluate(
        "[...document.querySelectorAll('.requests-table tbody tr')]"
        ".map((row) => row.getBoundingClientRect().height)"
    )
    assert heights
    assert max(heights) < HIGHEST_ROW
    assert page.get_by_text("away", exact=False).first.is_visible()


@pytest.mark.parametrize("path", ["/requests/", "/usage/", "/settings/audit-log/"])
def test_filters_fold_on_a_phone(page: Any, called: Server, path: str) -> None:
    page.goto(path)
    assert page.get_by_role("button", name="Filter", exact=True).is_visible()
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.get_by_role("button", name="Filter", exact=True).is_hidden()
    page.locator("summary", has_text="Filters").press("Enter")
    assert page.get_by_role("button", name="Filter", exact=True).is_visible()


def test_filters_in_use_are_seen(page: Any, called: Server) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto("/requests/?provider=away")
    assert page.get_by_label("Provider").input_value() == "away"
    assert page.get_by_label("Provider").is_visible()


def test_paper_shows_what_a_page_says_and_nothing_to_press(
    page: Any, called: Server
) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto("/requests/")
    assert page.locator(".topbar").is_hidden()
    assert page.locator(".sidebar").is_hidden()
    assert page.get_by_role("button", name="Filter", exact=True).is_hidden()
    assert page.locator(".requests-table").is_visible()
    colour = "getComputedStyle(document.querySelector('h1')).color"
    assert page.evaluate(colour) == "rgb(23, 27, 34)"
