"""Answers whose content is a list of parts, as the text that OpenAI's clients read.

OpenAI answers with a string. Mistral's reasoning models answer with parts of text and
of thinking: https://docs.mistral.ai/capabilities/reasoning/
"""

from typing import Any

from gateway.hub.protocol import JSON

_TEXT = frozenset({"text", "output_text"})
_THINKING = frozenset({"thinking", "reasoning"})

PARTS = "content_parts"
"""Where the whole list stays, for whoever wants it, and for the way back."""


def with_plain_content(message: JSON, *, is_whole: bool = False) -> JSON:
    """Return a message or delta with parts of text joined and thinking beside them.

    Parts of another kind (references, for one) have no place in a string: where there
    are any, the whole list stays readable under `PARTS`. So it does beside thinking in
    a whole message, which the server wants back as it gave it.
    """
    parts = message.get("content")
    if type(parts) is not list:
        return message
    text, thinking, is_known = "", "", True
    for part in parts:
        kind = str(part.get("type")) if isinstance(part, dict) else ""
        if kind in _TEXT:
            text += _text_of(part.get("text"))
        elif kind in _THINKING:
            thinking += _text_of(part.get("thinking") or part.get("summary") or part)
        else:
            is_known = False
    plain = {key: message[key] for key in message if key != "content"}
    if not is_known or (thinking and is_whole):
        plain[PARTS] = parts
    if thinking:
        known = plain.get("reasoning_content")
        before = known if isinstance(known, str) else ""
        plain["reasoning_content"] = before + thinking
    if text or not thinking:
        plain["content"] = text
    return plain


def in_parts(message: JSON) -> JSON:
    """Return a message that comes back with `PARTS` as its server gave it."""
    given = {key: message[key] for key in message if key != PARTS}
    parts = message[PARTS]
    if not isinstance(parts, list):
        return given
    given["content"] = parts
    if any(isinstance(part, dict) and part.get("type") in _THINKING for part in parts):
        given.pop("reasoning_content", None)
        given.pop("reasoning", None)
    return given


def _text_of(value: Any) -> str:
    """Return the text of a string, of an object that holds one, or of a list."""
    match value:
        case str():
            return value
        case {"text": inner}:
            return _text_of(inner)
        case list():
            return "".join(_text_of(each) for each in value)
    return ""
