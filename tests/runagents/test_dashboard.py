"""The Dashboard: first steps, figures, what needs attention."""

import pytest
from django.utils import timezone

from gateway.ledger import summaries
from providers.models import ModelProvider, WorkspaceKey
from runagents.agents import registration
from runagents.agents.models import Agent


def test_the_first_visit_offers_two_ways(logged_in_client, db):
    page = logged_in_client.get("/").content.decode()
    assert "Deploy Hello World Agent" in page
    assert "I have my own code" in page
    assert "0 of 4 done" in page
    assert "estimated from list prices" not in page


def test_the_steps_are_read_from_the_data(logged_in_client, provider, record):
    row = provider()
    assert "1 of 4 done" in logged_in_client.get("/").content.decode()
    row.set_status("available", "Connected.")
    assert "2 of 4 done" in logged_in_client.get("/").content.decode()
    WorkspaceKey.issue("ci")
    assert "3 of 4 done" in logged_in_client.get("/").content.decode()
    record()
    assert "Getting started" not in logged_in_client.get("/").content.decode()


def test_a_key_is_an_api_key_or_an_agents(logged_in_client, db):
    page = logged_in_client.get("/").content.decode()
    assert (
        'Create an <a href="/settings/api-keys/">API key</a> '
        'or <a href="/agents/">agent</a>' in page
    )


def test_the_hero_goes_once_an_agent_exists(logged_in_client, db):
    Agent.objects.create(name="support-bot")
    assert "Welcome to" not in logged_in_client.get("/").content.decode()


def test_hello_world_is_offered_until_it_is_deployed(logged_in_client, db):
    Agent.objects.create(name="support-bot")
    page = logged_in_client.get("/").content.decode()
    assert page.count("Deploy Hello World Agent") == 1
    registration.deploy_hello_world()
    assert "Deploy Hello World Agent" not in logged_in_client.get("/").content.decode()


def test_the_figures_cover_the_last_day(logged_in_client, record):
    record(input_tokens=1200, output_tokens=300, cost="0.02")
    record(status=502, outcome="upstream_error", input_tokens=None)
    record(minutes_ago=60 * 25)
    page = logged_in_client.get("/").content.decode()
    assert '<p class="value">2</p><p class="note">1 failed</p>' in page
    assert "1.2K / 305" in page
    assert "$0.02" in page


def test_an_unknown_cost_is_not_nothing(logged_in_client, record):
    record()
    page = logged_in_client.get("/").content.decode()
    assert '<p class="value">—</p><p class="note">estimated from list prices' in page


def test_recent_errors_lead_to_their_request(logged_in_client, record):
    failed = record(status=502, outcome="upstream_error")
    fine = record()
    page = logged_in_client.get("/").content.decode()
    assert f"/requests/{failed.call_id}/" in page
    assert f"/requests/{fine.call_id}/" not in page


def test_failing_providers_are_named(logged_in_client, provider):
    provider("good").set_status("available", "Connected.")
    provider("bad").set_status("failed", "No secret is stored. Enter one.")
    page = logged_in_client.get("/").content.decode()
    assert "No secret is stored. Enter one." in page
    assert "/models/good/" not in page


@pytest.mark.parametrize("count", [1, 30])
def test_the_dashboard_needs_a_fixed_number_of_queries(
    logged_in_client, provider, record, django_assert_max_num_queries, count
):
    for number in range(count):
        provider(f"p{number}").set_status("failed", "Broken.")
        record(status=502, outcome="upstream_error")
    with django_assert_max_num_queries(15):
        logged_in_client.get("/")


def test_the_models_asked_for_most_are_shown(logged_in_client, record):
    for _number in range(2):
        record(model="gpt-4o", cost="0.25")
    record(model="o3", input_tokens=None, output_tokens=None)
    page = logged_in_client.get("/").content.decode()
    top = page.partition("Top models")[2].partition("</table>")[0]
    assert top.index("gpt-4o") < top.index("o3")
    assert "$0.50" in top
    assert "0 / 0" in top


def page_of(client, query=""):
    return " ".join(client.get(f"/{query}").content.decode().split())


@pytest.fixture
def half_past(monkeypatch):
    """The clock stands at half past: what was minutes ago is of one hour."""
    moment = timezone.now().replace(minute=30)
    monkeypatch.setattr("django.utils.timezone.now", lambda: moment)


@pytest.mark.usefixtures("half_past")
def test_figures_are_compared_with_the_day_before(logged_in_client, record):
    for minutes in (5, 10, 15):
        record(minutes_ago=minutes, cost="0.02")
    record(minutes_ago=60 * 24 + 5, cost="0.08")
    record(minutes_ago=60 * 24 + 600, status=502, outcome="upstream_error")
    # Today's hour is not over: neither is the one that it is compared with.
    record(minutes_ago=60 * 24 - 5)
    summaries.refresh(summaries.unfinished())
    page = page_of(logged_in_client)
    assert "+50 % to the 24 hours before" in page
    assert "50.0 % before" in page
    assert "\N{MINUS SIGN}100 % to the 24 hours before" in page
    assert "\N{MINUS SIGN}25 % to the 24 hours before" in page


def test_a_week_is_compared_with_the_week_before(logged_in_client, record):
    for days in (0, 1, 3, 6, 8, 13):
        record(minutes_ago=60 * 24 * days + 30)
    record(minutes_ago=60 * 24 * 15)
    summaries.refresh(summaries.unfinished())
    page = page_of(logged_in_client, "?range=7d")
    assert '<p class="value">4</p><p class="note">0 failed</p>' in page
    assert "+100 % to the 7 days before" in page
    assert "/requests/?span=7d" in page
    assert "per 6 hours" in page


def test_nothing_before_is_compared_with_nothing(logged_in_client, record):
    record()
    assert "hours before" not in page_of(logged_in_client)


def test_a_provider_s_troubles_come_first(logged_in_client, provider, record):
    for name in ("down", "losing", "fine"):
        provider(name)
    down = ModelProvider.objects.get(name="down")
    down.set_status("unavailable", "Cannot reach it.")
    for _number in range(6):
        for name in ("down", "losing"):
            record(provider=name, status=502, outcome="upstream_error")
        record(provider="losing")
        record(provider="fine")
    record(provider="fine", status=502, outcome="upstream_error")
    page = page_of(logged_in_client)
    first, _rest = page.split('id="trend-title"')
    assert "Cannot reach it." in first
    assert first.count(">down</a>") == 1
    assert "50 % failed" in first
    assert "?provider=losing&amp;outcome=failed&amp;span=24h" in first
    assert ">fine</a>" not in first


@pytest.mark.parametrize(("name", "queries"), [("24h", 15), ("7d", 19)])
def test_both_ranges_need_a_fixed_number_of_queries(
    logged_in_client, record, django_assert_max_num_queries, name, queries
):
    for number in range(30):
        record(minutes_ago=number * 60 * 12, model=f"m{number}")
    summaries.refresh(summaries.unfinished())
    with django_assert_max_num_queries(queries):
        logged_in_client.get(f"/?range={name}")
