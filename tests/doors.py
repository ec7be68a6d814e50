"""The doors as a client sees them: how to ask, and what comes back whole or in pieces.

A test of what holds at every door takes the fixture `door` (`streaming_door` where
embeddings have no part) and asks in its words. A stream is read by its grammar.
"""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import httpx

from tests.grammar import chat as chunks
from tests.grammar import messages, ollama, responses

JSON = dict[str, Any]
MODEL = "gpt-4o-mini"
_USER = {"role": "user", "content": "hi"}

COMPLETION = {
    "id": "chatcmpl-up",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
VECTORS = {
    "object": "list",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 1.0]}],
    "model": MODEL,
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
}

WRITTEN = {
    "id": "cmpl-up",
    "object": "text_completion",
    "created": 1700000000,
    "model": MODEL,
    "choices": [
        {"index": 0, "text": "hello", "logprobs": None, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
JUDGED = {
    "id": "modr-up",
    "model": MODEL,
    "results": [{"flagged": True, "categories": {}, "category_scores": {}}],
    "usage": {"prompt_tokens": 9, "total_tokens": 9},
}


class Said(NamedTuple):
    """What a client reads of a streamed answer.

    `calls` are names and arguments; `failure` is the message of an error at the end.
    """

    text: str = ""
    calls: tuple[tuple[str, Any], ...] = ()
    failure: str = ""


class Refusal(NamedTuple):
    """What a client reads of a refusal; `code` is empty where its format has none."""

    message: str
    code: str = ""


class ClientDoor(NamedTuple):
    """A door from outside: its path and smallest request, and how answers are read.

    `upstream` is what OpenAI answers to what is asked here, which comes to `told`.
    `statuses` are those that its clients know a code by, where it is not the usual one.
    """

    name: str
    path: str
    body: JSON
    text_in: Callable[[JSON], str]
    said_in: Callable[[bytes], Said]
    refusal_in: Callable[[JSON, int], Refusal]
    upstream: JSON = COMPLETION
    told: str = "hello"
    statuses: Mapping[str, int] = MappingProxyType({})

    @property
    def booked_as(self) -> str:
        """What the ledger calls it; Ollama's has two paths."""
        return self.name.partition("/")[0]

    def ask(self, client: Any, **changes: Any) -> httpx.Response:
        """Return what `client` is answered to the smallest request with `changes`."""
        answer: httpx.Response = client.post(self.path, json={**self.body, **changes})
        return answer

    def check_answered(self, answer: httpx.Response) -> None:
        """Check that an answer is what `upstream` comes to."""
        assert answer.status_code == 200, answer.text
        assert self.text_in(answer.json()) == self.told

    def check_refused(self, answer: httpx.Response, status: int, code: str) -> str:
        """Return the message of a refusal that must have this status and code."""
        expected = self.statuses.get(code, status)
        assert answer.status_code == expected, answer.text
        assert answer.headers["content-type"] == "application/json"
        refusal = self.refusal_in(answer.json(), expected)
        assert refusal.code in (code, "")
        assert refusal.message
        return refusal.message


def _text_of_chat(completion: JSON) -> str:
    return str(completion["choices"][0]["message"]["content"])


def _text_of_response(response: JSON) -> str:
    assert response["status"] == "completed"
    parts = [part for item in response["output"] for part in item.get("content", ())]
    return "".join(part["text"] for part in parts)


def _text_of_message(message: JSON) -> str:
    return "".join(block.get("text", "") for block in message["content"])


def _text_of_line(line: JSON) -> str:
    assert line["done"]
    return str(line["message"]["content"])


def _vectors_in(listed: JSON) -> str:
    return str([each["embedding"] for each in listed["data"]])


def _said_in_chunks(raw: bytes) -> Said:
    told = chunks.checked(raw)
    failure = told.failure["message"] if told.failure else ""
    return Said(told.text, tuple(told.calls), failure)


def _said_in_response(raw: bytes) -> Said:
    *events, last = responses.check(raw)
    pieces = [e["delta"] for e in events if e["type"] == "response.output_text.delta"]
    if last["type"] == "response.failed":
        return Said("".join(pieces), (), last["response"]["error"]["message"])
    output = last["response"]["output"]
    calls = [item for item in output if item["type"] == "function_call"]
    told = tuple((call["name"], json.loads(call["arguments"])) for call in calls)
    return Said("".join(pieces), told)


def _said_in_message(raw: bytes) -> Said:
    if messages.checked(raw)[-1]["type"] != "error":
        content = messages.message_in(raw)["content"]
        texts = [block["text"] for block in content if block["type"] == "text"]
        calls = [b for b in content if b["type"] == "tool_use"]
        return Said("".join(texts), tuple((c["name"], c["input"]) for c in calls))
    *events, error = [e for e in messages.events_in(raw) if e["type"] != "ping"]
    deltas = [event.get("delta", {}) for event in events]
    text = "".join(delta.get("text", "") for delta in deltas)
    return Said(text, (), error["error"]["message"])


def _said_in_lines(raw: bytes) -> Said:
    told = ollama.checked(raw)
    return Said(told.text, tuple(told.calls), told.failure)


def _refusal_of_openai(body: JSON, status: int) -> Refusal:
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return Refusal(error["message"], error["code"] or "")


_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def _refusal_of_messages(body: JSON, status: int) -> Refusal:
    assert set(body) == {"type", "error", "request_id"}
    assert body["type"] == "error"
    assert body["request_id"]
    assert body["error"]["type"] == _TYPES.get(status, "api_error")
    return Refusal(body["error"]["message"])


def _refusal_of_ollama(body: JSON, status: int) -> Refusal:
    assert set(body) == {"error"}
    return Refusal(body["error"])


CHAT = ClientDoor(
    "chat",
    "/v1/chat/completions",
    {"model": MODEL, "messages": [_USER], "stream": False},
    _text_of_chat,
    _said_in_chunks,
    _refusal_of_openai,
)
RESPONSES = ClientDoor(
    "responses",
    "/v1/responses",
    {"model": MODEL, "input": "hi"},
    _text_of_response,
    _said_in_response,
    _refusal_of_openai,
)
MESSAGES = ClientDoor(
    "messages",
    "/v1/messages",
    {"model": MODEL, "max_tokens": 100, "messages": [_USER]},
    _text_of_message,
    _said_in_message,
    _refusal_of_messages,
    statuses={"overloaded": 529},
)
OLLAMA = ClientDoor(
    "ollama",
    "/api/chat",
    {"model": MODEL, "messages": [_USER], "stream": False},
    _text_of_line,
    _said_in_lines,
    _refusal_of_ollama,
)
EMBEDDINGS = ClientDoor(
    "embeddings",
    "/v1/embeddings",
    {"model": MODEL, "input": "hi"},
    _vectors_in,
    lambda raw: Said(),
    _refusal_of_openai,
    VECTORS,
    "[[0.5, 1.0]]",
)
OLLAMA_EMBED = ClientDoor(
    "ollama/embed",
    "/api/embed",
    {"model": MODEL, "input": "hi"},
    lambda listed: str(listed["embeddings"]),
    lambda raw: Said(),
    _refusal_of_ollama,
    VECTORS,
    "[[0.5, 1.0]]",
)
COMPLETIONS = ClientDoor(
    "completions",
    "/v1/completions",
    {"model": MODEL, "prompt": "hi"},
    lambda completion: str(completion["choices"][0]["text"]),
    lambda raw: Said(),
    _refusal_of_openai,
    WRITTEN,
)
MODERATIONS = ClientDoor(
    "moderations",
    "/v1/moderations",
    {"model": MODEL, "input": "hi"},
    lambda judged: str(judged["results"][0]["flagged"]),
    lambda raw: Said(),
    _refusal_of_openai,
    JUDGED,
    "True",
)
CONVERSING = (CHAT, RESPONSES, MESSAGES, OLLAMA)
EVERY = (*CONVERSING, EMBEDDINGS, OLLAMA_EMBED, COMPLETIONS, MODERATIONS)
