"""Charts: their texts keep clear of each other, and keys tell what a bar stands for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.browser.conftest import Axe, complaints, signed_in
from tests.e2e import registries
from tests.e2e.processes import Server

# Texts of a chart that meet another one or leave their card.
MET = """
[...document.querySelectorAll(".plot")].flatMap((plot) => {
  const card = plot.closest(".card").getBoundingClientRect();
  const boxes = [...plot.querySelectorAll("text, .ticks li")]
    .map((each) => [each.textContent, each.getBoundingClientRect()])
    .filter(([, box]) => box.width);
  const leaves = ([, box]) => box.left < card.left || box.right > card.right;
  const found = boxes.filter(leaves);
  const met = found.map(([text]) => `${text} leaves the card`);
  boxes.forEach(([text, box], n) => boxes.slice(n + 1).forEach(([other, beside]) => {
    const across = box.left < beside.right && beside.left < box.right;
    if (across && box.top < beside.bottom && beside.top < box.bottom)
      met.push(`${text} meets ${other}`);
  }));
  return met;
})
"""
SUM_UP = """
from gateway.ledger import summaries
summaries.refresh(summaries.unfinished())
"""
TODAY = datetime.now(UTC).date()
TIMES = [
    *(f"range={name}" for name in ("1h", "24h", "7d", "30d")),
    *(f"since={TODAY - timedelta(days=days)}" for days in (1, 4, 13, 61, 200, 365)),
]


@pytest.fixture(scope="module")
def called(console: Server) -> Server:
    """A server with a call that failed, summed up."""
    away = registries.openai("away", "http://127.0.0.1:9", "gone")
    console.apply(registries.registry(away))
    console.settle("gone")
    console.chat("gone")
    assert console.rows(1, provider="away")
    # The server does so, too, within a minute or two.
    console.run("manage.py", "shell", "-c", SUM_UP)
    return console


@pytest.mark.parametrize("width", [360, 801, 1100, 1280, 1920])
def test_no_texts_of_a_chart_meet(page: Any, called: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for time in TIMES:
        page.goto(f"/usage/?{time}")
        assert page.locator(".plot").count() >= 2, time
        assert page.evaluate(MET) == [], time
        assert page.locator(".plot").first.locator("text:visible").count() >= 1


def test_keys_tell_what_bars_stand_for(page: Any, called: Server) -> None:
    page.goto("/usage/?range=24h")
    chart = page.locator("[data-chart]").first
    chart.locator("svg").focus()
    page.keyboard.press("End")
    told = chart.locator("output")
    if "UTC: 0" in told.inner_text():  # The hour of the call is over.
        page.keyboard.press("ArrowLeft")
    last = told.inner_text()
    assert "UTC: 1" in last
    assert "gone: 1" in last
    page.keyboard.press("ArrowLeft")
    assert told.inner_text() != last
    assert "UTC: 0" in told.inner_text()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Escape")
    assert told.inner_text() == ""


def test_the_pointer_is_told_too(page: Any, called: Server) -> None:
    page.goto("/usage/?range=24h")
    chart = page.locator("[data-chart]").first
    told = ""
    for hour in (-1, -2):  # That of the call may be over.
        chart.locator(".hit").nth(hour).hover()
        told += chart.locator("output").inner_text()
    assert "gone: 1" in told


def test_without_scripts_bars_have_titles_and_tables(
    called: Server, open_page: Callable[..., Any]
) -> None:
    page = signed_in(open_page(called.url, scripts=False), called)
    page.goto("/usage/?range=24h&by=provider")
    titles = page.locator(".hit title").all_text_contents()
    assert any("away: 1" in title for title in titles)
    page.get_by_text("Figures of the charts as a table").click()
    assert page.get_by_role("columnheader", name="From (UTC)").is_visible()


@pytest.mark.parametrize("by", ["model", "provider", "caller", "key"])
def test_usage_shuts_nobody_out(page: Any, called: Server, axe: Axe, by: str) -> None:
    page.goto(f"/usage/?range=24h&by={by}")
    assert complaints(page, axe, by) == []


def test_a_line_leads_on_with_what_is_filtered(page: Any, called: Server) -> None:
    page.goto("/usage/?range=7d")
    page.get_by_role("link", name="By provider").click()
    page.get_by_role("link", name="away", exact=True).click()
    assert page.get_by_label("Provider").input_value() == "away"
    assert page.get_by_role("link", name="7 days").get_attribute("aria-current")
    page.get_by_role("link", name="1 requests of gone").click()
    assert page.get_by_role("cell", name="gone").first.is_visible()


def test_the_dashboard_has_a_chart_and_two_ranges(
    page: Any, called: Server, axe: Axe
) -> None:
    page.goto("/?range=7d")
    assert page.locator("[data-chart] svg").is_visible()
    assert page.evaluate(MET) == []
    assert complaints(page, axe, "dashboard of 7 days") == []
