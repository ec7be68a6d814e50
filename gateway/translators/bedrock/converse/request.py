"""An OpenAI request in Converse's form, for every model but Claude.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

Nova's InvokeModel body is nearly the same, so `render_parts` serves both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gateway.hub.protocol import JSON, Reply, Route
from gateway.hub.requests.caching import limit_marks
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.reasoning import reasoning_of
from gateway.hub.requests.tools.choice import is_parallel
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.validation import ValidRequest
from gateway.translators.bedrock.converse.cache_points import cache_points
from gateway.translators.bedrock.converse.messages import (
    Conversation,
    Options,
    render_conversation,
)
from gateway.translators.bedrock.converse.models import Profile, profile_of
from gateway.translators.bedrock.converse.params import (
    drop_rest,
    has_flag,
    refuse,
    sampling,
    service_tier,
)
from gateway.translators.bedrock.converse.settings import guardrail, request_metadata
from gateway.translators.bedrock.converse.tooling import Tooling, render_tooling

STREAMED = "converse"
WHOLE = "converse-whole"
"""Values of `Reply.wire`: an answer that streams if asked to, and one that does not."""

_NAMES = {
    "limit": "maxTokens",
    "temperature": "temperature",
    "top_p": "topP",
    "stop": "stopSequences",
}

_BESIDE_HIGH_EFFORT = frozenset(
    {"max_completion_tokens", "max_tokens", "temperature", "top_p"}
)

_LOW_TO_HIGH = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}

_EFFORTS: dict[str, Mapping[str, str]] = {
    "effort": {**_LOW_TO_HIGH, "none": "low"},
    "nova": {**_LOW_TO_HIGH, "none": "disabled"},
    "qwen": {**_LOW_TO_HIGH, "medium": "high"},
    "deepseek": _LOW_TO_HIGH,
}
"""OpenAI's efforts to what a family knows; what is missing is dropped."""

_EFFORT_FIELDS = {
    "effort": "reasoning_effort",
    "qwen": "reasoning_config",
    "deepseek": "reasoning_config",
}


@dataclass(frozen=True)
class Parts:
    """What both bodies are made of; the reply knows about the request by then."""

    profile: Profile
    conversation: Conversation
    tooling: Tooling
    inference: JSON
    top_k: int | None
    effort: str
    reply: Reply


def render(
    valid: ValidRequest, route: Route, base: str, losses: Losses, reply: Reply
) -> tuple[JSON, Reply]:
    """Return the body for Converse and what its answer's parser must know.

    `base` is the model's id without geography and version. Raises `GatewayError` (400)
    for what cannot be expressed.
    """
    parts = render_parts(valid, route, base, losses, reply)
    rendered: JSON = {"messages": parts.conversation.turns}
    if parts.conversation.system:
        rendered["system"] = parts.conversation.system
    if parts.inference:
        rendered["inferenceConfig"] = parts.inference
    if tools := tool_config(parts.tooling):
        rendered["toolConfig"] = tools
    if extra := _additional(parts):
        rendered["additionalModelRequestFields"] = extra
    if parts.tooling.format is not None:
        rendered["outputConfig"] = {"textFormat": parts.tooling.format}
    add_settings(rendered, valid.body, route, losses)
    reply = parts.reply._replace(wire=STREAMED)
    if reply.stream and parts.tooling.tools and not _streams_tools(parts, route):
        losses.downgrade("stream")
        reply = reply._replace(wire=WHOLE)
    return rendered, reply


def _streams_tools(parts: Parts, route: Route) -> bool:
    """Say whether the model may be asked for a stream beside tools."""
    if "stream_tools" in route.avoid:
        return False
    return has_flag(route, "stream_tools", default=parts.profile.streams_tools)


def add_settings(rendered: JSON, body: JSON, route: Route, losses: Losses) -> None:
    """Add the service tier, guardrail and metadata to a Converse body."""
    if tier := service_tier(body, losses):
        rendered["serviceTier"] = {"type": tier}
    if config := guardrail(route):
        rendered["guardrailConfig"] = config
    if metadata := request_metadata(body, route):
        rendered["requestMetadata"] = metadata


