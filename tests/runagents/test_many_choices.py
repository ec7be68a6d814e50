"""A thousand providers with four models each: pages stay small, all can be chosen."""

import gzip
import re
import sqlite3

import pytest
from django.db import connection
from django.http import QueryDict
from django.urls import reverse

from gateway.console.playground_form import PlaygroundForm
from providers import choices
from providers.models import ModelProvider, ProviderModel, Secret
from runagents.agents.detection import Analysis
from runagents.agents.models import Agent, Draft
from runagents.agents.wizard import drafts

LAST = "p999/vendor/model-999-3"


@pytest.fixture
def crowd(db):
    """A thousand providers, four thousand models."""
    ModelProvider.objects.bulk_create(
        ModelProvider(
            name=f"p{number:03}",
            endpoint=f"https://p{number}.example.com",
            auth_type="none",
        )
        for number in range(1000)
    )
    ProviderModel.objects.bulk_create(
        ProviderModel(
            provider=provider,
            model_id=f"vendor/model-{number}-{place}",
            position=place,
        )
        for number, provider in enumerate(ModelProvider.objects.order_by("name"))
        for place in range(4)
    )


@pytest.fixture
def agent(crowd):
    """An agent without wires."""
    return Agent.objects.create(name="bot")


@pytest.fixture
def draft(crowd):
    """A draft with three roles."""
    row = drafts.begin(Analysis(), ["agent.py"])
    needs = drafts.needs(row)
    while len(needs) < 3:
        needs = drafts.added(needs)
    drafts.store_needs(row, needs)
    return Draft.objects.get(pk=row.pk)


@pytest.fixture
def secrets(db):
    """A thousand stored keys for one address."""
    rows = [Secret(name=f"s{number:03}", sealed=b"") for number in range(1000)]
    for row in rows:
        row.store({"api_key": f"sk-{row.name:0>20}"}, ["https://api.example.com:443"])
    Secret.objects.bulk_create(rows)


@pytest.fixture
def router(db):
    """A provider that serves as many models as one may."""
    row = ModelProvider.objects.create(
        name="router", endpoint="https://router.example.com", auth_type="none"
    )
    ProviderModel.objects.bulk_create(
        ProviderModel(provider=row, model_id=f"org/model-{place}", position=place)
        for place in range(2000)
    )


@pytest.fixture
def routed(router):
    """A draft with a card for each role it may have, all of the same provider."""
    row = drafts.begin(Analysis(), ["agent.py"])
    wired = {"provider": "router", "model_id": "org/model-7", "is_settled": True}
    drafts.store_needs(
        row, [drafts.Need(f"role-{n}", **wired) for n in range(drafts.MAX_NEEDS)]
    )
    return row


def text_of(response):
    return response.content.decode()


def shows_suggestions(page, number):
    """Tell whether fields name lists; each is there once, with `number` options."""
    named = set(re.findall(r' list="([^"]+)"', page)) - {"roles"}
    for uid in named:
        lists = re.findall(f'<datalist id="{uid}">(.*?)</datalist>', page)
        assert [text.count("<option") for text in lists] == [number]
    return bool(named)


def test_an_agent_s_page_stays_small(logged_in_client, agent):
    page = logged_in_client.get(f"{agent.get_absolute_url()}?tab=wires")
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 4000)


def test_an_agent_s_page_in_the_admin_stays_small(admin_client, agent):
    first = ModelProvider.objects.earliest("pk")
    for role in ("default", "chat"):
        agent.wires.create(role=role, provider=first, model_id="vendor/model-0-0")
    page = admin_client.get(reverse("admin:agents_agent_change", args=[agent.pk]))
    # Providers are searched for: of a thousand, each row has its own.
    names = re.findall(r"<option[^>]*>(p\d+)</option>", text_of(page))
    assert names == ["p000", "p000"]
    found = admin_client.get(
        reverse("admin:autocomplete"),
        {"app_label": "agents", "model_name": "wire", "field_name": "provider"}
        | {"term": "p777"},
    )
    assert [each["text"] for each in found.json()["results"]] == ["p777"]


def test_the_wire_step_stays_small(logged_in_client, draft):
    page = logged_in_client.get(draft.url())
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 1000)


def test_the_playground_stays_small(logged_in_client, crowd):
    page = logged_in_client.get("/playground/")
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 4000)
    assert 'placeholder="Type to search"' in text_of(page)
    # As a menu would, it has the first model chosen.
    assert 'value="p000/vendor/model-0-0"' in text_of(page)


def test_stored_secrets_are_typed_as_well(logged_in_client, secrets):
    page = logged_in_client.get("/models/new/")
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 1000)
    posted = {
        "name": "one",
        "provider_type": "openai",
        "endpoint": "https://api.example.com",
        "auth_type": "api_key",
        "header_name": "Authorization",
        "models": "m1",
    }
    answer = logged_in_client.post("/models/new/", posted | {"secret": "nobody's"})
    assert "no secret named <code>nobody&#x27;s</code>" in text_of(answer)
    assert shows_suggestions(text_of(answer), 1000)
    answer = logged_in_client.post("/models/new/", posted | {"secret": "s777 "})
    assert ModelProvider.objects.get().secret.name == "s777"
    page = text_of(logged_in_client.get(f"{answer.url}edit/"))
    assert 'value="s777" list="stored-secrets"' in page


@pytest.mark.parametrize("url", ["/models/", "/models/router/"])
def test_of_very_many_models_a_page_shows_some(logged_in_client, router, url):
    page = text_of(logged_in_client.get(url))
    assert page.count(">org/model-") == 100
    assert 'href="/models/router/?tab=models">All 2,000 models</a>' in page


