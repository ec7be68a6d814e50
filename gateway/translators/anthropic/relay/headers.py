"""Headers of the Messages API between a client and an upstream that both speak it.

https://platform.claude.com/docs/en/api/versioning
https://platform.claude.com/docs/en/api/beta-headers
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.hub.answers.upstream_headers import relayed_headers

VERSION_HEADER = "anthropic-version"
BETA = "anthropic-beta"
VERSION = "2023-06-01"
"""For clients that name none; a newer one that is asked for may refuse sampling."""

_OWN = "anthropic-"
_CLIENTS_ALONE = frozenset({"anthropic-dangerous-direct-browser-access"})
_ACCOUNT = frozenset({"anthropic-workspace-id", "anthropic-user-profile-id"})
"""They name things of the client's account, not of the provider's."""

_LOGIN = "oauth-"
"""Betas of those who log in; upstreams are asked by the provider's own key."""

_LIMITS = re.compile(r"anthropic-(?:ratelimit|fast)-[a-z0-9-]{1,64}")
_VALUE = re.compile(r"[ -~]{1,4096}")


def betas(values: Iterable[str], dropped: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the betas in a header's values, each once, in their order.

    Those in `dropped`, and those of a client's own login, are left out.
    """
    names = (name.strip() for value in values for name in value.split(","))
    without = frozenset(dropped)
    kept = (n for n in names if n and n not in without and not n.startswith(_LOGIN))
    return tuple(dict.fromkeys(kept))


def for_upstream(
    sent: Mapping[str, list[str]], options: Mapping[str, Any]
) -> dict[str, str]:
    """Return what of a client's headers (lower-case names) goes on.

    It is an open list: the vendor adds to it.
    """
    withheld = _CLIENTS_ALONE
    if not options.get("forward_workspace"):
        withheld = withheld | _ACCOUNT
    found = {VERSION_HEADER: VERSION}
    for name, values in sent.items():
        if name.startswith(_OWN) and name not in withheld:
            found[name] = ", ".join(values)
    asked = betas(sent.get(BETA, ()), options.get("drop_betas") or ())
    found[BETA] = ", ".join(asked)
    return {name: value for name, value in found.items() if _VALUE.fullmatch(value)}


def for_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what of an answer's headers (lower-case names) the client may see.

    Rate limits keep the names that clients of this format read.
    """
    others = {
        name: value for name, value in headers.items() if not name.startswith(_OWN)
    }
    limits = {
        name: value
        for name, value in headers.items()
        if _LIMITS.fullmatch(name) and _VALUE.fullmatch(value)
    }
    return {**relayed_headers(others), **limits}
