"""An OpenAI request as a body of Anthropic's Messages API.

https://platform.claude.com/docs/en/api/messages

`render_body` gives what all hosts of Claude share; a host adds how it names the model,
streaming, API version and betas.
"""

from dataclasses import replace
from typing import NamedTuple

from gateway.errors import unsupported
from gateway.hub.protocol import JSON, Learned, Reply, Route, UpstreamRequest
from gateway.hub.requests.caching import (
    MARK,
    as_mark,
    fit_marks,
    limit_marks,
    mark_last,
)
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.turns import GO_ON, Conversation
from gateway.hub.requests.validation import limit_name, output_limit
from gateway.translators.anthropic.answers.at_once import read_at_once
from gateway.translators.anthropic.answers.pausing import resumable
from gateway.translators.anthropic.requests.betas import BETAS, betas_of
from gateway.translators.anthropic.requests.claude_models import (
    ClaudeModel,
    claude_model,
)
from gateway.translators.anthropic.requests.dialect import Claude
from gateway.translators.anthropic.requests.leaving_out import without
from gateway.translators.anthropic.requests.messages import Messages, render_messages
from gateway.translators.anthropic.requests.parameters import (
    account,
    drop_tuning,
    sampling,
    stop_of,
)
from gateway.translators.anthropic.requests.talk import long_talk, short_talk, talk
from gateway.translators.anthropic.requests.thinking import (
    BINDING_BETA,
    Circumstances,
    Thinking,
    bind_replay,
    render_thinking,
)
from gateway.translators.anthropic.requests.tooling import Tooling, render_tooling
from gateway.wire.jsontext import encode

PATH = "/v1/messages"

BETA = "anthropic-beta"
_LISTED = frozenset({BETA})
VERSION = "2023-06-01"
"""The newer 2026-10-21 refuses sampling parameters on models that support them."""
_HEADERS = {"anthropic-version": VERSION}
"""Of a request that only talks."""