def test_models_beyond_what_one_query_may_name_are_listed(logged_in_client, router):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's limit")
    # As some systems build it; others allow a quarter of a million.
    limit = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    before = connection.connection.setlimit(limit, 999)
    try:
        assert logged_in_client.get("/models/").status_code == 200
    finally:
        connection.connection.setlimit(limit, before)


@pytest.mark.parametrize(
    ("name", "queries"),
    [("/agents/bot/?tab=wires", 13), ("/playground/", 4), ("wire", 8)],
)
def test_however_many_there_are_few_queries_find_them(
    logged_in_client, agent, draft, django_assert_max_num_queries, name, queries
):
    url = draft.url() if name == "wire" else name
    with django_assert_max_num_queries(queries):
        logged_in_client.get(url)


def test_few_models_are_a_menu(logged_in_client, provider):
    provider(models=tuple(f"m{number}" for number in range(choices.FEW)))
    agent = Agent.objects.create(name="bot")
    for url in ("/playground/", f"{agent.get_absolute_url()}?tab=wires"):
        page = text_of(logged_in_client.get(url))
        assert "<select" in page
        assert not shows_suggestions(page, 0)


def test_any_model_can_be_wired(logged_in_client, agent):
    url = reverse("agent-wire", args=["bot"])
    answer = logged_in_client.post(url, {"role_default": LAST})
    assert answer.status_code == 302
    wire = agent.wires.get()
    assert f"{wire.provider.name}/{wire.model_id}" == LAST
    assert f'value="{LAST}"' in text_of(logged_in_client.get(answer.url))


def test_a_made_up_model_is_named(logged_in_client, agent):
    url = reverse("agent-wire", args=["bot"])
    answer = logged_in_client.post(url, {"role_default": "p1/none"})
    assert answer.status_code == 422
    assert "<code>p1/none</code> is not there to be chosen." in text_of(answer)
    assert not agent.wires.exists()


def test_a_card_takes_a_typed_provider(logged_in_client, draft):
    url = f"{reverse('agent-draft-card')}?draft={draft.uid}&card=1"
    for name, expected in (("p777 ", True), ("p7777", False)):
        data = {"1-role": "chat", "1-provider": name, "1-model": ""}
        page = text_of(logged_in_client.post(url, data))
        assert ("vendor/model-777-2" in page) is expected
        assert ("is not there to be chosen" in page) is not expected


def test_cards_share_the_models_of_a_large_provider(logged_in_client, routed):
    page = logged_in_client.get(routed.url())
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 2000)


def test_a_card_brings_the_models_of_a_large_provider(logged_in_client, routed):
    url = f"{reverse('agent-draft-card')}?draft={routed.uid}&card=1"
    data = {"1-role": "chat", "1-provider": "router", "1-model": "org/model-1999"}
    first = text_of(logged_in_client.post(url, data))
    assert shows_suggestions(first, 2000)
    assert 'value="org/model-1999"' in first
    # What it brings is its own: the page may have the same under another id.
    (uid,) = re.findall(r'<datalist id="([^"]+)"', first)
    assert f'<datalist id="{uid}"' not in text_of(logged_in_client.get(routed.url()))


def test_without_scripts_a_card_asks_for_its_models(logged_in_client, draft):
    posted = {f"{n}-role": f"r{n}" for n in range(3)} | {"refresh": "1"}
    answer = logged_in_client.post(draft.url(), posted | {"1-provider": "p777"})
    page = text_of(logged_in_client.get(answer.url))
    assert "vendor/model-777-2" in page
    answer = logged_in_client.post(draft.url(), posted | {"1-provider": "p7777"})
    assert "<code>p7777</code> is not there to be chosen." in text_of(answer)


def test_a_mistyped_model_changes_nothing(logged_in_client, routed):
    url = f"{reverse('agent-draft-card')}?draft={routed.uid}&card=1"
    data = {"1-role": "chat", "1-provider": "router", "1-model": "org/none"}
    page = text_of(logged_in_client.post(url, data))
    assert "<code>org/none</code> is not there to be chosen." in page
    assert "Not wired" in page
    row = Draft.objects.get(pk=routed.pk)
    assert drafts.needs(row)[1].model_id == "org/model-7"


def test_provider_and_model_can_be_typed_at_once(logged_in_client, routed, provider):
    provider("other", models=("m1", "m2"))
    data = {"1-role": "chat", "1-provider": "other", "1-model": "m2"}
    url = f"{reverse('agent-draft-card')}?draft={routed.uid}&card=1"
    logged_in_client.post(url, data)
    need = drafts.needs(Draft.objects.get(pk=routed.pk))[1]
    assert (need.provider, need.model_id) == ("other", "m2")


def test_a_mistaken_card_is_not_wired(logged_in_client, draft):
    url = f"{reverse('agent-draft-card')}?draft={draft.uid}&card=1"
    model = "vendor/model-777-2"
    data = {"1-role": "chat", "1-provider": "p777", "1-model": model}
    logged_in_client.post(url, data)
    assert "Not wired" not in text_of(logged_in_client.post(url, data))
    page = logged_in_client.post(url, {**data, "1-provider": "nobody"})
    assert "Not wired" in text_of(page)


def test_more_than_are_suggested_can_be_asked(crowd, monkeypatch):
    monkeypatch.setattr(choices, "SUGGESTED", 10)
    form = PlaygroundForm(QueryDict(f"model={LAST}&message=hi"))
    assert form.is_valid()
    assert len(form.offered.suggestions) == 10
