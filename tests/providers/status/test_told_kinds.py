"""What a model is for is asked of its server while its provider is new.

The answers are Ollama's: https://docs.ollama.com/api-reference/show-model-details
"""

import json

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from providers import status, transport
from providers.models import ModelProvider
from runagents.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)

TOLD = {
    "qwen3:8b": ["completion", "tools", "thinking"],
    "embedder-of-jokes": ["completion"],
    "paraphrase": ["embedding"],
    "nomic-embed-text": ["embedding"],
    "old-server": None,
}


def answering(seen):
    def respond(request):
        if request.method == "POST":
            model = json.loads(request.content)["model"]
            seen.append(model)
            return httpx.Response(200, json={"capabilities": TOLD[model]})
        if request.url.path == "/api/version":
            return httpx.Response(200, json={"version": "0.13.0"})
        models = [{"name": name} for name in TOLD]
        return httpx.Response(200, json={"models": models})

    return httpx.MockTransport(respond)


def checked(seen):
    with transport.use(answering(seen)):
        async_to_sync(status.check_due)(timezone.now())


@pytest.fixture
def ollama(provider):
    """A new provider of all these models."""
    row = provider("home", provider_type="ollama", models=tuple(TOLD))
    ModelProvider.objects.update(status="pending")
    return row


def kinds(row):
    return {each.model_id: each.kind for each in row.provider_models.all()}


def test_what_its_server_tells_holds_where_names_tell_another(ollama):
    assert kinds(ollama)["paraphrase"] == "chat"
    checked(seen := [])
    assert sorted(seen) == sorted(TOLD)
    assert kinds(ollama) == {
        "qwen3:8b": "chat",
        "embedder-of-jokes": "chat",
        "paraphrase": "embedding",
        "nomic-embed-text": "embedding",
        "old-server": "chat",
    }
    told = {r.model_id: r.capabilities for r in ollama.provider_models.all()}
    assert told["qwen3:8b"] == told["nomic-embed-text"] == {}
    assert AuditEntry.objects.filter(label__contains="paraphrase").exists()


def test_what_an_administrator_said_is_not_asked(ollama):
    ollama.provider_models.filter(model_id="paraphrase").update(
        capabilities={"kind": "chat"}
    )
    checked(seen := [])
    assert "paraphrase" not in seen
    assert kinds(ollama)["paraphrase"] == "chat"


def test_who_is_known_already_is_not_asked_at_each_check(ollama):
    ModelProvider.objects.update(status="available", status_checked_at=None)
    checked(seen := [])
    assert seen == []
