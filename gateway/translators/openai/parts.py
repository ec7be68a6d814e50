"""Answers whose content is a list of parts, as the text that OpenAI's clients read.

OpenAI answers with a string. Mistral's reasoning models answer with parts of text and
of thinking: https://docs.mistral.ai/capabilities/reasoning/
"""

from typing import Any

from gateway.hub.protocol import JSON

_TEXT = frozenset({"text", "output_text"})
_THINKING = frozenset({"thinking", "reasoning"})


def with_plain_content(message: JSON) -> JSON:
    """Return a message or delta with parts of text joined and thinking beside them.

    Parts of another kind (references, for one) have no place in a string: where there
    are any, the whole list stays readable under `content_parts`.
    """
    parts = message.get("content")
    if type(parts) is not list:
        return message
    text, thinking, is_known = "", "", True
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind in _TEXT:
            text += _text_of(part.get("text"))
        elif kind in _THINKING:
            thinking += _text_of(part.get("thinking") or part.get("summary") or part)
        else:
            is_known = False
    plain = {key: message[key] for key in message if key != "content"}
    if not is_known:
        plain["content_parts"] = parts
    if thinking:
        known = plain.get("reasoning_content")
        before = known if isinstance(known, str) else ""
        plain["reasoning_content"] = before + thinking
    if text or not thinking:
        plain["content"] = text
    return plain


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