def render_parts(
    valid: ValidRequest,
    route: Route,
    base: str,
    losses: Losses,
    reply: Reply,
    *,
    takes_documents: bool = True,
) -> Parts:
    """Return the parts of a body, their cache points set.

    Raises `GatewayError` (400) for what cannot be expressed.
    """
    body, profile, names = valid.body, _profile(base, route), ToolNames()
    refuse(body)
    tooling = render_tooling(body, route, names, profile, losses)
    conversation = render_conversation(
        body["messages"],
        valid.results,
        names,
        profile,
        Options(
            tools_as_text=not tooling.tools,
            takes_documents=takes_documents,
            takes_audio=has_flag(route, "audio"),
            keeps_last=_keeps_last(body, profile, tooling),
        ),
    )
    if tooling.instruction:
        conversation.system.append({"text": tooling.instruction})
    if not profile.takes_system:
        # Where there is no place for a system prompt, the user's turn opens with it.
        conversation.turns[0]["content"][:0] = conversation.system
        conversation.system = []
    tools = _set_cache_points(conversation, tooling.tools, profile)
    effort = _effort(body, profile)
    inference = sampling(body, _inference_names(body, profile, effort, losses), losses)
    drop_rest(valid, losses, _used(profile, effort))
    stop = () if profile.takes_stop else tuple(body.get("stop", ()))
    return Parts(
        profile,
        conversation,
        tooling._replace(tools=tools),
        inference,
        body.get("top_k") if profile.takes_top_k else None,
        effort,
        reply._replace(
            tool_names=names.originals,
            json_tool=tooling.json_tool,
            strip_fence=bool(tooling.instruction),
            stop=stop,
            single_tool_call=not is_parallel(body),
            forced_tool=tooling.only,
        ),
    )


def _profile(base: str, route: Route) -> Profile:
    """Return the family's profile with what the model's row says otherwise."""
    profile = profile_of(base)
    structured = bool(route.capabilities.get("structured", profile.structured))
    if not has_flag(route, "structured_output", default=True):
        structured = False
    if structured == profile.structured:
        return profile
    return replace(profile, structured=structured)


def _keeps_last(body: JSON, profile: Profile, tooling: Tooling) -> bool:
    """Say whether the model goes on with a last assistant turn of this request."""
    return profile.prefills and not tooling.only and not _effort(body, profile)


def _set_cache_points(
    conversation: Conversation, tools: list[JSON], profile: Profile
) -> list[JSON]:
    # Nova caches system and messages for five minutes, tools only with them.
    blocks = [block for turn in conversation.turns for block in turn["content"]]
    limit_marks((), conversation.system, blocks)
    points = partial(cache_points, caches=profile.caches, has_lifetimes=False)
    for turn in conversation.turns:
        turn["content"] = points(turn["content"])
    conversation.system = points(conversation.system)
    return cache_points(tools, caches=False)


def _effort(body: JSON, profile: Profile) -> str:
    """Return the family's word for the effort asked for; empty for none of them."""
    return _EFFORTS.get(profile.reasoning, {}).get(reasoning_of(body).effort, "")


def _inference_names(
    body: JSON, profile: Profile, effort: str, losses: Losses
) -> dict[str, str]:
    names = dict(_NAMES)
    if not profile.takes_stop:
        del names["stop"]
    if profile.reasoning == "nova" and effort == "high":
        # Nova 2 refuses them beside its highest effort.
        for field in sorted(_BESIDE_HIGH_EFFORT & body.keys()):
            losses.drop(field)
        return {"stop": names["stop"]}
    return names


def _used(profile: Profile, effort: str) -> frozenset[str]:
    used = {"top_k"} if profile.takes_top_k else set()
    if effort:
        used |= {"reasoning", "reasoning_effort"}
    return frozenset(used)


def tool_config(tooling: Tooling) -> JSON | None:
    """Return `toolConfig`, or None where no tool is offered: it may not be empty."""
    if not tooling.tools:
        return None
    config: JSON = {"tools": tooling.tools}
    if tooling.choice is not None:
        config["toolChoice"] = tooling.choice
    return config


def nova_reasoning(effort: str) -> JSON:
    """Return Nova 2's `reasoningConfig`.

    https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html
    """
    if effort == "disabled":
        return {"type": "disabled"}
    return {"type": "enabled", "maxReasoningEffort": effort}


def _additional(parts: Parts) -> JSON:
    extra: dict[str, Any] = {}
    if parts.top_k is not None:
        extra["inferenceConfig"] = {"topK": parts.top_k}
    if parts.effort and parts.profile.reasoning == "nova":
        extra["reasoningConfig"] = nova_reasoning(parts.effort)
    elif parts.effort:
        extra[_EFFORT_FIELDS[parts.profile.reasoning]] = parts.effort
    return extra
