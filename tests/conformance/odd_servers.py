"""How servers that are nearly compatible send two tool calls.

Each is a way seen in public reports of one server or another; all of them mean the same
two calls. What is said once the results are there is the same, too, and only said to
whom pairs them with the calls.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from tests.e2e.replay import Answer, Received, Reply

JSON = dict[str, Any]
CITIES = ("Paris", "Rome")
ANSWER = "Paris: 18 degrees. Rome: 24 degrees."
NAME = "get_weather"

DONE = b"data: [DONE]\n\n"


def _arguments(city: str) -> str:
    return json.dumps({"city": city})


def _call(city: str, **fields: Any) -> JSON:
    """Return a whole call; `fields` take the place of its own, None leaves one out."""
    function = {"name": NAME, "arguments": _arguments(city)}
    call = {"type": "function", "function": function, **fields}
    return {name: value for name, value in call.items() if value is not None}


def _pieces(city: str, index: int, call_id: str) -> Iterator[JSON]:
    """Yield a call as OpenAI streams it: a head, then its arguments in pieces."""
    head = {"index": index, "id": call_id, "type": "function"}
    yield {**head, "function": {"name": NAME, "arguments": ""}}
    text = _arguments(city)
    for start in range(0, len(text), 5):
        yield {"index": index, "function": {"arguments": text[start : start + 5]}}


def _both(change: Callable[[JSON, int], JSON]) -> list[list[JSON]]:
    """Return the deltas of both calls as OpenAI sends them, each piece changed."""
    return [
        [change(piece, number)]
        for index, city in enumerate(CITIES)
        for number, piece in enumerate(_pieces(city, index, f"call_{index}"))
    ]


def _with(piece: JSON, **fields: Any) -> JSON:
    return {**piece, **fields}


def _named(piece: JSON) -> JSON:
    return _with(piece, function={"name": NAME, **piece["function"]})


STREAMED: dict[str, list[list[JSON]]] = {
    "as-openai": _both(lambda piece, _: piece),
    "one-index-blank-ids": [[_call(city, index=0, id="")] for city in CITIES],
    "one-index-no-ids": [[_call(city, index=0)] for city in CITIES],
    "one-index-null-ids": [
        [{**_call(city, index=0), "id": None, "type": None}] for city in CITIES
    ],
    "no-index": [[_call(city, id=f"c{n}")] for n, city in enumerate(CITIES)],
    "no-index-no-ids": [[_call(city)] for city in CITIES],
    "both-in-one-delta": [[_call(city, index=0, id="") for city in CITIES]],
    "both-in-one-delta-no-index": [[_call(city) for city in CITIES]],
    "ids-are-numbers": [
        [_call(city, index=n, id=7 + n)] for n, city in enumerate(CITIES)
    ],
    "one-id-for-both": [
        [_call(city, index=n, id="call")] for n, city in enumerate(CITIES)
    ],
    "arguments-are-objects": [
        [
            _call(
                city,
                index=n,
                id=f"c{n}",
                function={"name": NAME, "arguments": {"city": city}},
            )
        ]
        for n, city in enumerate(CITIES)
    ],
    "a-new-id-in-each-piece": _both(
        lambda piece, number: _with(piece, id=f"call_{piece['index']}_{number}")
    ),
    "blank-ids-in-later-pieces": _both(
        lambda piece, number: piece if not number else _with(piece, id="")
    ),
    "the-name-in-each-piece": _both(lambda piece, _: _named(piece)),
    "nulls-in-later-pieces": _both(
        lambda piece, number: (
            piece
            if not number
            else _with(
                piece, id=None, type=None, function={"name": None, **piece["function"]}
            )
        )
    ),
    "null-functions-between": [
        delta
        for piece in _both(lambda piece, _: piece)
        for delta in (piece, [{"index": piece[0]["index"], "function": None}])
    ],
    "the-id-behind-the-name": [
        [{name: value for name, value in piece.items() if name != "id"}]
        if not number
        else [_with(piece, id=f"late_{index}")]
        for index, city in enumerate(CITIES)
        for number, piece in enumerate(_pieces(city, index, ""))
    ],
    "types-missing": _both(
        lambda piece, _: {k: v for k, v in piece.items() if k != "type"}
    ),
}
"""Name -> the `tool_calls` of each delta."""

WHOLE: dict[str, list[JSON]] = {
    "blank-ids": [_call(city, id="") for city in CITIES],
    "null-ids": [{**_call(city), "id": None} for city in CITIES],
    "no-ids": [_call(city) for city in CITIES],
    "numbers": [_call(city, id=n) for n, city in enumerate(CITIES)],
    "one-id": [_call(city, id="call") for city in CITIES],
    "objects": [
        _call(city, id=f"c{n}", function={"name": NAME, "arguments": {"city": city}})
        for n, city in enumerate(CITIES)
    ],
    "no-type": [_call(city, id=f"c{n}", type=None) for n, city in enumerate(CITIES)],
}
"""Name -> the `tool_calls` of a whole answer."""


def _chunk(delta: JSON, finish: str | None = None, **fields: Any) -> JSON:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {
        "id": "chatcmpl-odd",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "odd",
        "choices": [choice],
        **fields,
    }


def _frame(chunk: JSON) -> bytes:
    return f"data: {json.dumps(chunk)}\n\n".encode()


def _plain(frames: list[bytes]) -> list[bytes]:
    return [*frames, DONE]


ENDS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "as-openai": lambda frames: _plain([*frames, _frame(_chunk({}, "tool_calls"))]),
    "stop": lambda frames: _plain([*frames, _frame(_chunk({}, "stop"))]),
    "no-reason": _plain,
    "late-fields": lambda frames: _plain(
        [
            *frames,
            _frame(_chunk({}, "tool_calls")),
            _frame({**_chunk({}), "choices": [], "timings": {"n": 1.5}}),
        ]
    ),
    "pings": lambda frames: _plain(
        [
            b"event: ping\ndata: ping\n\n",
            b"data: null\n\n",
            *frames,
            b": comment\n\n",
            _frame(_chunk({}, "tool_calls")),
        ]
    ),
    "single-line-feeds": lambda frames: [
        b"".join(_plain([*frames, _frame(_chunk({}, "tool_calls"))])).replace(
            b"\n\n", b"\n"
        )
    ],
}
"""Name -> how a stream ends, or what stands between its events."""


def models() -> dict[str, Answer]:
    """Return an upstream's answers by the model that gives them."""
    return {
        **{
            f"calls-{name}": _conversing(_streamed(deltas, "as-openai"), _WHOLE_TOO)
            for name, deltas in STREAMED.items()
        },
        **{
            f"ends-{name}": _conversing(
                _streamed(STREAMED["as-openai"], name), _WHOLE_TOO
            )
            for name in ENDS
        },
        **{
            f"whole-{name}": _conversing(
                _streamed(STREAMED["as-openai"], "stop"), calls
            )
            for name, calls in WHOLE.items()
        },
    }