class ClaudeRequest(NamedTuple):
    """A Messages body without `model` and `stream`, and what goes with it.

    `searches` tells that the gateway added Claude's own web search to it.
    """

    body: JSON
    learned: Learned
    betas: tuple[str, ...] = ()
    searches: bool = False


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return an OpenAI request as one to Anthropic's API.

    Raises a 400 `GatewayError` with `param` for what Claude cannot express.
    """
    said = None if route.options.get("drop_params") else talk(body, route)
    return _render(body, route) if said is None else _talking(said, body, route)


def render_outline(outline: JSON, route: Route) -> UpstreamRequest | None:
    """Return a long request that only talks; None for any other."""
    said = None if route.options.get("drop_params") else long_talk(outline, route)
    if said is None:
        return None
    return _talking(said, outline, route)._replace(at_once=read_at_once)


def render_talk(body: JSON, route: Route) -> UpstreamRequest | None:
    """Return a short request that only talks as the bytes that are sent.

    None for any other. Its answer is mostly as plain.
    """
    said = None if route.options.get("drop_params") else short_talk(body, route)
    if said is None:
        return None
    upstream, reply = _with_model(said, body, route)
    return UpstreamRequest(
        PATH,
        {},
        reply,
        _HEADERS,
        listed_headers=_LISTED,
        raw=encode(upstream),
        at_once=read_at_once,
    )


def _talking(said: JSON, body: JSON, route: Route) -> UpstreamRequest:
    upstream, reply = _with_model(said, body, route)
    return UpstreamRequest(PATH, upstream, reply, _HEADERS, listed_headers=_LISTED)


def _with_model(said: JSON, body: JSON, route: Route) -> tuple[JSON, Reply]:
    """Return all that is sent of a request that only talks, and what is to be known."""
    upstream: JSON = {"model": route.upstream_model, **said}
    reply = Reply.of(body, route)
    if reply.stream:
        upstream["stream"] = True
    return upstream, reply


def _render(body: JSON, route: Route) -> UpstreamRequest:
    """Return any request, whatever it holds."""
    rendering = Rendering.of(body, route)
    rendered = render_body(rendering, Claude(_model(route)))
    reply = rendering.reply(rendered.learned)
    upstream: JSON = {"model": route.upstream_model, **rendered.body}
    if reply.stream:
        upstream["stream"] = True
    headers = {"anthropic-version": VERSION}
    options = route.options
    refused = options.get("drop_betas") or ()
    if betas := [beta for beta in rendered.betas if beta not in refused]:
        headers[BETA] = ",".join(betas)
    upstream, dropped = without(upstream, options.get("drop_params") or ())
    for param in dropped:
        rendering.losses.drop(param)
    request = rendering.request(PATH, upstream, reply, headers, _LISTED)
    return resumable(request) if rendered.searches else request


def _model(route: Route) -> ClaudeModel:
    """Return what the route's Claude accepts, as far as the provider's options go."""
    model = claude_model(route)
    if "structured" in route.capabilities:
        return model
    if route.options.get("structured_output", True) is not False:
        return model
    return replace(model, structured=False)


def render_body(rendering: Rendering, claude: Claude) -> ClaudeRequest:
    """Return a request as the body that every host of Claude takes.

    Raises a 400 `GatewayError` with `param` for what cannot be expressed.
    """
    body, model = rendering.body, claude.model
    _refuse(body)
    tooling = render_tooling(rendering, claude)
    limit = _limit(rendering, claude)
    messages, thinking = _converse(rendering, claude, tooling, limit)
    conversation = messages.conversation
    _finish_last_turn(conversation, model, thinking, tooling)
    rendered = _assembled(conversation, tooling, thinking, limit)
    rendered |= sampling(rendering, model, thinks=thinking.is_on(model))
    stop = stop_of(body)
    if stop.sent:
        rendered["stop_sequences"] = stop.sent
    rendered |= account(rendering, claude.dialect)
    rendered |= _servers(rendering, claude)
    _set_marks(rendering, claude, rendered, conversation)
    drop_tuning(rendering)
    learned: Learned = {
        "json_tool": tooling.json_tool,
        "strip_fence": bool(tooling.instruction),
        "stop": stop.emulated,
        "single_tool_call": tooling.is_single,
    }
    betas = tuple(messages.betas)
    has_servers = "mcp_servers" in rendered
    avoid = rendering.route.avoid
    if tooling.tools or has_servers:
        betas += betas_of(tooling.tools, claude.dialect, avoid, has_servers=has_servers)
    if betas:
        betas = BETAS.left(betas, avoid)
    return ClaudeRequest(rendered, learned, betas, tooling.searches)


def _servers(rendering: Rendering, claude: Claude) -> JSON:
    """Return the MCP servers that Claude is to call, as the client wrote them."""
    servers = rendering.body.get("mcp_servers")
    if not servers:
        return {}
    if not claude.dialect.mcp_servers:
        rendering.losses.drop("mcp_servers")
        return {}
    return {"mcp_servers": servers}


def _refuse(body: JSON) -> None:
    if body.get("logprobs"):
        raise unsupported(
            "Claude does not report log probabilities. Remove 'logprobs'.",
            param="logprobs",
        )
    if body.get("logit_bias"):
        raise unsupported(
            "Claude does not support token biases. Remove 'logit_bias'.",
            param="logit_bias",
        )


def _limit(rendering: Rendering, claude: Claude) -> int:
    """Return the output limit, no higher than the model's own."""
    limit = output_limit(rendering.body)
    most = claude.model.max_output
    if limit is None:
        limit = rendering.route.default_output or claude.dialect.default_output
    elif limit > most:
        rendering.losses.downgrade(limit_name(rendering.body))
    return min(most, limit)


