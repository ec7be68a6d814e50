"""What of a request can be said to whoever stands behind the hub."""

import re
from typing import NamedTuple

from gateway.doors.fields import is_openais_own
from gateway.hub.protocol import JSON, Route

_PLAIN = re.compile(r"(?:^|[/.])gpt-(?:3\.5|4(?!\d))", re.IGNORECASE)
"""OpenAI's models from before it had any that reason: an effort is refused there."""


_SHOW_RESULTS = frozenset({"anthropic", "bedrock"})
_CUT = frozenset({"ollama"})
_FETCH = frozenset({"bedrock"})
_SOURCES = frozenset({"anthropic", "bedrock"})
_SAY_NONE = frozenset({"anthropic", "ollama"})
_ONE_SYSTEM = frozenset({"bedrock"})
"""By the type of the provider: what its translator makes of the hub's request."""


_BREAKPOINT = {"mode": "explicit"}
"""https://developers.openai.com/api/docs/guides/prompt-caching"""


class Profile(NamedTuple):
    """What one upstream understands of what the hub can carry.

    `is_translated` is where a translator reads the hub's extensions: marks of caches,
    failed results, `top_k`. Without it only OpenAI's own fields are known. With
    `shows_results` results of tools may hold images and files, with `fetches` files may
    be named by URL, with `tells_sources` what a search found is no mere text, and
    documents have titles and may be cited. `mid_system` says how instructions amid a
    conversation go: `keep`, `user` or `hoist`. `limit_field` names the output limit,
    `user_field` the caller's user; `is_openai` holds for OpenAI's own hosts,
    `cuts_silently` for servers that shorten a prompt that is too long unless they are
    told not to.
    """

    is_translated: bool = False
    is_openai: bool = False
    cuts_silently: bool = False
    shows_results: bool = False
    fetches: bool = False
    tells_sources: bool = False
    says_none: bool = False
    mid_system: str = "keep"
    limit_field: str = "max_tokens"
    user_field: str = ""
    cache_marks: str = ""
    takes_effort: bool = True
    max_output: int | None = None

    @property
    def keeps_marks(self) -> bool:
        """Whether marks of caches are sent."""
        return self.is_translated or bool(self.cache_marks)

    def mark(self, given: JSON) -> JSON:
        """Return what is put on a part that a client marked for the cache."""
        if self.cache_marks in ("", "cache_control"):
            return {"cache_control": given}
        return {self.cache_marks: dict(_BREAKPOINT)}

    @property
    def marks_tools(self) -> bool:
        """Whether marks stand beside tools; OpenAI's own are for content alone."""
        return self.is_translated or self.cache_marks == "cache_control"


NO_USER = "none"
"""Says of a server that it is not told who the caller's user is."""


def profile_of(route: Route) -> Profile:
    """Return what the upstream of a route understands."""
    kind = route.provider_type
    is_openai = is_openais_own(route)
    most = route.capabilities.get("max_output")
    options = route.options
    own_user = "safety_identifier" if is_openai else NO_USER
    user_field = options.get("user_field") or own_user
    own_place = "user" if kind in _ONE_SYSTEM else "keep"
    return Profile(
        is_translated=kind != "openai",
        is_openai=is_openai,
        cuts_silently=cuts_silently(route),
        shows_results=kind in _SHOW_RESULTS,
        fetches=kind in _FETCH,
        tells_sources=kind in _SOURCES,
        says_none=kind in _SAY_NONE,
        mid_system=options.get("mid_system") or own_place,
        limit_field=limit_field_of(route),
        user_field="" if user_field == NO_USER else user_field,
        cache_marks=options.get("cache_marks") or "",
        takes_effort=not _PLAIN.search(route.base_model or route.upstream_model),
        max_output=most if isinstance(most, int) else None,
    )


def cuts_silently(route: Route) -> bool:
    """Tell whether a server shortens a prompt that is too long."""
    return route.provider_type in _CUT


def limit_field_of(route: Route) -> str:
    """Return the name of the output limit."""
    return "max_completion_tokens" if is_openais_own(route) else "max_tokens"
