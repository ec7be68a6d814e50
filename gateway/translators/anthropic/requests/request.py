"""An OpenAI request as a body of Anthropic's Messages API.

https://platform.claude.com/docs/en/api/messages

`render_body` gives what all hosts of Claude share; a host adds how it names the model,
streaming, API version and betas.
"""

from dataclasses import replace
from typing import NamedTuple

from gateway.errors import unsupported
from gateway.hub.protocol import JSON, Reply, Route, UpstreamRequest
from gateway.hub.requests.caching import as_mark, limit_marks
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.reasoning import reasoning_of
from gateway.hub.requests.tools.ids import ToolNames
from gateway.hub.requests.validation import ValidRequest, output_limit, validate_request
from gateway.translators.anthropic.answers.pausing import resumable
from gateway.translators.anthropic.requests.claude_models import (
    ClaudeModel,
    claude_model,
)
from gateway.translators.anthropic.requests.dialect import ANTHROPIC, Dialect
from gateway.translators.anthropic.requests.messages import (
    Conversation,
    render_conversation,
)
from gateway.translators.anthropic.requests.parameters import (
    add_account,
    add_sampling,
    add_stop,
    drop_tuning,
)
from gateway.translators.anthropic.requests.thinking import (
    BINDING_BETA,
    Circumstances,
    Thinking,
    bind_replay,
    render_thinking,
)
from gateway.translators.anthropic.requests.tooling import Tooling, render_tooling

PATH = "/v1/messages"

BETA = "anthropic-beta"
_LISTED = frozenset({BETA})
VERSION = "2023-06-01"
"""The newer 2026-10-21 refuses sampling parameters on models that support them."""


class ClaudeRequest(NamedTuple):
    """A Messages body without `model` and `stream`, and what goes with it.

    `searches` tells that the gateway added Claude's own web search to it.
    """

    body: JSON
    reply: Reply
    betas: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    downgraded: tuple[str, ...] = ()
    searches: bool = False


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return an OpenAI request as one to Anthropic's API.

    Raises a 400 `GatewayError` with `param` for what Claude cannot express.
    """
    rendered = render_body(body, route, model=_model(route))
    upstream: JSON = {"model": route.upstream_model, **rendered.body}
    if rendered.reply.stream:
        upstream["stream"] = True
    headers = {"anthropic-version": VERSION}
    if rendered.betas:
        headers[BETA] = ",".join(rendered.betas)
    request = UpstreamRequest(
        PATH,
        upstream,
        rendered.reply,
        headers,
        rendered.dropped,
        rendered.downgraded,
        listed_headers=_LISTED,
    )
    return resumable(request) if rendered.searches else request


def _model(route: Route) -> ClaudeModel:
    """Return what the route's Claude accepts, as far as the provider's options go."""
    model = claude_model(route)
    if "structured" in route.capabilities:
        return model
    if route.options.get("structured_output", True) is not False:
        return model
    return replace(model, structured=False)


def render_body(
    body: JSON,
    route: Route,
    dialect: Dialect = ANTHROPIC,
    model: ClaudeModel | None = None,
) -> ClaudeRequest:
    """Return an OpenAI request as the body that every host of Claude takes.

    `model` replaces what the table of models says, for a host on which a model can do
    less. Raises a 400 `GatewayError` with `param` for what cannot be expressed.
    """
    model = model or claude_model(route)
    valid = validate_request(body)
    losses = Losses(route)
    for field in valid.unknown:
        losses.drop(field)
    _refuse(valid.body)
    names = ToolNames()
    tooling = render_tooling(valid.body, route, names, model, dialect, losses)
    limit = _limit(valid.body, model, dialect)
    conversation, thinking = _converse(
        valid, tooling, names, model, dialect, limit, losses
    )
    if "output_config" in route.avoid and thinking.effort:
        losses.downgrade(reasoning_of(valid.body).param)
        thinking = thinking._replace(effort="")
    _finish_last_turn(conversation, model, thinking, tooling)
    rendered = _assembled(conversation, tooling, thinking, limit)
    add_sampling(rendered, valid.body, model, thinking.is_on(model), losses)
    emulated = add_stop(rendered, valid.body)
    add_account(rendered, valid.body, dialect, losses)
    _add_caching(rendered, valid.body, route, dialect, conversation)
    drop_tuning(valid.body, losses)
    return ClaudeRequest(
        rendered,
        _reply(valid.body, route, names, tooling, emulated),
        tuple(conversation.betas),
        losses.dropped,
        losses.downgraded,
        tooling.searches,
    )


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


def _limit(body: JSON, model: ClaudeModel, dialect: Dialect) -> int:
    limit = output_limit(body)
    return min(model.max_output, limit if limit is not None else dialect.default_output)


def _converse(
    valid: ValidRequest,
    tooling: Tooling,
    names: ToolNames,
    model: ClaudeModel,
    dialect: Dialect,
    limit: int,
    losses: Losses,
) -> tuple[Conversation, Thinking]:
    """Return the conversation and the thinking, which depend on each other.

    Replayed blocks decide whether a manual budget is allowed, and whether they may be
    replayed depends on what thinking a model that checks them is asked for.
    """
    messages = valid.body["messages"]
    conversation = render_conversation(messages, valid.results, names, model, dialect)
    thinking = render_thinking(
        reasoning_of(valid.body),
        model,
        dialect,
        Circumstances(limit, tooling.forces_tool, conversation.turns),
        losses,
    )
    if conversation.has_replay and model.preserved:
        bound = bind_replay(thinking)
        if bound is not None:
            conversation.betas.append(BINDING_BETA)
            return conversation, bound
        conversation = render_conversation(
            messages, valid.results, names, model, dialect, replay=False
        )
    return conversation, thinking


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
        conversation.add("user", [{"type": "text", "text": "Continue."}])


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


def _add_caching(
    rendered: JSON,
    body: JSON,
    route: Route,
    dialect: Dialect,
    conversation: Conversation,
) -> None:
    whole = None
    mark = _automatic_mark(body, route) if dialect.automatic_cache else None
    if mark is not None:
        rendered["cache_control"] = mark
        whole = rendered
    tools = rendered.get("tools", ())
    if conversation.has_marks or any("cache_control" in tool for tool in tools):
        blocks = [block for turn in conversation.turns for block in turn["content"]]
        limit_marks(tools, conversation.system, blocks, whole)


def _automatic_mark(body: JSON, route: Route) -> JSON | None:
    if "cache_control" in body:
        return as_mark(body["cache_control"])
    options = body.get("prompt_cache_options") or {}
    if options.get("mode") == "implicit" and route.options.get("auto_cache"):
        return as_mark(options)
    return None


def _reply(
    body: JSON,
    route: Route,
    names: ToolNames,
    tooling: Tooling,
    emulated: tuple[str, ...],
) -> Reply:
    options = body.get("stream_options") or {}
    return Reply(
        model=route.model,
        completion_id=route.completion_id,
        created=route.created,
        stream=bool(body.get("stream")),
        include_usage=bool(options.get("include_usage")),
        tool_names=names.originals,
        json_tool=tooling.json_tool,
        strip_fence=bool(tooling.instruction),
        stop=emulated,
        single_tool_call=tooling.is_single,
        legacy_functions="functions" in body,
        options=route.options,
    )
