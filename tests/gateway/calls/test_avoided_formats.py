"""Answers in JSON that a server cannot hold to a schema: asked for in weaker forms."""

import json
from typing import Any

import httpx
import pytest

URL = "/v1/chat/completions"
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
SAID = {
    "id": "c1",
    "object": "chat.completion",
    "created": 5,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": '```json\n{"n":1}\n```'},
            "finish_reason": "stop",
        }
    ],
}


def wanting(chat: dict, *, strict: bool = True, schema: dict = SCHEMA) -> dict:
    described = {"name": "n", "strict": strict, "schema": schema}
    wanted = {"type": "json_schema", "json_schema": described}
    return {**chat, "model": "m", "response_format": wanted}


def form_of(body: dict) -> str:
    """Return how a request asks for its format."""
    wanted: Any = body.get("response_format", body.get("format"))
    if wanted is None or wanted == "json":
        return f"{wanted or 'words'}"
    if wanted.get("type") == "json_schema":
        return "strict" if wanted["json_schema"].get("strict") else "schema"
    return "json" if wanted.get("type") == "json_object" else "schema"


def taking(form: str, message: str, status: int, answer: dict) -> Any:
    """A server that takes answers in one form or in words, and says `message` else."""

    def respond(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if form_of(body) in (form, "words"):
            return httpx.Response(200, json=answer)
        return httpx.Response(status, json={"error": {"message": message}})

    return respond


@pytest.mark.parametrize(
    ("form", "message", "tried"),
    [
        (
            "schema",
            "Invalid schema for response_format 'n': In context=(), 'required' is "
            "required to be supplied and to be an array including every key.",
            ["strict", "schema", "schema"],
        ),
        (
            "schema",
            "The compiled grammar is too large, which would cause performance issues.",
            ["strict", "schema", "schema"],
        ),
        (
            "json",
            "Schema is too complex for compilation.",
            ["strict", "schema", "json", "json"],
        ),
        (
            "json",
            "Grammar error: unimplemented keys: ['pattern']",
            ["strict", "schema", "json", "json"],
        ),
        (
            "json",
            "The provided JSON schema contains features not supported by xgrammar.",
            ["strict", "schema", "json", "json"],
        ),
        (
            "json",
            "Invalid parameter: 'response_format' of type 'json_schema' is not "
            "supported with this model.",
            ["strict", "json", "json"],
        ),
        (
            "json",
            "This response_format type is unavailable now",
            ["strict", "json", "json"],
        ),
        (
            "words",
            "response_format is not supported by this model",
            ["strict", "json", "words", "words"],
        ),
    ],
)
def test_a_format_that_is_refused_is_asked_for_in_a_weaker_form(
    provider, upstream, gateway, chat, form, message, tried
):
    provider("host", models=("m",))
    seen = upstream(taking(form, message, 400, SAID))
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=wanting(chat))
        assert answer.status_code == 200
        assert answer.headers["x-gateway-downgraded"] == "response_format"
    assert [form_of(json.loads(request.content)) for request in seen] == tried
    content = answer.json()["choices"][0]["message"]["content"]
    assert content == ('{"n":1}' if form == "words" else '```json\n{"n":1}\n```')
    if tried[-1] in ("json", "words"):
        told = json.loads(seen[-1].content)["messages"][0]
        assert told["role"] == "system"
        assert json.dumps(SCHEMA, separators=(",", ":")) in told["content"]


def test_a_refused_schema_weakens_no_other(provider, upstream, gateway, chat):
    provider("host", models=("m",))
    message = "Invalid schema for response_format 'n': 'n' is not permitted"

    def respond(request: httpx.Request) -> httpx.Response:
        if form_of(json.loads(request.content)) == "strict":
            return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=SAID)

    seen = upstream(respond)
    client = gateway()
    client.post(URL, json=wanting(chat))
    other = wanting(chat, schema={**SCHEMA, "title": "other"})
    client.post(URL, json=other)
    forms = [form_of(json.loads(request.content)) for request in seen]
    assert forms == ["strict", "schema", "strict", "schema"]


def test_a_strict_tool_that_is_refused_is_offered_loosely(
    provider, upstream, gateway, chat
):
    provider("host", models=("m",))
    function = {"name": "f", "strict": True, "parameters": {"type": "object"}}
    message = (
        "Invalid schema for function 'f': In context=(), 'additionalProperties' is "
        "required to be supplied and to be false."
    )

    def respond(request: httpx.Request) -> httpx.Response:
        if b'"strict"' in request.content:
            return httpx.Response(400, json={"error": {"message": message}})
        return httpx.Response(200, json=SAID)

    seen = upstream(respond)
    body = {**chat, "model": "m", "tools": [{"type": "function", "function": function}]}
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 200
    assert answer.headers["x-gateway-downgraded"] == "tools"
    assert len(seen) == 2


def test_what_no_form_helps_is_told(provider, upstream, gateway, chat):
    provider("host", models=("m",))
    message = "Invalid schema for function 'f': schema must be of type object."
    error = {"error": {"message": message, "type": "invalid_request_error"}}
    seen = upstream(json=error, status=400)
    function = {"name": "f", "parameters": {"type": "string"}}
    body = {**chat, "model": "m", "tools": [{"type": "function", "function": function}]}
    answer = gateway().post(URL, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == message
    assert len(seen) == 1


@pytest.mark.parametrize(
    "message",
    [
        "invalid JSON schema in format",
        "failed to load model vocabulary required for format",
        'invalid format: expected "json" or a JSON schema',
        "error parsing grammar: Undefined rule identifier 'space'",
    ],
)
def test_a_schema_that_ollama_refuses_is_asked_for_in_words(
    provider, upstream, gateway, chat, message
):
    provider("local", provider_type="ollama", models=("m",))
    said = {
        "model": "m",
        "message": {"role": "assistant", "content": '{"n":1}'},
        "done": True,
        "done_reason": "stop",
    }

    def respond(request: httpx.Request) -> httpx.Response:
        if form_of(json.loads(request.content)) == "json":
            return httpx.Response(200, json=said)
        return httpx.Response(500, json={"error": message})

    seen = upstream(respond)
    client = gateway()
    for _ in range(2):
        answer = client.post(URL, json=wanting(chat))
        assert answer.status_code == 200
        assert answer.headers["x-gateway-downgraded"] == "response_format"
    sent = [form_of(json.loads(request.content)) for request in seen]
    assert sent == ["schema", "json", "json"]


@pytest.mark.parametrize(
    "message",
    [
        "JSON schema conversion failed:\nError resolving ref #/nowhere: not found",
        "JSON schema error at #/properties/a: cannot resolve $ref #/nowhere",
    ],
)
def test_a_reference_that_leads_nowhere_is_the_clients_mistake(
    message, provider, gateway, upstream, chat
):
    provider(models=("m",))
    seen = upstream(taking("words", message, 400, SAID))
    answer = gateway().post(URL, json=wanting(chat))
    assert answer.status_code == 400
    assert "ref" in answer.json()["error"]["message"]
    assert len(seen) == 1
