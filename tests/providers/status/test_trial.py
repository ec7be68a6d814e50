"""A trial is one real call of one token, in the provider's own format."""

import httpx
import msgspec
import pytest
from asgiref.sync import async_to_sync
from django.urls import reverse

from providers import transport
from providers.status import trial
from providers.vendors import VENDORS

pytestmark = pytest.mark.django_db


def tried(provider, answer, model="m:1", kind="chat"):
    """Return what came of the trial, and the request that was sent."""
    sent = []

    def respond(request):
        sent.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with transport.use(httpx.MockTransport(respond)):
        return async_to_sync(trial.call)(provider, model, kind), sent


@pytest.mark.parametrize(
    ("fields", "target", "body"),
    [
        (
            {"provider_type": "openai"},
            "/v1/chat/completions",
            {"model": "m:1", "max_tokens": 1},
        ),
        (
            {"provider_type": "anthropic"},
            "/v1/messages",
            {"model": "m:1", "max_tokens": 1},
        ),
        (
            {"provider_type": "bedrock", "region": "us-east-1"},
            "/model/m%3A1/converse",
            {"inferenceConfig": {"maxTokens": 1}},
        ),
        (
            {"provider_type": "ollama"},
            "/api/chat",
            {"model": "m:1", "stream": False, "options": {"num_predict": 1}},
        ),
    ],
)
def test_the_smallest_call_of_each_type_is_sent(provider, fields, target, body):
    result, (request,) = tried(provider(**fields), httpx.Response(200, json={}))
    assert result.succeeded
    assert result.message.startswith("m:1 answered in ")
    assert request.url.raw_path.decode() == target
    sent = msgspec.json.decode(request.content)
    assert {name: sent[name] for name in body} == body
    assert request.headers["authorization"].startswith("Bearer ")


@pytest.mark.parametrize(
    ("fields", "model", "target", "body"),
    [
        (
            {"provider_type": "openai"},
            "e5",
            "/v1/embeddings",
            {"model": "e5", "input": "test"},
        ),
        (
            {"provider_type": "ollama"},
            "all-minilm",
            "/api/embed",
            {"model": "all-minilm", "input": "test"},
        ),
        (
            {"provider_type": "bedrock", "region": "us-east-1"},
            "amazon.titan-embed-text-v2:0",
            "/model/amazon.titan-embed-text-v2%3A0/invoke",
            {"inputText": "test"},
        ),
        (
            {"provider_type": "bedrock", "region": "us-east-1"},
            "us.cohere.embed-v4:0",
            "/model/us.cohere.embed-v4%3A0/invoke",
            {"texts": ["test"], "input_type": "search_query"},
        ),
        (
            {"provider_type": "bedrock", "region": "us-east-1"},
            "amazon.nova-2-multimodal-embeddings-v1:0",
            "/model/amazon.nova-2-multimodal-embeddings-v1%3A0/invoke",
            {
                "taskType": "SINGLE_EMBEDDING",
                "singleEmbeddingParams": {
                    "embeddingPurpose": "GENERIC_INDEX",
                    "text": {"truncationMode": "END", "value": "test"},
                },
            },
        ),
    ],
)
def test_a_model_that_embeds_is_asked_for_one_vector(
    provider, fields, model, target, body
):
    answer = httpx.Response(200, json={})
    result, (request,) = tried(provider(**fields), answer, model, "embedding")
    assert result.message.startswith(f"{model} answered in ")
    assert request.url.raw_path.decode() == target
    assert msgspec.json.decode(request.content) == body


def test_who_makes_no_vectors_is_asked_to_chat(provider):
    row = provider(provider_type="anthropic")
    _result, (request,) = tried(row, httpx.Response(200), "e5", "embedding")
    assert request.url.path == "/v1/messages"


def test_openais_own_models_know_the_limit_by_its_new_name():
    _path, body = VENDORS["openai"].trial("https://api.openai.com", "o3")
    assert body["max_completion_tokens"] == 1


def test_a_refusal_is_told_in_the_providers_words_without_the_key(provider):
    row = provider(key="sk-upstream-key-0123456789")
    error = {"error": {"message": "No m:1 for sk-upstream-key-0123456789"}}
    result, _sent = tried(row, httpx.Response(404, json=error))
    assert not result.succeeded
    assert "the provider said 404" in result.message
    assert result.body.startswith("No m:1 for")
    assert "sk-upstream" not in repr(result)


def test_a_provider_out_of_reach_is_told(provider):
    result, _sent = tried(provider(), httpx.ConnectError("x: connection refused."))
    assert "Cannot reach 127.0.0.1:9" in result.message


@pytest.mark.parametrize(("ticked", "calls"), [("1", 1), ("", 0)])
def test_the_form_tries_a_model_only_when_asked_to(logged_in_client, ticked, calls):
    sent = []

    def respond(request):
        sent.append((request.method, request.url.path))
        return httpx.Response(200, json={"data": [{"id": "gpt-4o"}]})

    data = {
        "name": "x",
        "provider_type": "openai",
        "endpoint": "http://127.0.0.1:9",
        "private_network": "on",
        "auth_type": "none",
        "models": "gpt-4o",
        "trial": ticked,
    }
    with transport.use(httpx.MockTransport(respond)):
        answer = logged_in_client.post(
            reverse("provider-test"), data, headers={"HX-Request": "true"}
        )
    assert sent.count(("POST", "/v1/chat/completions")) == calls
    # Nothing but the trial may cost: what else is posted is an empty call.
    assert {path for method, path in sent if method == "POST"} <= {
        "/v1/chat/completions",
        "/v1/responses",
    }
    assert ("gpt-4o answered in" in answer.content.decode()) == bool(calls)


@pytest.mark.parametrize(
    ("models", "capabilities", "path"),
    [
        ("text-embedding-3-small\ngpt-4o", {}, "/v1/chat/completions"),
        ("text-embedding-3-small\nbge-m3", {}, "/v1/embeddings"),
        ("docs", {"kind": "embedding"}, "/v1/embeddings"),
        ("e5-chat", {"kind": "chat"}, "/v1/chat/completions"),
    ],
)
def test_what_chats_is_tried_before_what_embeds(
    logged_in_client, provider, models, capabilities, path
):
    row = provider(models=tuple(models.split("\n")))
    row.provider_models.update(capabilities=capabilities)
    called = []

    def respond(request):
        # An empty call, which asks for no model, tells whether there is that API.
        if request.method == "POST" and request.url.path != "/v1/responses":
            called.append(request.url.path)
        return httpx.Response(200, json={"data": []})

    form = logged_in_client.get(reverse("provider-edit", args=["openai"]))
    data = {
        "version": form.context["form"]["version"].value(),
        "name": "openai",
        "provider_type": "openai",
        "endpoint": "http://127.0.0.1:9",
        "private_network": "on",
        "auth_type": "none",
        "models": models,
        "trial": "1",
    }
    with transport.use(httpx.MockTransport(respond)):
        address = f"{reverse('provider-test')}?provider=openai"
        logged_in_client.post(address, data)
    assert called == [path]
