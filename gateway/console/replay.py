"""A kept request, to be sent once more from the Playground."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from gateway.console.playground_form import Turn
from gateway.models import CallBody, UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

WITHOUT_TURNS = ("embeddings", "moderations", "completions")
"""Doors whose requests hold no conversation, as the ledger names them."""

_SYSTEM = ("system", "developer")
_MOST_TOKENS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_REPRESENTED = {
    *("model", "messages", "input", "system", "instructions", "temperature"),
    *("stream", "stream_options", *_MOST_TOKENS),
}


class Replay(NamedTuple):
    """What the form is filled with, the conversation before, and what to say of it."""

    initial: dict[str, Any]
    turns: list[Turn]
    notes: list[str]


def of_call(call_id: str, offered: frozenset[str]) -> Replay:
    """Return what was asked by a call, as far as the Playground can ask it.

    `offered` are the models to choose from. Where nothing was kept of the call, or no
    more than a piece, a note says so.
    """
    record = UsageRecord.objects.filter(call_id=call_id).first()
    kept = CallBody.objects.filter(call_id=call_id).first()
    if record is None or kept is None:
        return Replay({}, [], [_("What this request asked is not kept.")])
    try:
        body = jsontext.decode(kept.asked.encode())
    except jsontext.JSONError:
        body = None
    if not isinstance(body, dict):
        return Replay({}, [], [_("Of this request no more than a piece is kept.")])
    replay = _of_body(body)
    for model in (f"{record.provider}/{record.model}", record.model, body.get("model")):
        if model in offered:
            replay.initial["model"] = model
            return replay
    told = {"model": record.model or body.get("model", "")}
    missing = _("%(model)s is not served any more: choose another model.") % told
    return replay._replace(notes=[*replay.notes, missing])


def _of_body(body: JSON) -> Replay:
    """Return what a request asked, in whichever format it was sent."""
    messages = body.get("messages", body.get("input"))
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not isinstance(messages, list):
        messages = []
    said = [_said(message if isinstance(message, dict) else {}) for message in messages]
    systems = [_text(body.get(name))[0] for name in ("system", "instructions")]
    systems += [text for role, text, _all in said if role in _SYSTEM]
    initial: dict[str, Any] = {
        "system": "\n\n".join(filter(None, systems)),
        "temperature": body.get("temperature"),
        "max_tokens": next((body[n] for n in _MOST_TOKENS if body.get(n)), None),
    }
    turns, initial["message"] = _conversation(said)
    is_whole = set(body) <= _REPRESENTED and all(
        is_all for _role, _said_text, is_all in said
    )
    left_out = _("Tools, files, other settings and what is not kept were left out.")
    return Replay(initial, turns, [] if is_whole else [left_out])


def _said(message: JSON) -> tuple[str, str, bool]:
    """Return who said what, and whether that is all of the message."""
    role = str(message.get("role", ""))
    text, is_whole = _text(message.get("content"))
    known = role in (*_SYSTEM, "user", "assistant")
    return role, text, known and is_whole and set(message) <= {"role", "content"}


def _text(content: Any) -> tuple[str, bool]:
    """Return the text of a message's content, and whether there is nothing else."""
    if isinstance(content, str):
        return content, "characters more]" not in content[-40:]
    if not isinstance(content, list):
        return "", content is None
    texts = [_text(part.get("text")) for part in content if isinstance(part, dict)]
    has_more = any(
        not isinstance(p, dict) or set(p) - {"type", "text"} for p in content
    )
    is_whole = not has_more and all(whole for _text, whole in texts)
    return "\n\n".join(text for text, _whole in texts if text), is_whole


def _conversation(said: list[tuple[str, str, bool]]) -> tuple[list[Turn], str]:
    """Return the turns that were answered, and what waits for an answer."""
    turns: list[Turn] = []
    asked: list[str] = []
    for role, text, _whole in said:
        if role == "user" and text:
            asked.append(text)
        elif role == "assistant" and text and asked:
            turns.append(Turn("\n\n".join(asked), text))
            asked = []
    return turns, "\n\n".join(asked)
