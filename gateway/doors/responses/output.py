"""Items of an answer other than calls.

https://platform.openai.com/docs/api-reference/responses/object#responses/object-output
"""

from typing import Any

from gateway.doors.responses.reasoning import blob_of_block, blob_of_text
from gateway.hub.answers.chunks import count
from gateway.hub.protocol import JSON
from gateway.wire.unread import Unread


def text_part(
    text: str | Unread, annotations: list[JSON], logprobs: list[JSON]
) -> JSON:
    """Return a part of a message that is text, which may be encoded."""
    return {
        "type": "output_text",
        "text": text,
        "annotations": annotations,
        "logprobs": logprobs,
    }


def refusal_part(refusal: str | Unread) -> JSON:
    """Return a part of a message that refuses."""
    return {"type": "refusal", "refusal": refusal}


def message_item(id: str, content: list[JSON], status: str) -> JSON:
    """Return a message."""
    return {
        "type": "message",
        "id": id,
        "role": "assistant",
        "status": status,
        "content": content,
    }


def reasoning_item(id: str, text: str, status: str, block: JSON | None = None) -> JSON:
    """Return what was thought: its text, and all of it for the way back.

    `block` is the thinking block that holds it, where it came in one.
    """
    return {
        "type": "reasoning",
        "id": id,
        "summary": [summary_part(text)] if text else [],
        "encrypted_content": blob_of_block(block) if block else blob_of_text(text),
        "status": status,
    }


def summary_part(text: str) -> JSON:
    """Return the readable part of a reasoning item."""
    return {"type": "summary_text", "text": text}


def annotations_of(annotations: Any, before: int = 0) -> list[JSON]:
    """Return the hub's annotations; `before` characters stand in earlier messages.

    What is no citation of a page is none of a response's, and left out.
    """
    if not isinstance(annotations, list):
        return []
    found = []
    for annotation in annotations:
        match annotation:
            case {"type": "url_citation", "url_citation": dict(cited)}:
                found.append(_citation(cited, before))
    return found


def _citation(cited: JSON, before: int) -> JSON:
    return {
        "type": "url_citation",
        "url": str(cited.get("url") or ""),
        "title": str(cited.get("title") or ""),
        "start_index": max(0, count(cited.get("start_index")) - before),
        "end_index": max(0, count(cited.get("end_index")) - before),
    }


def logprobs_of(logprobs: Any) -> list[JSON]:
    """Return the hub's log probabilities of content."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return [
        {
            **_logprob(entry),
            "top_logprobs": [_logprob(top) for top in entry.get("top_logprobs") or ()],
        }
        for entry in content or ()
        if isinstance(entry, dict)
    ]


def _logprob(entry: JSON) -> JSON:
    return {
        "token": entry.get("token") or "",
        "logprob": entry.get("logprob") or 0.0,
        "bytes": entry.get("bytes") or [],
    }
