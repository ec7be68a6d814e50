"""What is asked of each gateway: a row of the table each."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tests.benchmarks.upstream import LIVE, SMALL
from tests.benchmarks.upstream.answers import (
    CHAT,
    EMBEDDINGS,
    MESSAGES,
    NAMES,
    RESPONSES,
)

JSON = dict[str, Any]

MODELS = dict(zip(("openai", "anthropic", "embeddings"), NAMES, strict=True))
"""What the upstream is asked for, by its kind."""


class Row(NamedTuple):
    """One kind of request: who answers it, by which path, and what it holds.

    `kind` says which of a gateway's models is asked, `like` which upstream answers,
    `chat` names the row of a chat that it must not cost much more than.
    """

    name: str
    kind: str
    path: str
    body: JSON
    like: str = ""
    flavour: str = ""
    chat: str = ""

    def request(self, model: str) -> bytes:
        """Return the body of the request for a model."""
        return json.dumps({"model": model + self.flavour, **self.body}).encode()

    @property
    def upstream(self) -> str:
        """The kind of upstream that answers."""
        return self.like or self.kind


def _messages(turns: int = 1) -> list[JSON]:
    roles = ("user", "assistant")
    text = "lorem ipsum dolor sit amet " * 8
    before = [{"role": roles[n % 2], "content": text} for n in range(2 * turns - 2)]
    return [
        {"role": "system", "content": "You are a helpful assistant."},
        *before,
        {"role": "user", "content": "What is RunAgents?"},
    ]


def _chat(**more: Any) -> JSON:
    return {"max_tokens": 256, "messages": _messages(), **more}


def _tool(number: int) -> JSON:
    kinds = ("string", "integer", "boolean", "number", "string")
    properties = {
        f"parameter_{place}": {"type": kind, "description": "What it is about."}
        for place, kind in enumerate(kinds)
    }
    schema = {
        "type": "object",
        "properties": properties,
        "required": ["parameter_0", "parameter_1"],
        "additionalProperties": False,
    }
    text = "Does a thing that takes some words to describe."
    function = {"name": f"tool_{number}", "description": text, "parameters": schema}
    return {"type": "function", "function": function}


def _image() -> JSON:
    pixels = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3072
    url = "data:image/png;base64," + base64.b64encode(pixels).decode()
    part = {"type": "image_url", "image_url": {"url": url}}
    text = {"type": "text", "text": "What is this?"}
    return _chat(messages=[{"role": "user", "content": [text, part]}])


_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
_BODIES: dict[str, Callable[[], JSON]] = {
    "call": _chat,
    "20 turns": lambda: _chat(messages=_messages(20)),
    "200 turns": lambda: _chat(messages=_messages(200)),
    "50 tools": lambda: _chat(tools=[_tool(number) for number in range(50)]),
    "1 MB image": _image,
    "stream of 200": lambda: _chat(**_STREAM),
}


def _asked() -> JSON:
    return {"max_output_tokens": 256, "input": _messages(), "store": False}


def _doors() -> list[Row]:
    system, *rest = _messages()
    message = {"max_tokens": 256, "system": system["content"], "messages": rest}
    a, o, text = "anthropic", "openai", {"input": "What is RunAgents?"}
    native, made = "Responses, passed on", "Responses, translated"
    return [
        *_door("Messages to Anthropic", "messages", MESSAGES, message, a),
        *_door(native, "native", RESPONSES, _asked(), o),
        *_door(made, "responses", RESPONSES, _asked(), o),
        Row("Embeddings", "embeddings", EMBEDDINGS, text, o),
    ]


def _door(name: str, kind: str, path: str, body: JSON, like: str) -> list[Row]:
    whole, streamed = "call", "stream of 200"
    return [
        Row(name, kind, path, body, like, chat=f"OpenAI, {whole}"),
        Row(
            f"{name}, {streamed}",
            kind,
            path,
            body | {"stream": True},
            like,
            chat=f"OpenAI, {streamed}",
        ),
    ]


def _all() -> list[Row]:
    kinds = {"OpenAI": "openai", "Anthropic": "anthropic"}
    found = []
    for name, body in _BODIES.items():
        found += [Row(f"{k}, {name}", kinds[k], CHAT, body()) for k in kinds]
    for vendor, kind in kinds.items():
        name = f"{vendor}, stream of 200 in reads of 200 bytes"
        found.append(Row(name, kind, CHAT, _chat(**_STREAM), flavour=SMALL))
    return [*found, *_doors()]


ROWS = _all()
LIVE_ROWS = [
    Row(vendor, kind, CHAT, _chat(**_STREAM), flavour=LIVE)
    for vendor, kind in (("OpenAI", "openai"), ("Anthropic", "anthropic"))
]


def named(part: str) -> list[Row]:
    """Return the rows whose names hold `part`, and those they are compared with."""
    found = {row.name for row in ROWS if part in row.name}
    found |= {row.chat for row in ROWS if row.name in found}
    return [row for row in ROWS if row.name in found]


def together(rows: Sequence[Row]) -> list[list[Row]]:
    """Return rows, those together that are compared with one another."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.chat or row.name, []).append(row)
    return list(found.values())
