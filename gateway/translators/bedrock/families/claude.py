"""Claude over InvokeModel: Anthropic's body in Bedrock's envelope.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html
"""

from dataclasses import replace

from gateway.hub.protocol import JSON, Learned, Route
from gateway.hub.requests.rendering import Rendering
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

# https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
_WITHOUT_CACHE = (
    "claude-3-sonnet",
    "claude-3-haiku",
    "claude-3-opus",
    "claude-3-5-sonnet-20240620",
)

# Before Claude 4.5 Bedrock caches for five minutes only, and is not known to take
# `disable_parallel_tool_use`.
_OLDER = ("claude-3", "claude-sonnet-4", "claude-opus-4", "claude-opus-4-1")
_OLDER_DIALECT = replace(BEDROCK, disable_parallel=False)


def render(rendering: Rendering, *, mid_system: bool) -> tuple[JSON, Learned]:
    """Return the body for InvokeModel and what its answer's parser must know.

    Without `mid_system` all system messages stand at the beginning. Raises
    `GatewayError` (400) for what Claude cannot express.
    """
    model = model_of(rendering.route)
    if not mid_system:
        model = replace(model, mid_system=False)
    rendered = render_body(rendering, Claude(model, _dialect(rendering.route)))
    enveloped: JSON = {"anthropic_version": VERSION}
    if rendered.betas:
        enveloped["anthropic_beta"] = list(rendered.betas)
    return {**enveloped, **rendered.body}, rendered.learned


def model_of(route: Route) -> ClaudeModel:
    """Return what the model accepts here; the administrator's own word stands."""
    model, name = claude_model(route), base_id(route.base_model)
    is_known = not name.startswith(_WITHOUT_FORMAT)
    here = {
        "structured": is_known and has_flag(route, "structured_output", default=True),
        "caches": not any(each in route.base_model for each in _WITHOUT_CACHE),
        "long_cache": not _is_older(name),
    }
    less: JSON = {
        field: False
        for field, takes in here.items()
        if not takes and field not in route.capabilities
    }
    return replace(model, **less) if less else model


def _is_older(name: str) -> bool:
    return name in _OLDER or name.startswith("claude-3")


def _dialect(route: Route) -> Dialect:
    return _OLDER_DIALECT if _is_older(base_id(route.base_model)) else BEDROCK
