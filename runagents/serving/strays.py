"""Calls of programs that miss the gateway, below the base URL of another.

A page of the console tells a program nothing, and nobody would learn of the call: it is
the gateway's to refuse, in JSON and with a row in the ledger.
"""

from collections.abc import Iterable
from typing import Any

from django.urls import Resolver404, is_valid_path, resolve

from providers import keys

# As clients of several vendors present a key; ours is among them.
KEY_HEADERS = frozenset({b"x-api-key", b"api-key", b"x-goog-api-key"})
# Routes of the HTTP API's own answer to what it does not know (runagents/urls.py).
CATCH_ALL = frozenset({"api/v1/", "api/"})
# Where a key for it stands.
WORKSPACE_HEADERS = frozenset({b"x-runagents-api-key", b"authorization"})
WORKSPACE_KEY = f"{keys.WORKSPACE_PREFIX}_".encode()

Headers = Iterable[tuple[bytes, bytes]]


def missed_the_gateway(scope: dict[str, Any]) -> bool:
    """Tell whether a program sends this, to a path that the console does not have.

    `scope` is of a request whose path is not the gateway's.
    """
    return _is_of_a_program(scope["method"], scope["headers"]) and _is_nowhere(
        scope["path"], scope["headers"]
    )


def _is_of_a_program(method: str, headers: Headers) -> bool:
    """Tell a program by its key or by JSON that it sends.

    A browser may send a password to a proxy on the way, but no bearer token by itself.
    """
    for name, value in headers:
        match name:
            case b"authorization" if value[:7].lower() == b"bearer ":
                return True
            case b"content-type" if method == "POST" and b"json" in value.lower():
                return True
            case _ if name in KEY_HEADERS:
                return True
    return False


def _is_nowhere(path: str, headers: Headers) -> bool:
    """Tell whether no page is at `path`, with a slash behind it neither.

    `/api/` answers every path; whoever has a key for it is to hear its own words.
    """
    try:
        found = resolve(path)
    except Resolver404:
        return not is_valid_path(f"{path}/")
    if found.route not in CATCH_ALL:
        return False
    return not any(
        name in WORKSPACE_HEADERS and WORKSPACE_KEY in value for name, value in headers
    )
