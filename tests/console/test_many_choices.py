"""A thousand providers with four models each: pages stay small, all can be chosen."""

import gzip
import re

import pytest
from django.http import QueryDict
from django.urls import reverse

from gateway.console.playground_form import PlaygroundForm
from providers import choices
from providers.models import ModelProvider, ProviderModel
from runagents.agents import drafts
from runagents.agents.detection import Analysis
from runagents.agents.models import Agent, Draft

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
    page = logged_in_client.get(agent.get_absolute_url())
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 4000)


def test_the_wire_step_stays_small(logged_in_client, draft):
    page = logged_in_client.get(draft.url())
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 1000)


def test_the_playground_stays_small(logged_in_client, crowd):
    page = logged_in_client.get("/playground/")
    assert len(gzip.compress(page.content, 6)) < 60_000
    assert shows_suggestions(text_of(page), 4000)
    # As a menu would, it has the first model chosen.
    assert 'value="p000/vendor/model-0-0"' in text_of(page)


def test_few_models_are_a_menu(logged_in_client, provider):
    provider(models=tuple(f"m{number}" for number in range(choices.FEW)))
    agent = Agent.objects.create(name="bot")
    for url in ("/playground/", agent.get_absolute_url()):
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
    for name, expected in (("p777", True), ("p7777", False)):
        data = {"1-role": "chat", "1-provider": name, "1-model": ""}
        page = text_of(logged_in_client.post(url, data))
        assert ("vendor/model-777-2" in page) is expected
        assert ("is not there to be chosen" in page) is not expected


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