def _converse(
    rendering: Rendering, claude: Claude, tooling: Tooling, limit: int
) -> tuple[Messages, Thinking]:
    """Return the conversation and the thinking, which depend on each other.

    Replayed blocks decide whether a manual budget is allowed, and whether they may be
    replayed depends on what thinking a model that checks them is asked for.
    """
    messages = render_messages(rendering, claude)
    turns = messages.conversation.turns
    around = Circumstances(limit, tooling.forces_tool, turns)
    thinking = render_thinking(rendering, claude, around)
    if messages.has_replay and claude.model.preserved:
        bound = bind_replay(thinking)
        if bound is not None:
            messages.betas.append(BINDING_BETA)
            return messages, bound
        messages = render_messages(rendering, claude, replay=False)
    return messages, thinking


def _finish_last_turn(
    conversation: Conversation,
    model: ClaudeModel,
    thinking: Thinking,
    tooling: Tooling,
) -> None:
    """Make the last turn one that may stand last.

    A closing assistant turn asks to be continued. Older models do so unless they think
    or are bound to a format or a tool; the others get a user turn that asks for it.
    """
    turn = conversation.turns[-1]
    if turn["role"] != "assistant":
        return
    is_bound = tooling.format is not None or tooling.forces_tool
    prefills = model.prefill and not thinking.is_on(model) and not is_bound
    last = turn["content"][-1]
    if prefills and last["type"] == "text":
        turn["content"][-1] = {**last, "text": last["text"].rstrip()}
    else:
        conversation.add("user", [{"type": "text", "text": GO_ON}])


def _assembled(
    conversation: Conversation, tooling: Tooling, thinking: Thinking, limit: int
) -> JSON:
    if tooling.instruction:
        conversation.system.append({"type": "text", "text": tooling.instruction})
    rendered: JSON = {"max_tokens": limit}
    if conversation.system:
        rendered["system"] = conversation.system
    rendered["messages"] = conversation.turns
    if tooling.tools:
        rendered["tools"] = tooling.tools
    if tooling.choice:
        rendered["tool_choice"] = tooling.choice
    if thinking.config is not None:
        rendered["thinking"] = thinking.config
    output: JSON = {}
    if thinking.effort:
        output["effort"] = thinking.effort
    if tooling.format is not None:
        output["format"] = tooling.format
    if output:
        rendered["output_config"] = output
    return rendered


def _automatic_cache(rendering: Rendering) -> JSON:
    """Return the mark of a whole request, where it or the provider asks for one."""
    body = rendering.body
    if "cache_control" in body:
        return {"cache_control": as_mark(body["cache_control"])}
    options = body.get("prompt_cache_options") or {}
    if options.get("mode") == "implicit" and rendering.route.options.get("auto_cache"):
        return {"cache_control": as_mark(options)}
    return {}


def _set_marks(
    rendering: Rendering, claude: Claude, rendered: JSON, conversation: Conversation
) -> None:
    """Leave as many cache marks as the model takes, of lifetimes that it takes."""
    body, tools = rendering.body, rendered.get("tools") or ()
    asks = MARK in body or "prompt_cache_options" in body
    whole = _automatic_cache(rendering) if asks else {}
    if not (whole or conversation.has_marks or any(MARK in tool for tool in tools)):
        return
    if claude.dialect.automatic_cache:
        rendered |= whole
    elif whole:
        # A host without the mark of a whole request takes one on its last block.
        mark_last(conversation.turns[-1]["content"][-1], whole[MARK])
    blocks = [block for turn in conversation.turns for block in turn["content"]]
    model, holders = claude.model, (*tools, *conversation.system, *blocks, rendered)
    if fit_marks(
        holders,
        rendering.route.avoid,
        caches=model.caches,
        long_cache=model.long_cache,
    ):
        rendering.losses.downgrade("cache_control")
    last = rendered if MARK in rendered else None
    limit_marks(tools, conversation.system, blocks, last)
