"""Claude over InvokeModel: Anthropic's body in Bedrock's envelope.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from dataclasses import replace

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Learned, Reply, Route
from gateway.hub.requests.rendering import Rendering
from gateway.translators.anthropic.answers.events import MessageEvents
from gateway.translators.anthropic.requests.claude_models import (
    ClaudeModel,
    base_id,
    claude_model,
)
from gateway.translators.anthropic.requests.dialect import BEDROCK, Claude, Dialect
from gateway.translators.anthropic.requests.request import render_body
from gateway.translators.bedrock.settings import has_flag

VERSION = "bedrock-2023-05-31"

# Bedrock takes `output_config.format` for the generations 4.5 and 4.6; what it does
# with the fifth is told differently in different places. A refusal is answered by an
# attempt without it, and the option `structured_output` spares that.
# https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html
_WITHOUT_FORMAT = ("claude-opus-4-1", "claude-opus-4-7", "claude-opus-4-8")

# Before Claude 4.5 Bedrock is not known to take `disable_parallel_tool_use`.
_OLDER = ("claude-3", "claude-sonnet-4", "claude-opus-4", "claude-opus-4-1")
_OLDER_DIALECT = replace(BEDROCK, disable_parallel=False)


def render(rendering: Rendering, *, mid_system: bool) -> tuple[JSON, Learned]:
    """Return the body for InvokeModel and what its answer's parser must know.

    Without `mid_system` all system messages stand at the beginning. Raises
    `GatewayError` (400) for what Claude cannot express.
    """
    model = _model(rendering.route)
    if not mid_system:
        model = replace(model, mid_system=False)
    rendered = render_body(rendering, Claude(model, _dialect(rendering.route)))
    enveloped: JSON = {"anthropic_version": VERSION}
    if rendered.betas:
        enveloped["anthropic_beta"] = list(rendered.betas)
    return {**enveloped, **rendered.body}, rendered.learned


def _model(route: Route) -> ClaudeModel:
    model = claude_model(route)
    if "structured" in route.capabilities:
        return model
    is_known = not base_id(route.base_model).startswith(_WITHOUT_FORMAT)
    if is_known and has_flag(route, "structured_output", default=True):
        return model
    return replace(model, structured=False)


def _dialect(route: Route) -> Dialect:
    name = base_id(route.base_model)
    is_older = name in _OLDER or name.startswith("claude-3")
    return _OLDER_DIALECT if is_older else BEDROCK


class ClaudeReader:
    """Reads Claude's events out of InvokeModel's chunks; its own `answer`."""

    def __init__(self, reply: Reply) -> None:
        self._events = MessageEvents(reply)
        self._out: list[JSON] = []
        self._intervened = False

    @property
    def answer(self) -> "ClaudeReader":
        """Return this reader: Claude's events write their chunks themselves."""
        return self

    @property
    def usage(self) -> JSON | None:
        """Return the last usage known."""
        return self._events.usage

    @usage.setter
    def usage(self, usage: JSON | None) -> None:
        self._events.usage = usage

    @property
    def is_stopped(self) -> bool:
        """Say whether the message ended."""
        return self._events.done

    @property
    def is_finished(self) -> bool:
        """Say whether the end is written."""
        return self._events.done

    def take(self) -> list[JSON]:
        """Return the chunks written since the last call."""
        out, self._out = self._out, []
        return out

    def intervened(self, *, is_last: bool) -> None:
        """Note that a guardrail changed the answer."""
        self._intervened = True

    def read(self, body: JSON) -> None:
        """Take in one event."""
        start = len(self._out)
        self._events.receive(body, self._out)
        if self._intervened:
            for chunk in self._out[start:]:
                _filter(chunk)
        self._raise(self._events.error)

    def close(self) -> None:
        """End of input; raises `GatewayError` where the answer is not complete."""
        self._events.close()
        self._raise(self._events.error)

    def _raise(self, error: GatewayError | None) -> None:
        if error is not None:
            raise error


def _filter(chunk: JSON) -> None:
    for choice in chunk["choices"]:
        if choice["finish_reason"] is not None:
            choice["finish_reason"] = "content_filter"
