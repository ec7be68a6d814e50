"""Answers that pause while Claude's own server searches the web.

A search that takes long ends a message with `pause_turn`; sent back unchanged, it goes
on. Clients that brought the tool along know that and do it themselves. Where the
gateway added it on its own, nobody else can.
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
"""

from functools import partial

from gateway.hub.protocol import JSON, UpstreamRequest
from gateway.translators.anthropic.answers.usage import folded

MAX_RESUMPTIONS = 3
PAUSE = "pause_turn"


def resumable(request: UpstreamRequest) -> UpstreamRequest:
    """Return a request whose answer is asked to go on where it pauses."""
    return request._replace(
        reply=request.reply._replace(goes_on=True),
        resume=partial(_resumed, request),
    )


def _resumed(request: UpstreamRequest, payload: JSON) -> UpstreamRequest | None:
    content = payload.get("content")
    if payload.get("stop_reason") != PAUSE or not isinstance(content, list):
        return None
    earlier = (*request.reply.earlier, payload)
    # Claude sends blank texts, and refuses them when they come back.
    content = [block for block in content if not _is_blank(block)]
    if not content or len(earlier) > MAX_RESUMPTIONS:
        return None
    asked = request.body["messages"]
    if request.reply.earlier:
        # The turn that paused before is part of the one that pauses now.
        content = [*asked[-1]["content"], *content]
        asked = asked[:-1]
    messages = [*asked, {"role": "assistant", "content": content}]
    return resumable(
        request._replace(
            body={**request.body, "messages": messages},
            reply=request.reply._replace(earlier=earlier),
        )
    )


def _is_blank(block: object) -> bool:
    match block:
        case {"type": "text", "text": str(text)}:
            return not text.strip()
    return False


def joined(earlier: tuple[JSON, ...], payload: JSON) -> JSON:
    """Return the message that paused ones and their continuation are together."""
    if not earlier or not isinstance(payload.get("content"), list):
        return payload
    content = [block for part in earlier for block in part["content"]]
    usage = summed_usage((*earlier, payload))
    return {**payload, "content": [*content, *payload["content"]], "usage": usage}


def summed_usage(parts: tuple[JSON, ...]) -> JSON:
    """Return the usage of all parts of an answer: each is billed by itself."""
    usage: JSON = {}
    for part in parts:
        counts = part.get("usage")
        usage = _summed(usage, folded(counts)) if isinstance(counts, dict) else usage
    return usage


def _summed(one: JSON, other: JSON) -> JSON:
    total = dict(one)
    for name, value in other.items():
        known = total.get(name)
        if isinstance(value, dict) and isinstance(known, dict):
            total[name] = _summed(known, value)
        elif type(value) is int and type(known) is int:
            total[name] = known + value
        elif value is not None or known is None:
            total[name] = value
    return total
