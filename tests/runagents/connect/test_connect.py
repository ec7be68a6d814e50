"""The Connect page: recipes for a model and an agent, and the first request."""

import re
import time
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from providers.models import ProviderModel
from providers.roles import Role, give
from runagents.agents.models import Agent, AgentKey
from runagents.agents.registration import wire
from runagents.connect.recipes import RECIPES

pytestmark = pytest.mark.django_db

KEY = re.compile(r"ra_ag_[A-Za-z0-9]{38}")
PAGE = "/connect/"
REFUSED = {
    "outcome": "refused",
    "failed": True,
    "status": 401,
    "caller": "",
    "caller_kind": "",
    "provider": "",
    "model": "",
}


def text_of(response):
    return response.content.decode()


@pytest.fixture
def agent(provider):
    """The agent `support`, wired to `o3`, beside a provider with `gpt-4o-mini`."""
    provider()
    row = Agent.objects.create(name="support")
    wire(row, {"default": (provider("two", models=("o3",)), "o3")})
    return row


def arrival(client, since=None, **query):
    since = time.time() - 60 if since is None else since
    query = {"since": since, **query}
    return text_of(client.get(reverse("connect-arrival"), query))


def test_each_client_has_its_recipe_with_the_real_address(logged_in_client, agent):
    page = text_of(logged_in_client.get(PAGE))
    assert page.count('name="recipe"') == len(RECIPES)
    assert "http://testserver/v1/chat/completions" in page
    assert "aider --model openai/gpt-4o-mini" in page


def test_the_address_names_model_agent_and_client(logged_in_client, agent):
    page = text_of(logged_in_client.get(f"{PAGE}?agent=support&client=aider"))
    assert "aider --model openai/o3" in page
    assert "gpt-4o-mini" not in page
    assert re.search(r'id="aider" open', page)
    page = text_of(logged_in_client.get(f"{PAGE}?model=o3"))
    assert "aider --model openai/o3" in page


@pytest.mark.parametrize(
    "query", ["agent=nobody", "model=nothing", "client=none", "since=x", "since=1e99"]
)
def test_what_is_not_there_is_left_out(logged_in_client, agent, query):
    answer = logged_in_client.get(f"{PAGE}?{query}")
    assert answer.status_code == 200
    assert "openai/gpt-4o-mini" in text_of(answer)


def test_without_a_model_it_says_so(logged_in_client):
    assert "No enabled provider serves" in text_of(logged_in_client.get(PAGE))
    Agent.objects.create(name="bare")
    page = text_of(logged_in_client.get(f"{PAGE}?agent=bare"))
    assert "This agent is not wired to a model." in page


def test_a_new_key_stands_in_the_recipes_once(logged_in_client, agent):
    data = {"agent": "support", "model": "o3", "client": "curl"}
    answer = logged_in_client.post(reverse("connect-key"), data)
    assert answer.status_code == 302
    page = logged_in_client.get(answer.url)
    key = KEY.search(text_of(page)).group()
    assert f"Authorization: Bearer {key}" in text_of(page)
    assert page["Cache-Control"] == "no-store"
    assert AgentKey.objects.get().agent == agent
    assert not KEY.search(text_of(logged_in_client.get(answer.url)))


def test_a_key_of_nobody_is_not_made(logged_in_client):
    answer = logged_in_client.post(reverse("connect-key"), {"agent": "nobody"})
    assert answer.status_code == 404


def test_a_viewer_reads_and_makes_no_key(agent):
    user = User(username="viewer")
    give(user, Role.VIEWER)
    user.save()
    client = Client()
    client.force_login(user)
    page = text_of(client.get(f"{PAGE}?agent=support"))
    assert "New key of" not in page
    data = {"agent": "support"}
    assert client.post(reverse("connect-key"), data).status_code == 403
    assert not AgentKey.objects.exists()


# --- the first request ---


def test_it_waits_and_asks_again(logged_in_client, record):
    record(minutes_ago=5)
    page = arrival(logged_in_client)
    assert "Waiting for a request" in page
    assert 'hx-trigger="every 2s"' in page
    assert 'hx-get="/connect/arrival/?since=' in page


def test_the_page_waits_from_when_it_was_opened(logged_in_client, record):
    record(minutes_ago=0.1)
    assert "Waiting for a request" in text_of(logged_in_client.get(PAGE))


