"""A web search of Claude's own that pauses is asked to go on, whole and streamed."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest

URL = "/v1/chat/completions"
MODEL = "claude-opus-4-5"
SEARCH = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []}
SSE = {"content-type": "text/event-stream"}

Part = tuple[str, list[dict[str, Any]]]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


RAIN: list[Part] = [
    ("pause_turn", [text("Let me see. "), SEARCH]),
    ("pause_turn", [FOUND]),
    ("end_turn", [text("It rains.")]),
]
BUSY = httpx.Response(
    529, json={"type": "error", "error": {"type": "overloaded_error", "message": "No."}}
)


def message(reason: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": reason,
        "usage": {"input_tokens": 3, "output_tokens": 4},
    }


def events(reason: str, content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    whole = message(reason, content)
    usage = {"input_tokens": 3, "output_tokens": 1}
    start = {**whole, "content": [], "stop_reason": None, "usage": usage}
    made: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    for index, block in enumerate(content):
        begun = {**block, "text": ""} if block["type"] == "text" else block
        made.append(
            {"type": "content_block_start", "index": index, "content_block": begun}
        )
        if block["type"] == "text":
            delta = {"type": "text_delta", "text": block["text"]}
            made.append({"type": "content_block_delta", "index": index, "delta": delta})
        made.append({"type": "content_block_stop", "index": index})
    ending = {"stop_reason": reason}
    output = {"output_tokens": whole["usage"]["output_tokens"]}
    made.append({"type": "message_delta", "delta": ending, "usage": output})
    return [*made, {"type": "message_stop"}]


class Body(httpx.AsyncByteStream):
    """A streamed body that knows whether it was closed."""

    def __init__(self, parts: list[dict[str, Any]]) -> None:
        self.parts = parts
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            yield b"data: " + json.dumps(part).encode() + b"\n\n"

    async def aclose(self) -> None:
        self.is_closed = True


def answering(
    *parts: Part | httpx.Response, bodies: list[Body] | None = None
) -> Callable[[httpx.Request], httpx.Response]:
    """An upstream that answers in parts, the last of them again and again."""
    left = list(parts)

    def respond(request: httpx.Request) -> httpx.Response:
        part = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(part, httpx.Response):
            return part
        if not json.loads(request.content).get("stream"):
            return httpx.Response(200, json=message(*part))
        body = Body(events(*part))
        if bodies is not None:
            bodies.append(body)
        return httpx.Response(200, headers=SSE, stream=body)

    return respond


def frames(answer: httpx.Response) -> list[Any]:
    """The data of each event; `[DONE]` as it stands."""
    found = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in found]


def said_in(chunks: list[Any]) -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


def turns_of(seen: list[httpx.Request]) -> list[list[dict[str, Any]]]:
    return [json.loads(request.content)["messages"] for request in seen]


OPTIONS = {"server_web_search": True}


@pytest.fixture
def search(provider, chat):
    provider("claude", provider_type="anthropic", models=(MODEL,), options=OPTIONS)
    return {**chat, "model": MODEL, "web_search_options": {}}


@pytest.fixture
def streamed(search):
    return {**search, "stream": True, "stream_options": {"include_usage": True}}


# --- whole ---


def test_a_search_that_pauses_is_asked_to_go_on(upstream, gateway, search, ledger):
    seen = upstream(answering(*RAIN))
    answer = gateway().post(URL, json=search).json()
    choice = answer["choices"][0]
    assert choice["message"]["content"] == "Let me see. It rains."
    assert choice["finish_reason"] == "stop"
    assert choice["native_finish_reason"] == "end_turn"
    usage = answer["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (9, 12)
    turns = turns_of(seen)
    assert [len(turn) for turn in turns] == [1, 2, 2]
    assert turns[2][-1] == {
        "role": "assistant",
        "content": [text("Let me see. "), SEARCH, FOUND],
    }
    (row,) = ledger()
    assert row["output_tokens"] == 12


def test_a_search_that_never_ends_is_given_up_after_three_more_requests(
    upstream, gateway, search
):
    seen = upstream(answering(("pause_turn", [text("Hm. ")])))
    choice = gateway().post(URL, json=search).json()["choices"][0]
    assert len(seen) == 4
    assert choice["message"]["content"] == "Hm. Hm. Hm. Hm. "
    assert choice["native_finish_reason"] == "pause_turn"


def test_a_pause_of_the_clients_own_tool_is_the_clients(
    provider, upstream, gateway, chat
):
    provider("claude", provider_type="anthropic", models=(MODEL,))
    seen = upstream(answering(("pause_turn", [text("Hm.")])))
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    answer = gateway().post(URL, json={**chat, "model": MODEL, "tools": tools})
    assert len(seen) == 1
    assert answer.json()["choices"][0]["native_finish_reason"] == "pause_turn"


def test_blank_texts_are_not_sent_back(upstream, gateway, search):
    blank = ("pause_turn", [text("\n\n"), SEARCH, text("")])
    seen = upstream(answering(blank, RAIN[-1]))
    gateway().post(URL, json=search)
    assert turns_of(seen)[1][-1]["content"] == [SEARCH]


def test_what_is_billed_is_counted_and_no_other_provider_asked(
    provider, upstream, gateway, search, ledger
):
    provider("other", provider_type="anthropic", models=(MODEL,), options=OPTIONS)
    seen = upstream(answering(RAIN[0], BUSY))
    answer = gateway().post(URL, json=search)
    assert answer.status_code == 503
    assert len(seen) == 2
    (row,) = ledger()
    assert (row["error_code"], row["output_tokens"]) == ("overloaded", 4)


# --- streamed ---


def test_a_stream_that_pauses_goes_on_as_one(upstream, gateway, streamed, ledger):
    bodies: list[Body] = []
    seen = upstream(answering(*RAIN, bodies=bodies))
    *chunks, done = frames(gateway().post(URL, json=streamed))
    assert done == "[DONE]"
    assert said_in(chunks) == "Let me see. It rains."
    assert len({chunk["id"] for chunk in chunks}) == 1
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert len([c for c in choices if "role" in c["delta"]]) == 1
    assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["stop"]
    assert choices[-1]["native_finish_reason"] == "end_turn"
    usage = chunks[-1]["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (9, 12)
    assert turns_of(seen)[2][-1]["content"] == [text("Let me see. "), SEARCH, FOUND]
    assert [body.is_closed for body in bodies] == [True, True, True]
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"]) == ("ok", 12)
    assert row["finish_reason"] == "stop"


def test_a_stream_that_never_ends_is_given_up_after_three_more_requests(
    upstream, gateway, streamed
):
    seen = upstream(answering(("pause_turn", [text("Hm. ")])))
    *chunks, done = frames(gateway().post(URL, json=streamed))
    assert len(seen) == 4
    assert done == "[DONE]"
    assert said_in(chunks) == "Hm. Hm. Hm. Hm. "
    last = chunks[-2]["choices"][0]
    assert last["finish_reason"] == "stop"
    assert last["native_finish_reason"] == "pause_turn"
    assert chunks[-1]["usage"]["completion_tokens"] == 16


def test_a_later_refusal_ends_the_stream_with_an_error(
    provider, upstream, gateway, streamed, ledger
):
    provider("other", provider_type="anthropic", models=(MODEL,), options=OPTIONS)
    seen = upstream(answering(RAIN[0], BUSY))
    *chunks, last = frames(gateway().post(URL, json=streamed))
    assert len(seen) == 2
    assert last["error"]["code"] == "overloaded"
    assert said_in(chunks) == "Let me see. "
    assert not any(c["finish_reason"] for chunk in chunks for c in chunk["choices"])
    (row,) = ledger()
    assert (row["outcome"], row["error_code"]) == ("upstream_error", "overloaded")
    assert row["output_tokens"] == 4


def test_a_later_stream_that_breaks_off_ends_with_an_error(
    upstream, gateway, streamed, ledger
):
    cut = Body(events(*RAIN[-1])[:3])
    upstream(answering(RAIN[0], httpx.Response(200, headers=SSE, stream=cut)))
    *_, last = frames(gateway().post(URL, json=streamed))
    assert last["error"]["code"] == "upstream_stream_truncated"
    (row,) = ledger()
    assert row["output_tokens"] == 5


@pytest.mark.parametrize("stream", [False, True])
def test_every_request_counts_against_the_limit(
    provider, upstream, gateway, chat, stream
):
    provider(
        "claude",
        provider_type="anthropic",
        models=(MODEL,),
        options=OPTIONS,
        requests_per_minute=2,
    )
    seen = upstream(answering(*RAIN))
    search = {**chat, "model": MODEL, "web_search_options": {}, "stream": stream}
    answer = gateway().post(URL, json=search)
    assert len(seen) == 2
    told = frames(answer)[-1] if stream else answer.json()
    assert told["error"]["code"] == "rate_limit_exceeded"


def test_the_client_is_told_that_the_stream_lives_while_the_next_one_begins(
    upstream, gateway, streamed, settings
):
    settings.KEEPALIVE_SECONDS = 0.02
    respond = answering(*RAIN)

    async def slowly(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.1)
        return respond(request)

    seen = upstream(slowly)
    answer = gateway().post(URL, json=streamed)
    assert len(seen) == 3
    assert ": keep-alive\n\n" in answer.text
    assert said_in(frames(answer)[:-1]) == "Let me see. It rains."


def test_hidden_rules_hold_across_a_pause(upstream, gateway, streamed):
    upstream(
        answering(
            ("pause_turn", [text("```json\n{"), SEARCH]),
            ("end_turn", [text('"a":1}\n```')]),
        )
    )
    body = {**streamed, "response_format": {"type": "json_object"}}
    *chunks, _ = frames(gateway().post(URL, json=body))
    assert said_in(chunks) == '{"a":1}'
