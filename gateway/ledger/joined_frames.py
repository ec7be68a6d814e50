"""A stream as one answer, for people who read what was kept of it.

Not for clients: what is not understood is left as it came.
"""

from typing import Any

from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

_WHOLE = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""Events that end a streamed response, and tell it whole."""


def joined(frames: str) -> Any:
    """Return the chat completion, or the response, that `frames` come to.

    The frames themselves where that cannot be told.
    """
    chunks = [chunk for line in frames.splitlines() if (chunk := _chunk(line))]
    if chunks and chunks[-1].get("type") in _WHOLE:
        return chunks[-1].get("response")
    if not any("choices" in chunk for chunk in chunks):
        return frames
    whole: JSON = {}
    messages: dict[int, JSON] = {}
    for chunk in chunks:
        whole |= {k: v for k, v in chunk.items() if k != "choices" and v is not None}
        for choice in chunk.get("choices") or ():
            _add_choice(messages.setdefault(choice.get("index", 0), {}), choice)
    whole["choices"] = [{"index": n, **messages[n]} for n in sorted(messages)]
    return whole


def _chunk(line: str) -> JSON | None:
    if not line.startswith("data: {"):
        return None
    try:
        chunk = jsontext.decode(line[6:].encode())
    except jsontext.JSONError:
        return None  # The last one kept may be cut short.
    return chunk if isinstance(chunk, dict) else None


def _add_choice(whole: JSON, choice: JSON) -> None:
    message = whole.setdefault("message", {})
    for name, value in choice.items():
        if name == "delta" and isinstance(value, dict):
            _add(message, value)
        elif name not in ("index", "delta") and value is not None:
            whole[name] = value


def _add(whole: JSON, piece: JSON) -> None:
    """Add a piece: texts are put together, numbered lists by their numbers."""
    for name, value in piece.items():
        known = whole.get(name)
        if isinstance(value, str) and isinstance(known, str) and name in _TEXTS:
            whole[name] = known + value
        elif isinstance(value, list):
            whole[name] = _with_pieces(known if isinstance(known, list) else [], value)
        elif isinstance(value, dict) and isinstance(known, dict):
            _add(known, value)
        elif value is not None:
            whole[name] = value


_TEXTS = ("content", "reasoning_content", "reasoning", "refusal", "arguments", "text")


def _with_pieces(known: list[Any], pieces: list[Any]) -> list[Any]:
    for piece in pieces:
        number = piece.get("index") if isinstance(piece, dict) else None
        if isinstance(number, int) and 0 <= number < len(known):
            _add(known[number], piece)
        else:
            known.append(piece)
    return known
