"""What keeps an agent's code from working through the gateway, and what to do about it.

A model that is wired is of no use to a call that goes past the gateway, or that speaks
a format the gateway does not answer. What its doors answer has no sentence here.
"""

from pathlib import PurePath
from typing import Any, NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from runagents.agents.detection.findings import Analysis, ModelUsage
from runagents.agents.detection.javascript.names import GRAMMARS
from runagents.agents.detection.vendors import (
    AZURE,
    BEDROCK,
    ELSEWHERE,
    GENERATE,
    OLLAMA,
    RERANKING,
)

# By the format of the calls: what is the matter, and the way out.
_WAY_OUT = gettext_lazy(
    "Ask the same model by chat completions, with OpenAI's SDK and OPENAI_BASE_URL."
)
SENTENCES: dict[str, tuple[Any, Any]] = {
    RERANKING: (
        gettext_lazy("asks for a reranking, which the gateway lacks."),
        gettext_lazy("Let it ask a provider itself, with an address and key of it."),
    ),
    BEDROCK: (
        gettext_lazy("calls AWS itself, past the gateway."),
        _WAY_OUT,
    ),
    GENERATE: (
        gettext_lazy("asks Ollama's older API, which the gateway lacks."),
        gettext_lazy("Use chat in place of generate, and embed for embeddings."),
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


# https://github.com/ollama/ollama-js reads no variable, as its library for Python does.
_OLLAMA_IN_SCRIPTS = (
    gettext_lazy("asks Ollama on its own machine, unless it is handed a host."),
    gettext_lazy(
        "Hand it one: new Ollama({ host: process.env.OLLAMA_HOST, headers: "
        "{ Authorization: `Bearer ${process.env.OLLAMA_API_KEY}` } })."
    ),
)


def obstacles(analysis: Analysis) -> list[Obstacle]:
    """Return what does not reach the gateway as it stands, by file and line."""
    found = [
        Obstacle(usage.file, usage.line, *map(str, sentences))
        for usage in analysis.usages
        if (sentences := _sentences(usage))
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


def _sentences(usage: ModelUsage) -> tuple[Any, Any] | None:
    """Return what is the matter with a call, and the way out; None where nothing is."""
    if usage.api == OLLAMA and PurePath(usage.file).suffix.lower() in GRAMMARS:
        return _OLLAMA_IN_SCRIPTS
    return SENTENCES.get(usage.api)
