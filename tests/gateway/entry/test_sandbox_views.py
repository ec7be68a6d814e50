"""The sandbox's paths: an upstream that knows one key, and the echo tool beside it."""

import json
import re

import pytest
from openai.types.chat import ChatCompletion

from providers.starter import sandbox_key

CHAT_URL = "/sandbox/v1/chat/completions"
MODELS_URL = "/sandbox/v1/models"
ECHO_URL = "/tools/echo-tool/echo"


@pytest.fixture
def sandbox(gateway):
    """A client with the key that the Playground LLM holds."""
    return gateway(headers={"authorization": f"Bearer {sandbox_key()}"})


def test_a_call_with_the_sandbox_key_is_answered(sandbox, chat):
    response = sandbox.post(CHAT_URL, json=chat)
    assert response.status_code == 200
    ChatCompletion.model_validate_json(response.content)


@pytest.mark.parametrize("key", [None, "wrong", "sandbox-é", "platform-managed"])
@pytest.mark.parametrize(("method", "url"), [("post", CHAT_URL), ("get", MODELS_URL)])
def test_any_other_key_is_refused_in_openais_envelope(gateway, chat, method, url, key):
    headers = {"authorization": f"Bearer {key}".encode()} if key else {}
    options = {"json": chat} if method == "post" else {}
    response = getattr(gateway(headers=headers), method)(url, **options)
    error = response.json()["error"]
    assert response.status_code == 401
    assert error["code"] == "invalid_api_key"
    assert "/v1/chat/completions" in error["message"]


def test_a_stream_ends_with_done(sandbox, chat):
    response = sandbox.post(CHAT_URL, json={**chat, "stream": True})
    frames = response.content.split(b"\n\n")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert frames[-2:] == [b"data: [DONE]", b""]
    assert all(re.fullmatch(rb"data: \{.*\}", frame) for frame in frames[:-2])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"NaN"])
def test_what_is_not_a_json_object_is_refused(sandbox, body):
    headers = {"content-type": "application/json"}
    response = sandbox.post(CHAT_URL, content=body, headers=headers)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


def test_the_models_are_listed(sandbox):
    response = sandbox.get(MODELS_URL)
    assert [model["id"] for model in response.json()["data"]] == [
        "gpt-4o-mini",
        "sandbox-embedding",
    ]


@pytest.mark.parametrize(("method", "url"), [("get", CHAT_URL), ("post", MODELS_URL)])
def test_the_wrong_method_is_named(sandbox, method, url):
    assert getattr(sandbox, method)(url).status_code == 405


def test_the_echo_tool_replies_with_the_message(gateway):
    response = gateway().post(ECHO_URL, json={"message": "Hi"})
    assert response.json() == {"reply": "Echo: Hi"}


@pytest.mark.parametrize("body", [b"{}", b'{"message": 1}', b"[]", b"{"])
def test_the_echo_tool_names_what_is_missing(gateway, body):
    headers = {"content-type": "application/json"}
    response = gateway().post(ECHO_URL, content=body, headers=headers)
    assert response.status_code == 400
    assert isinstance(json.loads(response.content)["error"], str)
