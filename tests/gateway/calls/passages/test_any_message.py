"""Whatever a client sends is passed on, or refused as the client's own fault."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.calls.passages import between
from gateway.doors import messages
from gateway.doors.protocol import Sent
from gateway.errors import GatewayError
from gateway.hub.protocol import Route
from gateway.translators import anthropic, bedrock
from tests.at_once import at_once

PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
RICH = {
    "model": "alias",
    "max_tokens": 100,
    "system": [{"type": "text", "text": "Be", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "hi"},
                {"type": "image", "source": PNG},
                {"type": "document", "title": "T", "source": dict(PNG)},
                {
                    "type": "search_result",
                    "source": "s",
                    "title": "t",
                    "content": [{"type": "text", "text": "x"}],
                    "citations": {"enabled": True},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "ZA=="},
                {"type": "text", "text": "a", "citations": [{"encrypted_index": ""}]},
                {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
            ],
        },
        {"role": "system", "content": [{"type": "text", "text": "mid"}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "t1",
                    "content": [
                        {"type": "tool_reference", "tool_name": "f"},
                        {"type": "image", "source": dict(PNG)},
                    ],
                }
            ],
        },
    ],
    "tools": [
        {"name": "f", "input_schema": {"type": "object"}, "defer_loading": True},
        {"type": "custom", "name": "g", "custom": {}, "input_schema": {}},
    ],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "high", "format": {"type": "x", "schema": {}}},
    "context_management": {"edits": [{"type": "compact_20260112"}]},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["END"],
    "service_tier": "auto",
    "betas": ["a"],
}
JUNK = st.sampled_from([None, True, 3, -1.5, "x", "", [], {}, [None], [[]], {"a": 1}])
WAYS = {
    "relay": (anthropic, "claude-sonnet-5", {}),
    "invoke": (bedrock, "anthropic.claude-sonnet-5-v1:0", {}),
    "older": (bedrock, "anthropic.claude-3-haiku-20240307-v1:0", {}),
    "converse": (
        bedrock,
        "anthropic.claude-sonnet-4-6-v1:0",
        {"bedrock_api": "converse"},
    ),
}


def places(value, path=()):
    """Yield the path of everything within a value."""
    inner = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for key, each in inner:
        yield (*path, key)
        yield from places(each, (*path, key))


PLACES = [path for path in places(RICH) if path not in (("model",), ("messages",))]


def changed(path, junk):
    body = copy.deepcopy(RICH)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = junk
    return body


@pytest.mark.parametrize("way", WAYS)
@given(st.sampled_from(PLACES), JUNK)
@example(("metadata",), {"user_id": "u"})
def test_it_is_passed_on_or_refused(way, path, junk):
    translator, model, options = WAYS[way]
    body = changed(path, junk)
    route = Route("alias", model, options=options)
    asked = messages.parse_request(body, Sent({}, raw=json.dumps(body).encode()))
    passage = between(messages, translator)
    try:
        rendered = passage.prepare(asked, route).render({})
    except GatewayError as refusal:
        told = (way, refusal.status)
    else:
        assert json.loads(rendered.raw or json.dumps(rendered.body))
        return
    assert told in [(other, 400) for other in WAYS if other != "relay"]


CLIENTS = Path(__file__).resolve().parents[5] / "shared" / "clients" / "messages.jsonl"


def recorded():
    """Return what real clients sent; nothing where it is not beside the repository."""
    if not CLIENTS.is_file():
        return []
    lines = map(json.loads, CLIENTS.read_text().splitlines())
    return [each for each in lines if "messages" in (each.get("body") or {})]


@at_once("sent", recorded(), ids=lambda each: f"{each['client']}-{each['n']}")
@at_once("way", ["relay", "invoke", "converse"])
def test_what_real_clients_send_arrives(way, sent):
    translator, model, options = WAYS[way]
    body = sent["body"]
    raw = json.dumps(body).encode()
    headers = {name: [value] for name, value in sent["headers"].items()}
    asked = messages.parse_request(body, Sent(headers, raw=raw))
    route = Route(body["model"], model, options=options)
    refused = ""
    try:
        rendered = between(messages, translator).prepare(asked, route).render({})
    except GatewayError as refusal:
        refused = refusal.message
    if refused:
        assert way != "relay"
        assert "not support" in refused or "Input tag" in refused
        return
    told = json.loads(rendered.raw or json.dumps(rendered.body))
    if way == "relay" and not rendered.downgraded:
        assert told == {**body, "model": model}
    elif way == "invoke" and "model" not in rendered.downgraded:
        assert told.get("max_tokens") == body.get("max_tokens")