_WHOLE_TOO = [_call(city, id=f"c{n}") for n, city in enumerate(CITIES)]


def _streamed(deltas: list[list[JSON]], end: str) -> list[bytes]:
    frames = [_frame(_chunk({"role": "assistant", "content": None}))]
    frames += [_frame(_chunk({"tool_calls": delta})) for delta in deltas]
    return ENDS[end](frames)


def _conversing(frames: list[bytes], calls: list[JSON]) -> Answer:
    """Return the answer to both turns of the conversation, streamed and whole."""

    def answer(received: Received) -> Reply:
        asked = received.json
        if results := [m for m in asked["messages"] if m["role"] == "tool"]:
            return _said(asked, _paired(asked["messages"], results))
        if asked.get("stream"):
            return Reply(200, frames, {"content-type": "text/event-stream"})
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        return _whole(message, "stop")

    return answer


def _paired(messages: list[JSON], results: list[JSON]) -> bool:
    """Tell whether each result belongs to one call, which has whole arguments."""
    (asked,) = [m for m in messages if m.get("tool_calls")]
    cities = {
        call["id"]: json.loads(call["function"]["arguments"])["city"]
        for call in asked["tool_calls"]
    }
    told = {r["tool_call_id"]: r["content"] for r in results}
    return cities.keys() == told.keys() and sorted(cities.values()) == sorted(CITIES)


def _said(asked: JSON, is_paired: bool) -> Reply:
    if not is_paired:
        return Reply(400, [b'{"error": {"message": "The results belong to no call."}}'])
    if not asked.get("stream"):
        return _whole({"role": "assistant", "content": ANSWER}, "stop")
    frames = [_frame(_chunk({"content": ANSWER})), _frame(_chunk({}, "stop")), DONE]
    return Reply(200, frames, {"content-type": "text/event-stream"})


def _whole(message: JSON, finish: str) -> Reply:
    body = {
        "id": "chatcmpl-odd",
        "object": "chat.completion",
        "created": 1700000000.5,
        "model": "odd",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11.0, "completion_tokens": 7, "total_tokens": 18},
    }
    return Reply(200, [json.dumps(body).encode()], {"content-type": "application/json"})
