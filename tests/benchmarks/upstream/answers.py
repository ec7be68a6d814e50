"""What the upstream of the benchmarks answers: ready-made, and token by token."""

import json
from collections.abc import Callable
from typing import Any

from tests.benchmarks.upstream import LIVE, SMALL

TEXT = "All work and no play makes a dull benchmark. " * 8
WORDS = [f"word{number} " for number in range(200)]
NAMES = ("gpt-4o-mini", "claude-sonnet-4-20250514", "text-embedding-3-small")
MODEL = NAMES[0]

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
RESPONSES, EMBEDDINGS = "/v1/responses", "/v1/embeddings"


def _chat() -> str:
    message = {"role": "assistant", "content": TEXT, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": MODEL,
            "choices": [choice],
            "usage": {
                "prompt_tokens": 20,
                "completion_tokens": 80,
                "total_tokens": 100,
            },
        }
    )


def _response(**fields: Any) -> str:
    part = {"type": "output_text", "text": TEXT, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part]}
    return json.dumps(
        {
            "id": "resp_1",
            "object": "response",
            "created_at": 1700000000,
            "status": "completed",
            "model": MODEL,
            "output": [{**message, "status": "completed"}],
            "usage": {"input_tokens": 20, "output_tokens": 80, "total_tokens": 100},
            **fields,
        }
    )


def _message(**fields: Any) -> str:
    return json.dumps(
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": MODEL,
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": {"input_tokens": 20, "output_tokens": 80},
            **fields,
        }
    )


def _chat_stream() -> str:
    def chunk(delta: dict[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": MODEL}
        return _event({**head, "created": 1700000000, "choices": [choice]})

    deltas = [{"role": "assistant", "content": ""}, *({"content": w} for w in WORDS)]
    usage = {"prompt_tokens": 20, "completion_tokens": 200, "total_tokens": 220}
    last = {**json.loads(chunk({})[len("data: ") :]), "choices": [], "usage": usage}
    text = "".join(map(chunk, deltas)) + chunk({}, "stop") + _event(last)
    return text + "data: [DONE]\n\n"


def _message_stream() -> str:
    start = json.loads(_message(content=[], stop_reason=None))
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": start},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "text", "text": ""},
        },
    ]
    for word in WORDS:
        delta = {"type": "text_delta", "text": word}
        events.append({"type": "content_block_delta", "index": 0, "delta": delta})
    events += [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 200},
        },
        {"type": "message_stop"},
    ]
    return "".join(f"event: {e['type']}\n{_event(e)}" for e in events)


def _response_stream() -> str:
    begun = json.loads(_response(status="in_progress", output=[], usage=None))
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    deltas = [{**place, "delta": word, "logprobs": []} for word in WORDS]
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": begun}),
        *(("response.output_text.delta", delta) for delta in deltas),
        ("response.completed", {"response": json.loads(_response())}),
    ]
    return "".join(
        f"event: {kind}\n{_event({'type': kind, 'sequence_number': number, **fields})}"
        for number, (kind, fields) in enumerate(events)
    )


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _embedding() -> str:
    numbers = [round(0.001 * place - 0.7, 6) for place in range(1536)]
    part = {"object": "embedding", "index": 0, "embedding": numbers}
    usage = {"prompt_tokens": 8, "total_tokens": 8}
    return json.dumps(
        {"object": "list", "data": [part], "model": MODEL, "usage": usage}
    )


def _models() -> str:
    names = (f"{name}{flavour}" for name in NAMES for flavour in ("", SMALL, LIVE))
    models = [{"id": name, "object": "model", "type": "model"} for name in names]
    return json.dumps({"object": "list", "data": models})


WHOLE = {
    "/v1/models": _models(),
    CHAT: _chat(),
    MESSAGES: _message(),
    RESPONSES: _response(),
    EMBEDDINGS: _embedding(),
}
STREAMED = {
    CHAT: _chat_stream(),
    MESSAGES: _message_stream(),
    RESPONSES: _response_stream(),
}


def live(path: str) -> tuple[str, Callable[[str], str], str]:
    """Return a stream's beginning, the event of one text, and its end."""
    whole, mark = STREAMED[path], "word7 "
    begin = whole[: whole.index("word0 ")].rpartition("\n\n")[0] + "\n\n"
    end = whole[whole.index("word199 ") :].partition("\n\n")[2]
    event = whole[: whole.index(mark)].rpartition("\n\n")[2]
    event += whole[whole.index(mark) :].partition("\n\n")[0] + "\n\n"
    before, after = event.split(mark)
    return begin, lambda text: before + text + after, end
