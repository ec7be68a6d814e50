"""A Messages request as InvokeModel's body for Claude.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
"""

import copy
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from gateway.hub.protocol import JSON, Route
from gateway.hub.requests.losses import Losses
from gateway.translators.anthropic.relay import headers, history
from gateway.translators.anthropic.relay.request import Received
from gateway.translators.anthropic.requests.leaving_out import without
from gateway.translators.bedrock.families.claude import VERSION
from gateway.translators.bedrock.messages.body import betas, content, fields, tools
from gateway.translators.bedrock.messages.body.model import HostedClaude, hosted
from gateway.wire.jsontext import decode_exactly

_OF_CONTEXT = (betas.CONTEXT, betas.COMPACT)


class Adapted(NamedTuple):
    """A body for InvokeModel, and the service tier that its header asks for."""

    body: JSON
    tier: str = ""


def needs_emulation(body: JSON, model: HostedClaude) -> bool:
    """Tell whether an answer in a schema is asked for that the model cannot promise."""
    config = body.get("output_config")
    wants = isinstance(config, dict) and config.get("format")
    return bool(wants or body.get("output_format")) and not model.claude.structured


def adapted(
    received: Received, route: Route, fetched: Mapping[str, str], losses: Losses
) -> Adapted:
    """Return the body for the model of `route`, whose `base_model` says what it is.

    Raises a 400 in Anthropic's words for what cannot be left out.
    """
    model = hosted(route)
    body = fields.closed(_left_in(_own_copy(received), route, losses), losses)
    _fit_history(body, losses)
    fields.fit_output(body, model.claude, losses)
    needed = fields.fit_context(body, losses)
    needed += tools.fit_tools(body, model, losses)
    content.fit_blocks(body, model, fetched, losses)
    asked = headers.betas(received.headers.get(headers.BETA, ()))
    asked += tuple(fields.betas_in(received.body))
    idle = _idle(asked, needed, body)
    meant = [name for name in asked if name not in idle]
    chosen = betas.chosen(
        meant, needed, model.betas, searches_tools=model.searches_tools
    )
    for name in (*idle, *chosen.dropped):
        losses.drop(name)
    enveloped: JSON = {"anthropic_version": VERSION}
    if chosen.sent:
        enveloped["anthropic_beta"] = list(chosen.sent)
    return Adapted({**enveloped, **body}, fields.tier_of(received.body))


def _own_copy(received: Received) -> JSON:
    """Return a body that may be changed; numbers keep the client's own digits."""
    if received.raw:
        copied: JSON = decode_exactly(received.raw)
        return copied
    return copy.deepcopy(received.body)


def _left_in(body: JSON, route: Route, losses: Losses) -> JSON:
    """Return `body` without what the administrator knows to be refused."""
    body, dropped = without(body, route.options.get("drop_params") or ())
    for name in dropped:
        losses.drop(name)
    return body


def _fit_history(body: JSON, losses: Losses) -> None:
    own = history.acceptable(body["messages"])
    if own is not body["messages"]:
        body["messages"] = own
        losses.downgrade("thinking")


def _idle(asked: Iterable[str], needed: Collection[str], body: JSON) -> list[str]:
    """Return the betas of a field that went."""
    if "context_management" in body:
        return []
    return [name for name in asked if name in _OF_CONTEXT and name not in needed]
