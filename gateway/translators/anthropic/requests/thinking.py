"""How much Claude is to think, in the form that its model accepts.

https://platform.claude.com/docs/en/build-with-claude/thinking,
https://platform.claude.com/docs/en/build-with-claude/effort and
https://platform.claude.com/docs/en/build-with-claude/preserved-thinking
"""

from typing import NamedTuple

from gateway.errors import invalid_request, unsupported
from gateway.hub.protocol import JSON
from gateway.hub.requests.losses import Losses
from gateway.hub.requests.reasoning import Reasoning, reasoning_of
from gateway.hub.requests.rendering import Rendering
from gateway.translators.anthropic.requests.claude_models import ClaudeModel
from gateway.translators.anthropic.requests.dialect import Claude

BINDING_BETA = "thinking-binding-controls-2026-08-01"

_MIN_BUDGET = 1024

_BUDGETS = {
    "minimal": 1024,
    "low": 1024,
    "medium": 8192,
    "high": 16_384,
    "xhigh": 32_000,
    "max": 32_000,
}
"""Tokens to think with, for models that want a number instead of an effort."""

_EFFORT_OF_BUDGET = ((4096, "low"), (12_288, "medium"), (24_576, "high"))
"""The reverse, for models that want an effort: up to these budgets."""

_FALLBACKS = {
    "minimal": ("low",),
    "xhigh": ("max", "high"),
    "max": ("high",),
}
"""Efforts to send, in order, where a model does not have the one asked for."""


class Thinking(NamedTuple):
    """The `thinking` object (None: say nothing) and ``output_config.effort``."""

    config: JSON | None = None
    effort: str = ""

    def is_on(self, model: ClaudeModel) -> bool:
        """Whether the model will think; sampling and prefill are then restricted."""
        if self.config is None:
            return model.thinks
        return bool(self.config["type"] != "disabled")


_UNSAID = Thinking()


class Circumstances(NamedTuple):
    """What in a request decides whether a manual budget is possible."""

    limit: int
    forces_tool: bool
    turns: list[JSON]


def render_thinking(
    rendering: Rendering, claude: Claude, around: Circumstances
) -> Thinking:
    """Return how to ask `claude` for the reasoning that a request asks for.

    Raises a 400 for a raw `thinking` object that the model does not accept.
    """
    asked, losses = reasoning_of(rendering.body), rendering.losses
    thinking = _render(asked, claude, around, losses)
    if thinking is _UNSAID and rendering.route.shows_thinking:
        return _shown(claude.model)
    if thinking.effort and "output_config" in rendering.route.avoid:
        losses.downgrade(asked.param)
        return thinking._replace(effort="")
    return thinking


def _render(
    asked: Reasoning, claude: Claude, around: Circumstances, losses: Losses
) -> Thinking:
    model = claude.model
    if asked.raw is not None:
        return _render_raw(asked, model, around, losses)
    if not asked.is_asked:
        return _UNSAID
    if asked.effort == "none":
        return _render_none(asked, model, losses)
    if model.is_adaptive:
        return _render_adaptive(asked, model, losses)
    if "enabled" in model.thinking:
        return _render_manual(asked, claude, around, losses)
    losses.drop(asked.param)
    return Thinking()


def _shown(model: ClaudeModel) -> Thinking:
    """Return how to read what a model thinks unasked; others are left alone."""
    if model.thinks and model.is_adaptive:
        return Thinking({"type": "adaptive", "display": "summarized"})
    return _UNSAID


def _render_none(asked: Reasoning, model: ClaudeModel, losses: Losses) -> Thinking:
    if not model.thinks:
        return Thinking()
    if model.quiet:
        return Thinking({"type": model.quiet})
    losses.downgrade(asked.param)
    return Thinking(effort="low")


