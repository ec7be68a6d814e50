"""How many tokens a request has: asked of the upstream, beside all calls."""

import base64
import json

import httpx
import pytest

from gateway.calls import counting

URL = "/v1/messages/count_tokens"
BODY = {"model": "claude", "messages": [{"role": "user", "content": "hi there"}]}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture
def anthropic(provider):
    endpoint = "https://api.anthropic.com"
    return provider(
        "a", provider_type="anthropic", endpoint=endpoint, models=["claude"]
    )


@pytest.fixture
def aws(provider):
    endpoint = "https://bedrock-runtime.us-east-1.amazonaws.com"
    return provider("b", provider_type="bedrock", endpoint=endpoint, models=[CLAUDE])


def counted(gateway, body=BODY, **headers):
    return gateway().post(URL, json=body, headers=headers)


def test_a_count_is_passed_on(gateway, anthropic, upstream, ledger):
    seen = upstream(json={"input_tokens": 671, "more": 1})
    answer = counted(gateway, **{"anthropic-beta": "a-1"})
    assert answer.json() == {"input_tokens": 671, "more": 1}
    assert "x-gateway-estimated" not in answer.headers
    (request,) = seen
    assert request.url.path == "/v1/messages/count_tokens"
    assert request.url.query == b"beta=true"
    assert request.headers["anthropic-beta"] == "a-1"
    assert json.loads(request.content) == BODY
    assert ledger() == []


def test_bedrock_is_asked_with_the_body_that_it_would_get(gateway, aws, upstream):
    seen = upstream(json={"inputTokens": 11})
    answer = counted(gateway, {**BODY, "model": CLAUDE, "speed": "fast"})
    assert answer.json() == {"input_tokens": 11}
    (request,) = seen
    assert request.url.path == f"/model/{CLAUDE[3:]}/count-tokens"
    body = json.loads(request.content)["input"]["invokeModel"]["body"]
    sent = json.loads(base64.b64decode(body))
    assert sent["anthropic_version"] == "bedrock-2023-05-31"
    assert sent["messages"] == BODY["messages"]
    assert sent["max_tokens"] > 0
    assert not {"stream", "speed", "model"} & set(sent)


def test_converse_is_asked_in_its_own_words(gateway, aws, upstream):
    aws.options = {"bedrock_api": "converse"}
    aws.save()
    seen = upstream(json={"inputTokens": 11})
    counted(gateway, {**BODY, "model": CLAUDE, "system": "Be"})
    sent = json.loads(seen[0].content)["input"]["converse"]
    assert sent == {
        "messages": [{"role": "user", "content": [{"text": "hi there"}]}],
        "system": [{"text": "Be"}],
    }


@pytest.mark.parametrize("status", [404, 405])
def test_who_does_not_count_is_asked_once(gateway, anthropic, upstream, status):
    seen = upstream(json={"error": {"message": "no such path"}}, status=status)
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=BODY)
        assert answer.json()["input_tokens"] > 0
        assert answer.headers["x-gateway-estimated"] == "input_tokens"
    assert len(seen) == 1


def test_a_model_that_is_not_counted_for_is_asked_for_once(gateway, aws, upstream):
    said = "The provided model doesn't support counting tokens."
    seen = upstream(json={"message": said}, status=400)
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json={**BODY, "model": CLAUDE})
        assert answer.headers["x-gateway-estimated"] == "input_tokens"
    assert len(seen) == 1


@pytest.mark.parametrize("status", [401, 429, 500])
def test_what_passes_is_asked_again_and_suspends_nobody(
    gateway, anthropic, upstream, status
):
    error = {"type": "api_error", "message": "Busy"}
    seen = upstream(json={"type": "error", "error": error}, status=status)
    client = gateway()
    for _ in range(2):
        assert client.post(URL, json=BODY).status_code == 200
    assert len(seen) == 2
    anthropic.refresh_from_db()
    assert anthropic.status != "Failed"


def test_a_request_that_is_wrong_is_told_so(gateway, anthropic, upstream):
    error = {"type": "invalid_request_error", "message": "messages.0.content: bad"}
    upstream(json={"type": "error", "error": error}, status=400)
    answer = counted(gateway)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_what_cannot_be_reached_is_estimated(gateway, anthropic, upstream):
    def respond(request):
        raise httpx.ConnectError("no")

    upstream(respond)
    assert counted(gateway).headers["x-gateway-estimated"] == "input_tokens"


def test_what_only_anthropic_runs_is_estimated_on_bedrock(gateway, aws, upstream):
    seen = upstream(json={"inputTokens": 11})
    tools = [{"type": "web_search_20260318", "name": "web_search"}]
    answer = counted(gateway, {**BODY, "model": CLAUDE, "tools": tools})
    assert answer.headers["x-gateway-estimated"] == "input_tokens"
    assert seen == []


def test_other_providers_are_not_asked(gateway, provider, upstream):
    provider(models=["claude"])
    seen = upstream(json={})
    assert counted(gateway).headers["x-gateway-estimated"] == "input_tokens"
    assert seen == []


def test_too_many_at_once_are_estimated(gateway, anthropic, upstream, monkeypatch):
    monkeypatch.setattr(counting._open, "number", counting.AT_ONCE)
    seen = upstream(json={"input_tokens": 5})
    assert counted(gateway).headers["x-gateway-estimated"] == "input_tokens"
    assert seen == []
