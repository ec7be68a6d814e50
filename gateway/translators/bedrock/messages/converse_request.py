"""A Messages request to Claude on Bedrock, by Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

from collections.abc import Mapping
from typing import Any

from gateway.errors import invalid_request
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.hub.requests.losses import Losses
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.bedrock import converse
from gateway.translators.bedrock.headers import content_headers
from gateway.translators.bedrock.ids import path
from gateway.translators.bedrock.messages.body.adaptation import adapted
from gateway.translators.bedrock.messages.request import check_size, reply_of
from gateway.translators.bedrock.settings import guardrail, request_metadata
from gateway.wire.jsontext import encode

WIRE = "messages by converse"
"""By which an answer is known that comes in Converse's words."""

_LARGEST = 25 * 1024 * 1024
_OPERATIONS = {False: "converse", True: "converse-stream"}
_THINKING = frozenset({"thinking", "redacted_thinking"})
_MALFORMED = (LookupError, TypeError, ValueError, AttributeError)
"""What comes of a value in another place than documented: nothing has checked them."""

_UNSAID = ("metadata", "safeguards")


def render_converse(
    received: Received, route: Route, fetched: Mapping[str, str]
) -> UpstreamRequest:
    """Return the request to the model of `route`, whose base model is known.

    Raises a 400 for what Converse cannot say, a 413 for what is too large.
    """
    losses = Losses(route)
    claude, tier = adapted(received, route, fetched, losses)
    metadata = request_metadata(claude.get("metadata"), route)
    if metadata:
        del claude["metadata"]
    for name in _UNSAID:
        if claude.pop(name, None):
            losses.drop(name)
    body = _said(claude, _around(claude, route, tier), losses)
    if "stop_sequences" in claude:
        # Converse itself does not tell which one ended the answer.
        body["additionalModelResponseFieldPaths"] = ["/stop_sequence"]
    if metadata:
        body["requestMetadata"] = metadata
    stream = received.body.get("stream") is True
    raw = encode(body)
    check_size(raw, _LARGEST)
    return UpstreamRequest(
        path(route.upstream_model, _OPERATIONS[stream]),
        body,
        reply_of(route, WIRE, stream=stream),
        content_headers(is_stream=stream),
        losses.dropped,
        losses.downgraded,
        raw=raw,
    )


def _said(claude: JSON, around: converse.Around, losses: Losses) -> JSON:
    """Return Converse's body; raises a 400 for a block that lacks what it must have."""
    try:
        return converse.from_claude(_in_blocks(claude, losses), around)
    except _MALFORMED:
        raise invalid_request(
            "messages: Input should be valid: a turn, block or tool is not in the form "
            "that the Messages API documents",
            param="messages",
            code="invalid_value",
        ) from None


def _around(claude: JSON, route: Route, tier: str) -> converse.Around:
    settings: JSON = {}
    if tier:
        settings["serviceTier"] = {"type": tier}
    if config := guardrail(route):
        settings["guardrailConfig"] = config
    choice = claude.get("tool_choice")
    one_at_a_time = isinstance(choice, dict) and choice.get("disable_parallel_tool_use")
    return converse.Around(settings, {}, one_at_a_time is True, titles=True)


def _in_blocks(claude: JSON, losses: Losses) -> JSON:
    """Return a body whose texts are lists of blocks, in alternating turns.

    Converse knows system prompts at the beginning alone.
    """
    turns: list[JSON] = []
    withheld = _withheld(claude)
    for turn in claude["messages"]:
        role, blocks = turn["role"], _blocks(turn["content"])
        if role == "system":
            losses.downgrade("messages")
            role, blocks = "user", [_reminder(blocks)]
        kept = [block for block in blocks if block.get("type") not in withheld]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += kept
        elif kept:
            turns.append({"role": role, "content": kept})
    body = {**claude, "messages": turns}
    if "system" in claude:
        body["system"] = _blocks(claude["system"])
    return body


def _withheld(claude: JSON) -> frozenset[str]:
    """Return the blocks that are left out where no tool may be called.

    Tools are not offered then, and thinking is checked against what was before it.
    """
    choice = claude.get("tool_choice")
    is_none = isinstance(choice, dict) and choice.get("type") == "none"
    return _THINKING if is_none and claude.get("tools") else frozenset()


def _blocks(content: Any) -> list[JSON]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [dict(block) for block in content]


def _reminder(blocks: list[JSON]) -> JSON:
    texts = [block["text"] for block in blocks if block.get("type") == "text"]
    said = "\n".join(texts)
    return {"type": "text", "text": f"<system-reminder>\n{said}\n</system-reminder>"}
