"""The Dashboard: first steps, figures, what needs attention."""

import pytest

from providers.models import WorkspaceKey
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