def _render_adaptive(asked: Reasoning, model: ClaudeModel, losses: Losses) -> Thinking:
    effort = asked.effort
    if not effort:
        effort = _effort_of_budget(asked.budget or 0)
        losses.downgrade(asked.param)
    display = "omitted" if asked.exclude else "summarized"
    config = {"type": "adaptive", "display": display}
    return Thinking(config, _accepted_effort(effort, model))


def _effort_of_budget(budget: int) -> str:
    for highest, effort in _EFFORT_OF_BUDGET:
        if budget <= highest:
            return effort
    return "xhigh"


def _accepted_effort(effort: str, model: ClaudeModel) -> str:
    for candidate in (effort, *_FALLBACKS.get(effort, ())):
        if candidate in model.efforts:
            return candidate
    return ""


def _render_manual(
    asked: Reasoning, claude: Claude, around: Circumstances, losses: Losses
) -> Thinking:
    effort = ""
    if asked.effort and claude.dialect.effort_beside_budget:
        effort = _accepted_effort(asked.effort, claude.model)
    # The limit includes reasoning: half of it at least is left for the answer.
    if around.limit < 2 * _MIN_BUDGET or not _may_think(around):
        losses.downgrade(asked.param)
        return Thinking(effort=effort)
    budget = asked.budget or _BUDGETS[asked.effort]
    budget = max(_MIN_BUDGET, min(budget, around.limit - _MIN_BUDGET))
    return Thinking({"type": "enabled", "budget_tokens": budget}, effort)


def _may_think(around: Circumstances) -> bool:
    return not around.forces_tool and not _calls_without_thinking(around.turns)


def _calls_without_thinking(turns: list[JSON]) -> bool:
    """Tell whether the last assistant turn calls a tool without having thought.

    Manual thinking demands that the turn it continues began with thinking.
    """
    for turn in reversed(turns):
        if turn["role"] == "assistant":
            types = {block["type"] for block in turn["content"]}
            thought = not types.isdisjoint(("thinking", "redacted_thinking"))
            return "tool_use" in types and not thought
    return False


def _render_raw(
    asked: Reasoning, model: ClaudeModel, around: Circumstances, losses: Losses
) -> Thinking:
    raw = asked.raw or {}
    type = raw.get("type")
    if type == "disabled" and not model.thinking:
        return Thinking()
    if not isinstance(type, str) or type not in model.thinking:
        known = ", ".join(f"'{each}'" for each in sorted(model.thinking)) or "none"
        raise unsupported(
            f"This model does not accept 'thinking.type' {type!r}; it accepts {known}.",
            param="thinking.type",
        )
    if type == "enabled":
        _check_budget(raw, around.limit)
        if not _may_think(around):
            losses.downgrade("thinking")
            return Thinking()
    effort = asked.effort if type == "adaptive" and asked.effort != "none" else ""
    return Thinking(dict(raw), _accepted_effort(effort, model) if effort else "")


def _check_budget(raw: JSON, limit: int) -> None:
    budget = raw.get("budget_tokens")
    if isinstance(budget, bool) or not isinstance(budget, int):
        raise invalid_request(
            "'thinking.budget_tokens' must be an integer.",
            param="thinking.budget_tokens",
            code="invalid_type",
        )
    if not _MIN_BUDGET <= budget < limit:
        raise invalid_request(
            f"'thinking.budget_tokens' must be at least {_MIN_BUDGET} and less than "
            f"the output limit of {limit}.",
            param="thinking.budget_tokens",
            code="invalid_value",
        )


def bind_replay(thinking: Thinking) -> Thinking | None:
    """Return `thinking` with replayed blocks bound softly; None if it cannot be said.

    A block that no longer fits its prefix is then dropped by the API instead of failing
    the request, which an edited history or another gateway's rendering would cause.
    Only adaptive thinking carries the setting. Needs `BINDING_BETA`.
    """
    config = thinking.config or {"type": "adaptive"}
    if config["type"] != "adaptive":
        return None
    binding = {"prefix_mismatch_behavior": "drop_block"}
    return thinking._replace(config={"block_binding": binding, **config})
