"""A streamed answer put together again, as it would have come whole."""

from typing import Any

from gateway.hub.protocol import JSON

_REPLACED = frozenset({"index", "type", "role", "id"})

_SAID = frozenset({"delta", "message"})


def assembled(chunks: list[JSON]) -> JSON:
    """Return the `chat.completion` that `chunks` (regular ones) are together."""
    completion: JSON = {}
    choices: dict[int, JSON] = {}
    for chunk in chunks:
        for key in chunk:
            if chunk[key] is not None and key != "choices":
                completion[key] = chunk[key]
        for choice in chunk["choices"]:
            whole = choices.setdefault(choice["index"], {"message": {"content": None}})
            _add(whole["message"], choice["delta"])
            # Some servers repeat the whole message so far in every chunk.
            rest = {key: choice[key] for key in choice if key not in _SAID}
            _add(whole, {key: rest[key] for key in rest if rest[key] is not None})
    for choice in choices.values():
        for call in choice["message"].get("tool_calls") or ():
            call.pop("index", None)
    completion["object"] = "chat.completion"
    return {**completion, "choices": [choices[index] for index in sorted(choices)]}


def _add(whole: JSON, piece: JSON) -> None:
    for key in piece:
        value, known = piece[key], whole.get(key)
        if known is None or key in _REPLACED:
            whole[key] = [] if isinstance(value, list) else value
            if isinstance(value, list):
                _extend(whole[key], value)
        elif isinstance(known, str) and isinstance(value, str):
            is_word = key.endswith("finish_reason")
            whole[key] = value if is_word else known + value
        elif isinstance(known, dict) and isinstance(value, dict):
            _add(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            _extend(known, value)
        elif value is not None:
            whole[key] = value


def _extend(whole: list[Any], pieces: list[Any]) -> None:
    """Add entries to a list, or to those that have the same `index`."""
    for piece in pieces:
        place = piece.get("index") if isinstance(piece, dict) else None
        same = [
            one for one in whole if isinstance(one, dict) and one.get("index") == place
        ]
        if place is not None and same:
            _add(same[0], piece)
        else:
            whole.append(dict(piece) if isinstance(piece, dict) else piece)
