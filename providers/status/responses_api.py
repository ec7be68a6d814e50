"""Has a server the Responses API, and what becomes of that?

Only on demand: most servers are asked for it by nobody.
https://platform.openai.com/docs/api-reference/responses
"""

from asgiref.sync import sync_to_async
from django.utils.translation import gettext as _

from providers import auth, starter
from providers.models import ModelProvider
from providers.status import posts, verdicts

_LIMITS = {"connect": 5.0, "read": 5.0, "total": 10.0}
_INCOMPLETE = frozenset({400, 422})
"""How a server that knows the path answers a call with nothing in it."""


async def told(provider: ModelProvider) -> str:
    """Return a sentence for who decides on `responses_api`; empty where none is due.

    Never raises for what the provider does.
    """
    path = provider.vendor.responses_path
    if not path or starter.is_sandbox(provider):
        return ""
    scheme = await sync_to_async(auth.for_provider)(provider)
    said = await posts.post(provider, scheme, path, _LIMITS)
    chosen = str(provider.options.get("responses_api") or "auto")
    if said is None:
        return ""
    if said.status in _INCOMPLETE:
        return _found(chosen)
    return _absent(chosen) if said.status in verdicts.NOT_SERVED else ""


def _found(chosen: str) -> str:
    match chosen:
        case "on":
            return _("Responses API found, and used as it is.")
        case "off":
            return _(
                "Responses API found. It is not used: Responses API under Advanced is "
                "off, so requests are translated."
            )
        case _:
            return _(
                "Responses API found. OpenAI and Azure get requests as they are, other "
                "servers a translation: if this one does all of it, tools and "
                "reasoning included, set Responses API under Advanced to on."
            )


def _absent(chosen: str) -> str:
    if chosen == "on":
        return _(
            "No Responses API found, though Responses API under Advanced is on. "
            "Requests are translated all the same."
        )
    return _("No Responses API found: requests of it are translated.")
