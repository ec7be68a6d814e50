"""Headers of the Messages API between a client and an upstream that both speak it.

https://platform.claude.com/docs/en/api/versioning
https://platform.claude.com/docs/en/api/beta-headers
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
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

_WITHHELD = _CLIENTS_ALONE | _ACCOUNT

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


@lru_cache(maxsize=256)
def _of_the_api(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the API's own of some headers: a client's have the same names each time.

    And so have a server's answers.
    """
    return tuple(name for name in names if name.startswith(_OWN))


def for_upstream(
    sent: Mapping[str, list[str]], options: Mapping[str, Any]
) -> dict[str, str]:
    """Return what of a client's headers (lower-case names) goes on.

    It is an open list: the vendor adds to it.
    """
    found = {VERSION_HEADER: VERSION}
    own = _of_the_api(tuple(sent))
    if not own:
        return found
    withheld = _CLIENTS_ALONE if options.get("forward_workspace") else _WITHHELD
    for name in own:
        if name not in withheld:
            value = ", ".join(sent[name])
            if name == BETA:
                asked = betas(sent[name], options.get("drop_betas") or ())
                value = ", ".join(asked)
            if _VALUE.fullmatch(value):
                found[name] = value
    return found


def for_client(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what of an answer's headers (lower-case names) the client may see.

    Rate limits keep the names that clients of this format read.
    """
    own = _of_the_api(tuple(headers))
    if not own:
        return relayed_headers(headers)
    others = {name: headers[name] for name in headers if name not in own}
    relayed = relayed_headers(others)
    for name in own:
        if _LIMITS.fullmatch(name) and _VALUE.fullmatch(headers[name]):
            relayed[name] = headers[name]
    return relayed
