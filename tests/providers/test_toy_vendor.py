"""A type of provider that only this file knows works on every page and path.

Nothing of the packages is changed for it: a vendor is a row of a table that is read
when it is asked.
"""

import asyncio

import httpx
import pytest

from providers import status, transport
from providers.forms.provider import ProviderForm
from providers.models import ModelProvider, WorkspaceKey
from providers.vendors import VENDORS
from tests.toys import toy_vendor

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def _toy(monkeypatch):
    monkeypatch.setitem(VENDORS, "toy", toy_vendor.VENDOR)


@pytest.fixture
def toys():
    """Stands in for the vendor: lists two models, and tells what it was asked."""
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(200, json={"toys": ["bear", "train"]})

    with transport.use(httpx.MockTransport(answer)):
        yield asked


def entered(**changed):
    return {
        "name": "toys",
        "provider_type": "toy",
        "endpoint": "https://toys.example",
        "auth_type": "none",
        "models": "bear",
        **changed,
    }


@pytest.fixture
def saved(db):
    form = ProviderForm(entered())
    assert form.is_valid(), form.errors
    return form.save()


@pytest.fixture
def key(db):
    return {"X-RunAgents-API-Key": WorkspaceKey.issue("ci").plaintext}


def test_it_is_among_the_types_to_choose(logged_in_client):
    page = logged_in_client.get("/models/new/").content.decode()
    assert 'name="provider_type" value="toy"' in page
    assert "<b>Toy</b>" in page
    empty = logged_in_client.get("/models/").content.decode()
    assert "/models/new/?type=toy" in empty
    assert "AWS Bedrock, Ollama or Toy" in empty


@pytest.mark.parametrize("kind", ["openai", "anthropic", "bedrock", "ollama", "toy"])
def test_every_type_can_be_begun_with(logged_in_client, kind):
    page = logged_in_client.get(f"/models/new/?type={kind}")
    assert page.status_code == 200
    posted = entered(provider_type=kind, shown_type="toy")
    part = logged_in_client.post("/models/form/fields/", posted, **HTMX)
    assert part.status_code == 200


def test_the_preview_shows_its_path(logged_in_client):
    part = logged_in_client.post(
        "/models/form/preview/?part=endpoint", entered(), **HTMX
    )
    assert "https://toys.example/play" in part.content.decode()


def test_it_is_saved_by_the_form_and_shown(logged_in_client):
    answer = logged_in_client.post("/models/new/", entered())
    row = ModelProvider.objects.get()
    assert answer.url == row.get_absolute_url()
    assert row.provider_type == "toy"
    for page in (
        "/models/",
        "/models/?type=toy",
        "/models/toys/",
        "/models/toys/edit/",
    ):
        html = logged_in_client.get(page).content.decode()
        assert "Toy" in html
        assert "toys" in html


def test_it_is_validated_by_the_model_too(saved):
    saved.full_clean()


def test_its_own_questions_check_it(saved, toys):
    result = asyncio.run(status.check(saved, models=["bear", "ball"]))
    assert [str(request.url) for request in toys] == ["https://toys.example/toys"]
    assert (result.status, result.models) == ("available", ["bear", "train"])
    assert [missing.model for missing in result.missing] == ["ball"]


def test_its_own_call_tries_a_model(logged_in_client, toys):
    posted = entered(trial="1")
    page = logged_in_client.post("/models/form/test/", posted, **HTMX)
    assert "bear answered in" in page.content.decode()
    assert toys[-1].url.path == "/play"


def test_it_is_listed_by_the_api(client, saved, key):
    answer = client.get("/api/v1/model-providers", headers=key)
    assert answer.json()[0]["spec"]["provider"] == "toy"


def test_the_api_takes_it(client, db, key):
    thing = {
        "name": "toys",
        "spec": {
            "provider": "Toy",
            "endpoint": "https://toys.example",
            "models": ["bear"],
            "auth": {"type": "None"},
        },
    }
    path = "/api/v1/model-providers"
    answer = client.post(path, thing, "application/json", headers=key)
    assert answer.status_code == 201, answer.content
    assert ModelProvider.objects.get().provider_type == "toy"


def test_a_row_whose_type_is_gone_breaks_no_page(logged_in_client, saved, monkeypatch):
    monkeypatch.delitem(VENDORS, "toy")
    for page in ("/models/", "/models/toys/", "/models/toys/edit/", "/models/new/"):
        assert logged_in_client.get(page).status_code == 200
