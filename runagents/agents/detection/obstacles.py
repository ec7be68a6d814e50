"""What keeps an agent's code from working through the gateway, and what to do about it.

A model that is wired is of no use to a call that goes past the gateway, or that speaks
a format the gateway does not answer. Which those are is asked of its doors, so that a
new door takes its sentence away.
"""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runagents.agents.detection.findings import Analysis
from runagents.agents.detection.vendors import (
    AZURE,
    BEDROCK,
    ELSEWHERE,
    EMBEDDINGS,
    MESSAGES,
    OLLAMA,
    RERANKING,
    RESPONSES,
)

# By the format of the calls: what is the matter, and the way out.
_WAY_OUT = gettext_lazy(
    "Ask the same model by chat completions, with OpenAI's SDK and OPENAI_BASE_URL."
)
SENTENCES: dict[str, tuple[Any, Any]] = {
    MESSAGES: (
        gettext_lazy("speaks Anthropic's Messages API, which the gateway lacks."),
        _WAY_OUT,
    ),
    RESPONSES: (
        gettext_lazy("speaks OpenAI's Responses API, which the gateway lacks."),
        gettext_lazy(
            "Use chat.completions.create, or openai.chat(…) in Vercel's AI SDK."
        ),
    ),
    EMBEDDINGS: (
        gettext_lazy("asks for embeddings, which the gateway lacks."),
        gettext_lazy("Let it ask a provider itself, with an address and key of it."),
    ),
    RERANKING: (
        gettext_lazy("asks for a reranking, which the gateway lacks."),
        gettext_lazy("Let it ask a provider itself, with an address and key of it."),
    ),
    BEDROCK: (
        gettext_lazy("calls AWS itself, past the gateway."),
        _WAY_OUT,
    ),
    OLLAMA: (
        gettext_lazy("calls Ollama itself, past the gateway."),
        _WAY_OUT,
    ),
    AZURE: (
        gettext_lazy("calls Azure itself, past the gateway."),
        gettext_lazy("Use the class without Azure in its name: OpenAI, ChatOpenAI."),
    ),
    ELSEWHERE: (
        gettext_lazy("calls the service that the model's prefix names itself."),
        gettext_lazy("Name the model as openai/MODEL, as the gateway serves it."),
    ),
}


class Obstacle(NamedTuple):
    """A place in the code that must change before the agent runs."""

    file: str
    line: int
    problem: str
    cure: str


def obstacles(analysis: Analysis, doors: Collection[str]) -> list[Obstacle]:
    """Return what does not reach the gateway as it stands, by file and line.

    `doors` names the formats that the gateway answers.
    """
    found = [
        Obstacle(usage.file, usage.line, *map(str, SENTENCES[usage.api]))
        for usage in analysis.usages
        if usage.api in SENTENCES and usage.api not in doors
    ]
    cure = _("Take the address out: OPENAI_BASE_URL says where to call.")
    found += [
        Obstacle(
            bypass.file,
            bypass.line,
            _("calls %s itself, past the gateway.") % bypass.host,
            cure,
        )
        for bypass in analysis.bypasses
    ]
    return sorted(set(found))
