"""An OpenAI request in Converse's form, for every model but Claude.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

Nova's InvokeModel body is nearly the same, so `render_parts` serves both.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.hub.protocol import JSON, Learned, Route
from gateway.hub.requests.caching import MARK, fit_marks, limit_marks, mark_last
from gateway.hub.requests.reasoning import reasoning_of
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.turns import Conversation
from gateway.translators.bedrock.converse.cache_points import cache_points
from gateway.translators.bedrock.converse.messages import (
    Options,
    render_conversation,
)
from gateway.translators.bedrock.converse.models import Profile, profile_of
from gateway.translators.bedrock.converse.tooling import Tooling, render_tooling
from gateway.translators.bedrock.parameters import drop_rest, refuse, sampling
from gateway.translators.bedrock.ranges import ranges_of, within
from gateway.translators.bedrock.settings import (
    converse_settings,
    has_flag,
)

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
    """What both bodies are made of, and what is learned for the answer by then."""

    profile: Profile
    conversation: Conversation
    tooling: Tooling
    inference: JSON
    top_k: int | None
    effort: str
    learned: Learned


def render(rendering: Rendering) -> tuple[JSON, Learned]:
    """Return the body for Converse and what its answer's parser must know.

    Raises `GatewayError` (400) for what cannot be expressed.
    """
    parts = render_parts(rendering)
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
    rendered |= converse_settings(rendering)
    return rendered, {**parts.learned, "wire": _wire(rendering, parts)}


def _wire(rendering: Rendering, parts: Parts) -> str:
    """Return how the answer is asked for, which may be whole where a stream is not."""
    if not rendering.body.get("stream") or not parts.tooling.tools:
        return STREAMED
    if _streams_tools(parts.profile, rendering.route):
        return STREAMED
    rendering.losses.downgrade("stream")
    return WHOLE


def _streams_tools(profile: Profile, route: Route) -> bool:
    """Say whether the model may be asked for a stream beside tools."""
    if "stream_tools" in route.avoid:
        return False
    return has_flag(route, "stream_tools", default=profile.streams_tools)


def render_parts(rendering: Rendering, *, takes_documents: bool = True) -> Parts:
    """Return the parts of a body, their cache points set.

    Raises `GatewayError` (400) for what cannot be expressed.
    """
    body, profile = rendering.body, _profile(rendering.route)
    refuse(body)
    tooling = render_tooling(rendering, profile)
    options = Options(
        tools_as_text=not tooling.tools,
        takes_documents=takes_documents,
        takes_audio=has_flag(rendering.route, "audio"),
        keeps_last=_keeps_last(body, profile, tooling),
    )
    conversation = render_conversation(rendering, profile, options)
    _place_system(conversation, tooling.instruction, profile)
    tools = _set_cache_points(rendering, conversation, tooling.tools, profile)
    effort = _effort(body, profile)
    inference = sampling(rendering, _inference_names(rendering, profile, effort))
    drop_rest(rendering, _used(profile, effort))
    learned: Learned = {
        "json_tool": tooling.json_tool,
        "strip_fence": bool(tooling.instruction),
        "stop": () if profile.takes_stop else tuple(body.get("stop", ())),
        "forced_tool": tooling.only,
    }
    top_k = _top_k(rendering) if profile.takes_top_k else None
    tooling = tooling._replace(tools=tools)
    return Parts(profile, conversation, tooling, inference, top_k, effort, learned)


def _top_k(rendering: Rendering) -> int | None:
    ranges = ranges_of(rendering.route.base_model)
    top_k: int | None = within(rendering, "top_k", rendering.body.get("top_k"), ranges)
    return top_k


def _place_system(
    conversation: Conversation, instruction: str, profile: Profile
) -> None:
    """Add an instruction, and move the system's blocks where the model takes them."""
    if instruction:
        conversation.system.append({"text": instruction})
    if not profile.takes_system:
        # Where there is no place for a system prompt, the user's turn opens with it.
        conversation.turns[0]["content"][:0] = conversation.system
        conversation.system = []


def _profile(route: Route) -> Profile:
    """Return the family's profile with what the model's row says otherwise.

    What the model itself refused once is not asked of it again.
    """
    profile = profile_of(route.base_model)
    if "stop" in route.avoid:
        profile = replace(profile, takes_stop=False)
    if "tool_choice" in route.avoid:
        profile = replace(profile, choices=frozenset())
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
    rendering: Rendering,
    conversation: Conversation,
    tools: list[JSON],
    profile: Profile,
) -> list[JSON]:
    # Nova caches system and messages for five minutes, tools only with them.
    blocks = [block for turn in conversation.turns for block in turn["content"]]
    whole = rendering.body.get(MARK)
    if whole or conversation.has_marks:
        mark_last(blocks[-1], whole)
        holders, avoid = (*conversation.system, *blocks), rendering.route.avoid
        if fit_marks(holders, avoid, caches=profile.caches, long_cache=False):
            rendering.losses.downgrade("cache_control")
        limit_marks((), conversation.system, blocks)
        for turn in conversation.turns:
            turn["content"] = cache_points(turn["content"])
        conversation.system = cache_points(conversation.system)
    return cache_points(tools, caches=False)


def _effort(body: JSON, profile: Profile) -> str:
    """Return the family's word for the effort asked for; empty for none of them."""
    return _EFFORTS.get(profile.reasoning, {}).get(reasoning_of(body).effort, "")


def _inference_names(
    rendering: Rendering, profile: Profile, effort: str
) -> dict[str, str]:
    names = dict(_NAMES)
    if not profile.takes_stop:
        del names["stop"]
    for field in ("temperature", "top_p"):
        if field in rendering.route.avoid and rendering.body.get(field) is not None:
            del names[field]
            rendering.losses.drop(field)
    if profile.reasoning == "nova" and effort == "high":
        # Nova 2 refuses them beside its highest effort.
        for field in sorted(_BESIDE_HIGH_EFFORT & rendering.body.keys()):
            rendering.losses.drop(field)
        return {"stop": names["stop"]} if "stop" in names else {}
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
