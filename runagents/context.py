"""What every page of the console knows."""

from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from gateway.worker.runtime import runtime
from gateway.worker.troubles import LIMITS, REGISTRY, USAGE
from providers.roles import Role, may
from runagents import __version__
from runagents.accounts.access import navigable
from runagents.settings_pages import releases

THEMES = ("light", "dark")
THEME_COOKIE = "theme"


class Page(NamedTuple):
    """A page that the sidebar links to; its section is its URL name's first word."""

    label: Any
    url_name: str
    icon: str


# Groups appear with the pages that exist: one whose URL name is unknown is left out.
NAVIGATION: list[tuple[Any, list[Page]]] = [
    (_("Overview"), [Page(_("Dashboard"), "dashboard", "home")]),
    (
        _("Platform"),
        [
            Page(_("Agents"), "agent-list", "agent"),
            Page(_("Models"), "provider-list", "models"),
            Page(_("Connect"), "connect", "plug"),
        ],
    ),
    (
        _("Observe"),
        [
            Page(_("Playground"), "playground", "playground"),
            Page(_("Usage"), "usage", "usage"),
            Page(_("Requests"), "request-list", "requests"),
        ],
    ),
    (
        _("Settings"),
        [
            Page(_("API keys"), "api-key-list", "key"),
            Page(_("Secrets"), "secret-list", "lock"),
            Page(_("Gateway"), "gateway-settings", "gateway"),
            Page(_("People"), "user-list", "user"),
            Page(_("Audit log"), "audit-log", "admin"),
            Page(_("Health"), "health", "check"),
        ],
    ),
]

_TROUBLES = {
    USAGE: _(
        "Usage cannot be recorded (%(why)s): calls go on and are missing from Requests "
        "and Usage. Make room on the disk that RUNAGENTS_DATA_DIR is on, and let this "
        "server write there."
    ),
    LIMITS: _(
        "Redis does not count requests (%(why)s): RATE_LIMIT_ON_FAILURE says what "
        "passes until it does. Look whether what REDIS_URL names is running."
    ),
    REGISTRY: _(
        "The database was not read for %(why)s: calls go on from memory, for a day at "
        "most, and changes wait. Look whether what DATABASE_URL names is running and "
        "has room."
    ),
}


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the gateway's address as agents should use it, and the page's frame."""
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return {
        "gateway_base": base,
        "gateway_url": f"{base}/v1/chat/completions",
        "rate_limits_enforced": settings.RATE_LIMIT_ENFORCEMENT,
        "theme": theme(request),
        "troubles": troubles,
        "version": __version__,
        "newer_release": releases.newer,
        "navigation": lambda: navigation(request),
        "may": abilities(request),
    }


def troubles() -> list[str]:
    """Return what the host's workers are in trouble with, and what helps."""
    return [
        _TROUBLES[kind] % {"why": why}
        for kind, why in sorted(runtime.board.seen().items())
        if kind in _TROUBLES
    ]


def abilities(request: HttpRequest) -> dict[str, bool]:
    """Return what the user may, for pages to leave out what would be refused."""
    user = getattr(request, "user", None)
    return {
        "operate": may(user, Role.OPERATOR),
        "administer": may(user, Role.ADMINISTRATOR),
    }


def theme(request: HttpRequest) -> str:
    """Return the theme the browser asked for by cookie, or "" for the system's."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else ""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar's groups, with the pages that exist and are the user's."""
    match = request.resolver_match
    section = (match.url_name or "").partition("-")[0] if match else ""
    groups = []
    for label, pages in NAVIGATION:
        links = [
            link
            for page in pages
            if navigable(page.url_name, request.user) and (link := _link(page, section))
        ]
        if links:
            groups.append({"label": label, "links": links})
    return groups


def _link(page: Page, section: str) -> dict[str, Any] | None:
    try:
        url = reverse(page.url_name)
    except NoReverseMatch:
        return None
    is_current = page.url_name.partition("-")[0] == section
    return {**page._asdict(), "url": url, "is_current": is_current}
