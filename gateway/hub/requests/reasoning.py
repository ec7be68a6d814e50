"""How much reasoning a request asks for.

Clients write it in several dialects: OpenAI's `reasoning_effort`, OpenRouter's
`reasoning`, and Anthropic's own `thinking`.
https://openrouter.ai/docs/use-cases/reasoning-tokens
"""

from typing import NamedTuple

from gateway.hub.protocol import JSON


class Reasoning(NamedTuple):
    """What a request asks for.

    `effort` is one of OpenAI's values or empty; `budget` is a number of tokens, `raw`
    Anthropic's `thinking` object. `exclude` asks not to be shown the reasoning. `param`
    names the field that decided.
    """

    effort: str = ""
    budget: int | None = None
    raw: JSON | None = None
    exclude: bool = False
    param: str = "reasoning_effort"

    @property
    def is_asked(self) -> bool:
        """Whether the request says anything about reasoning."""
        return bool(self.effort or self.budget or self.raw)


_FIELDS = frozenset({"thinking", "reasoning", "reasoning_effort"})
_NOTHING_ASKED = Reasoning()


def reasoning_of(body: JSON) -> Reasoning:
    """Return what a valid request asks for: `thinking`, else `reasoning`, else effort.

    `effort` is filled in beside `raw`, because adaptive thinking has its own strength.
    """
    if _FIELDS.isdisjoint(body):
        return _NOTHING_ASKED
    detailed = body.get("reasoning") or {}
    effort = detailed.get("effort") or ""
    budget = detailed.get("max_tokens") or None
    param = "reasoning"
    if detailed.get("enabled") is False:
        effort, budget = "none", None
    elif detailed.get("enabled") and not effort and budget is None:
        effort = body.get("reasoning_effort") or "medium"
    if not effort and budget is None:
        effort, param = body.get("reasoning_effort") or "", "reasoning_effort"
    raw = body.get("thinking")
    return Reasoning(
        effort,
        budget,
        raw,
        bool(detailed.get("exclude")),
        "thinking" if raw else param,
    )
