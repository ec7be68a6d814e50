"""A request of the Responses API, and streams of servers that know chat only."""

import json
from typing import Any

import pytest

URL = "/v1/responses"


@pytest.fixture
def asked() -> dict[str, Any]:
    """The smallest request."""
    return {"model": "gpt-4o-mini", "input": "hi"}


def chunks(*deltas: dict[str, Any], finish: str = "stop") -> list[bytes]:
    """OpenAI's stream of these deltas, its usage behind the end."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices = [{"index": 0, "delta": d, "finish_reason": None} for d in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
    told = [{**head, "choices": [choice]} for choice in choices]
    told.append({**head, "choices": [], "usage": usage})
    events = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in told]
    return [*events, b"data: [DONE]\n\n"]


def call(index: int, name: str | None, arguments: str) -> dict[str, Any]:
    """A delta of a call: its beginning where it has a name."""
    function = {"arguments": arguments}
    told: dict[str, Any] = {"index": index, "function": function}
    if name is not None:
        function["name"] = name
        told |= {"id": f"call_up_{index}abc", "type": "function"}
    return {"tool_calls": [told]}
