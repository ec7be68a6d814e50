"""A request without what its provider has no word for, where that is not Ollama.

Its clients send `keep_alive`, `num_ctx` and `think: false` with every call; OpenAI
answers a field that it does not know with a 400:
https://github.com/open-webui/open-webui/issues/19906 ·
https://github.com/open-webui/open-webui/issues/14514
"""

from gateway.doors.fields import is_openais_own
from gateway.doors.protocol import JSON
from gateway.doors.unknown_fields import named_unknown
from gateway.hub.protocol import Feature, Route

_OF_A_SERVER = ("num_ctx", "keep_alive")
"""What is about the machine that Ollama runs on."""

_SAMPLING = ("top_k", "min_p", "repeat_penalty")
"""What OpenAI itself does not know; servers of its format know some of it."""

AVOIDABLE = tuple(Feature(name, (name,), named_unknown(name)) for name in _SAMPLING)
"""What is left out where a server refuses it, and then remembered."""


def fit(hub: JSON, route: Route) -> list[str]:
    """Change the hub's request to what the provider knows; returns what is lost.

    Translators of other formats leave out by themselves what theirs has no word for.
    """
    unknown = set(route.avoid.intersection(_SAMPLING))
    if route.provider_type == "openai":
        unknown.update(_OF_A_SERVER)
    if is_openais_own(route):
        unknown.update(_SAMPLING)
        _speak_openais_own(hub)
    lost = [name for name in hub if name in unknown]
    for name in lost:
        del hub[name]
    return lost


def _speak_openais_own(hub: JSON) -> None:
    """Name the limit as models that reason want it, and never say not to reason.

    Models that do not reason refuse every effort.
    """
    if "max_tokens" in hub:
        hub["max_completion_tokens"] = hub.pop("max_tokens")
    if hub.get("reasoning_effort") == "none":
        del hub["reasoning_effort"]
