"""Requests that real clients sent, each answered or refused in words.

They are recordings of unmodified SDKs, frameworks and agents, kept apart from the
repository: these tests skip where they are absent.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors.responses.conftest import chunks
from tests.grammar import responses as grammar

ROOT = Path(__file__).resolve().parents[4]
RECORDED = ROOT.parent / "shared" / "clients" / "responses.jsonl"
ABSENT = "no recorded requests of clients beside the repository"

# What is refused by design, and what then is told.
REFUSED = {
    "previous_response_id": "responses are not kept here",
    "image_generation": "runs at OpenAI",
}


def recorded() -> list[Any]:
    if not RECORDED.exists():
        return [pytest.param(None, marks=pytest.mark.skip(reason=ABSENT))]
    lines = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    return [pytest.param(line, id=f"{line['client']}-{line['n']}") for line in lines]


def why_refused(body: dict[str, Any]) -> str:
    """Return what a refusal of a request must say, or an empty string."""
    if not body:
        return "model is required"
    if body.get("previous_response_id"):
        return REFUSED["previous_response_id"]
    types = {tool.get("type") for tool in body.get("tools") or ()}
    if "image_generation" in types:
        return REFUSED["image_generation"]
    return ""


@pytest.mark.parametrize("sent", recorded())
def test_what_a_client_sends_is_answered(provider, upstream, gateway, completion, sent):
    body = sent["body"]
    model = (body or {}).get("model") or "gpt-4o-mini"
    provider(models=[model])
    headers = {
        name: value
        for name, value in sent["headers"].items()
        if name in ("user-agent", "originator", "session-id", "thread-id", "upgrade")
    }
    if sent["method"] == "GET":
        answer = gateway(headers=headers).get(sent["path"])
        assert answer.status_code == (426 if "upgrade" in headers else 405)
        return
    streamed = body.get("stream")
    reply = chunks({"reasoning_content": "hm"}, {"content": "hello"})
    seen = upstream(stream=reply) if streamed else upstream(json=completion)
    answer = gateway(headers=headers).post(sent["path"], json=body)
    if why := why_refused(body):
        assert answer.status_code == 400
        assert why in answer.json()["error"]["message"]
        assert not seen
        return
    assert answer.status_code == 200, answer.text
    events = grammar.check(answer.text) if streamed else []
    last = events[-1]["response"] if events else answer.json()
    assert last["output"][-1]["content"][0]["text"] == "hello"
    assert last["tools"] == [_complete(tool) for tool in body.get("tools") or ()]


def _complete(tool: dict[str, Any]) -> dict[str, Any]:
    if tool["type"] != "function":
        return tool
    return {"description": None, "parameters": None, "strict": None, **tool}
