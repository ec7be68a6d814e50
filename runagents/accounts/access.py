"""Which role each address of the console asks for: one table, one rule.

The middleware `runagents.middleware.Admission` asks `required` before any view is
called. A page that the table does not name is for administrators alone; a test fails
until it is named. To let others in, add its URL name here: one role for all it does, or
a role for reading and one for everything else.
"""

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import ResolverMatch
from django.utils.translation import gettext as _

from providers.roles import Role, role_of

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Access(NamedTuple):
    """Who may read an address, and who may send it anything; None stands for all."""

    read: Role | None
    write: Role | None


_EVERYBODY = Access(None, None)
_VIEWERS = Access(Role.VIEWER, Role.VIEWER)
_OPERATORS = Access(Role.OPERATOR, Role.OPERATOR)
_ADMINISTRATORS = Access(Role.ADMINISTRATOR, Role.ADMINISTRATOR)

PAGES: dict[str, Access] = {
    "set-up": _EVERYBODY,
    "login": _EVERYBODY,
    "admin-login": _EVERYBODY,
    "logout": _EVERYBODY,
    "theme": _EVERYBODY,
    # Who has the link of an invitation.
    "join": _EVERYBODY,
    "password-change": _VIEWERS,
    "dashboard": _VIEWERS,
    "reference": _VIEWERS,
    "reference-file": _VIEWERS,
    # --- agents ---
    "agent-list": _VIEWERS,
    "agent-detail": _VIEWERS,
    "agent-environment": _VIEWERS,
    "agent-create": _OPERATORS,
    "agent-upload": _OPERATORS,
    "agent-read": _OPERATORS,
    "agent-by-hand": _OPERATORS,
    "agent-draft-wire": _OPERATORS,
    "agent-draft-card": _OPERATORS,
    "agent-draft-delete": _OPERATORS,
    "agent-deploy": _OPERATORS,
    "agent-deployed": _OPERATORS,
    "hello-world-deploy": _OPERATORS,
    "agent-wire": _OPERATORS,
    "agent-run": _OPERATORS,
    "agent-delete": _OPERATORS,
    "agent-key-create": _OPERATORS,
    "agent-key-rotate": _OPERATORS,
    "agent-key-revoke": _OPERATORS,
    "agent-key-edit": _OPERATORS,
    "agent-key-pause": _OPERATORS,
    "connect": _VIEWERS,
    "connect-arrival": _VIEWERS,
    "connect-key": _OPERATORS,
    # --- models ---
    "provider-list": _VIEWERS,
    # Its tab of models takes prices.
    "provider-detail": Access(Role.VIEWER, Role.OPERATOR),
    "provider-row": _VIEWERS,
    "provider-totals": _VIEWERS,
    "provider-changes": _VIEWERS,
    "provider-decide": _OPERATORS,
    "provider-check-all": _OPERATORS,
    "provider-change": _OPERATORS,
    "provider-removal": _OPERATORS,
    "registry-export": _OPERATORS,
    "registry-import": _OPERATORS,
    "provider-status": _VIEWERS,
    "provider-create": _OPERATORS,
    "provider-edit": _OPERATORS,
    "provider-fields": _OPERATORS,
    "provider-field": _OPERATORS,
    "provider-preview": _OPERATORS,
    "provider-test": _OPERATORS,
    "provider-discover": _OPERATORS,
    "provider-check": _OPERATORS,
    "provider-toggle": _OPERATORS,
    "provider-delete": _OPERATORS,
    "provider-oauth-start": _OPERATORS,
    "provider-oauth-callback": _OPERATORS,
    "starter-create": _OPERATORS,
    # --- calls; the Playground spends money ---
    "playground": _OPERATORS,
    "playground-stream": _OPERATORS,
    "playground-route": _OPERATORS,
    "usage": _VIEWERS,
    "usage-csv": _VIEWERS,
    "request-list": _VIEWERS,
    "request-file": _VIEWERS,
    # Bodies of requests are shown to operators only.
    "request-detail": _VIEWERS,
    # --- settings ---
    "api-key-list": Access(Role.VIEWER, Role.ADMINISTRATOR),
    "api-key-rotate": _ADMINISTRATORS,
    "api-key-revoke": _ADMINISTRATORS,
    "api-key-edit": _ADMINISTRATORS,
    "api-key-pause": _ADMINISTRATORS,
    "secret-list": _OPERATORS,
    "secret-replace": _OPERATORS,
    "secret-delete": _ADMINISTRATORS,
    "user-list": _ADMINISTRATORS,
    "user-role": _ADMINISTRATORS,
    "user-link": _ADMINISTRATORS,
    "user-end": _ADMINISTRATORS,
    "audit-log": _VIEWERS,
    "health": _VIEWERS,
    "gateway-settings": _VIEWERS,
    "body-window-create": _ADMINISTRATORS,
    "body-window-end": _ADMINISTRATORS,
}

KEY_ROUTES = ("api/v1/", "api/")
"""Below these a workspace key is asked for, by `providers.api.access`, and no user."""

ADMIN = "admin"
"""The namespace of Django's admin, which is for administrators as a whole."""


def required(match: ResolverMatch, method: str | None) -> Role | None:
    """Return the role that a request needs, None where anybody may send it."""
    access = _access(match)
    return access.read if method in SAFE_METHODS else access.write


def is_declared(match: ResolverMatch) -> bool:
    """Tell whether somebody decided who may use an address."""
    return (
        match.app_name == ADMIN
        or match.route.startswith(KEY_ROUTES)
        or match.view_name in PAGES
    )


def refusal(request: HttpRequest, role: Role) -> str:
    """Say why a signed-in user is refused."""
    own = role_of(request.user)
    text = _("This needs the role %(role)s. You are signed in as %(name)s, %(own)s.")
    return text % {
        "role": role.label,
        "name": request.user.get_username(),
        "own": own.label if own is not None else "",
    }


def navigable(url_name: str, user: Any) -> bool:
    """Tell whether the sidebar may lead a user to a page."""
    needed = PAGES.get(url_name, _ADMINISTRATORS).read
    own = role_of(user)
    return needed is None or (own is not None and own >= needed)


def _access(match: ResolverMatch) -> Access:
    if match.route.startswith(KEY_ROUTES):
        return _EVERYBODY
    return PAGES.get(match.view_name, _ADMINISTRATORS)