def test_an_answer_ends_the_waiting(logged_in_client, record):
    row = record(minutes_ago=0)
    page = arrival(logged_in_client)
    assert "It works." in page
    assert reverse("request-detail", args=[row.call_id]) in page
    assert "hx-trigger" not in page


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("invalid_api_key", "without a key, or with one that is unknown here"),
        ("unknown_url", "For most clients it ends in /v1"),
        ("model_not_found", "ask for one that stands on the Models page"),
    ],
)
def test_a_refusal_is_told_with_cause_and_cure(logged_in_client, record, code, cure):
    row = record(0, **REFUSED, error_code=code, error_message="So it was said.")
    page = arrival(logged_in_client, agent="support")
    assert "A request came, and was refused." in page
    assert code in page
    assert "So it was said." in page
    assert cure in page
    assert reverse("request-detail", args=[row.call_id]) in page
    assert 'hx-trigger="every 2s"' in page


def test_the_newest_call_counts(logged_in_client, record):
    record(0.5, **REFUSED, error_code="invalid_api_key")
    record(0)
    assert "It works." in arrival(logged_in_client)


def test_calls_of_others_and_of_the_console_do_not_count(logged_in_client, record):
    record(0, caller="other")
    record(0, caller="admin", caller_kind="console")
    assert "Waiting for a request" in arrival(logged_in_client, agent="support")


def test_waiting_begins_an_hour_ago_at_the_most(logged_in_client, record):
    record(minutes_ago=61)
    assert "Waiting for a request" in arrival(logged_in_client, since=0)
    record(minutes_ago=59)
    assert "It works." in arrival(logged_in_client, since=0)


def test_other_pages_lead_here(logged_in_client, agent):
    page = text_of(logged_in_client.get("/agents/support/?tab=connect"))
    assert 'href="/connect/?model=o3&amp;agent=support"' in page
    assert 'href="/connect/"' in text_of(logged_in_client.get("/"))


def test_a_client_is_given_a_model_of_the_kind_it_asks_for(logged_in_client, provider):
    provider(models=("text-embedding-3-small", "gpt-4o", "docs"))
    ProviderModel.objects.filter(model_id="docs").update(
        capabilities={"kind": "embedding"}
    )
    page = logged_in_client.get(PAGE)
    assert page.context["model"] == "gpt-4o"
    assert 'embeddings.create(model="text-embedding-3-small"' in unescape(text_of(page))
    page = logged_in_client.get(f"{PAGE}?model=docs")
    text = unescape(text_of(page))
    assert 'embeddings.create(model="docs"' in text
    assert "aider --model openai/gpt-4o" in text
    assert re.search(r'id="embeddings-openai" open', text)


def test_without_a_fitting_model_a_word_stands_for_it(logged_in_client, provider):
    provider(models=("gpt-4o",))
    page = unescape(text_of(logged_in_client.get(PAGE)))
    assert 'embeddings.create(model="MODEL"' in page


def test_an_agents_own_embedding_model_is_known(logged_in_client, provider):
    row = provider(models=("docs", "gpt-4o"))
    ProviderModel.objects.filter(model_id="docs").update(
        capabilities={"kind": "embedding"}
    )
    bot = Agent.objects.create(name="bot")
    wire(bot, {"embedding": (row, "docs"), "default": (row, "gpt-4o")})
    page = logged_in_client.get(f"{PAGE}?agent=bot")
    assert page.context["model"] == "gpt-4o"
    assert 'embeddings.create(model="docs"' in unescape(text_of(page))


@pytest.mark.parametrize(
    ("door", "code", "words"),
    [
        ("messages", "unknown_url", "add /v1/messages themselves"),
        ("chat", "unknown_url", "it ends in /v1"),
        ("messages", "invalid_api_key", "sign out there"),
        ("messages", "model_not_found", "their own for small tasks"),
        ("embeddings", "model_not_found", "Register the embedding model"),
        ("responses", "model_not_found", "stands on the Models page"),
    ],
)
def test_what_went_wrong_at_a_door_is_told_in_its_words(
    logged_in_client, record, door, code, words
):
    record(**{**REFUSED, "door": door, "error_code": code, "minutes_ago": 0})
    shown = arrival(logged_in_client)
    assert words in shown
    assert f"(door {door.capitalize()})" in shown


def test_the_door_of_the_first_answer_is_told(logged_in_client, record):
    record(door="responses", minutes_ago=0)
    assert "at the door Responses" in arrival(logged_in_client)
