"""A whole response, and the events that tell it to who asked for a stream."""

from collections.abc import Iterator
from typing import Any

from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS
from gateway.wire import sse_blocks
from gateway.wire.jsontext import JSONError, decode

TERMINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
    "cancelled": "response.failed",
}
"""The event that ends a stream, by the response's status."""

_ANSWERS = ("response", "response.compaction")
_ENDS = frozenset(TERMINAL.values())


def checked(payload: Any) -> JSON:
    """Return the response that `payload` is; raises `GatewayError` where it is none."""
    if isinstance(payload, dict):
        if (
            payload.get("object") in _ANSWERS
            or isinstance(payload.get("output"), list)
            or isinstance(payload.get("input_tokens"), int)
        ):
            return payload
        if payload.get("error"):
            raise upstream_errors.instead_of_answer(payload, WORDS)
    raise upstream_errors.no_answer("has no output")


def response_in(stream: bytes) -> JSON | None:
    """Return the response that a complete stream tells, None where it is none."""
    for block in reversed(sse_blocks.blocks(stream.rstrip() + b"\n\n")):
        found, _ = sse_blocks.read(block)
        try:
            event = decode(found.data) if found else None
        except JSONError:
            continue
        match event:
            case {"type": str(kind), "response": dict(response)} if kind in _ENDS:
                return response
    return None


def events_of(response: JSON) -> Iterator[JSON]:
    """Yield the events that would have told a whole response, numbered."""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    told: list[JSON] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(response.get("output") or ()):
        for kind in ("response.output_item.added", "response.output_item.done"):
            told.append({"type": kind, "output_index": index, "item": item})
    kind = TERMINAL.get(str(response.get("status")), "response.completed")
    told.append({"type": kind, "response": response})
    for number, event in enumerate(told):
        yield {"type": event["type"], "sequence_number": number, **event}
