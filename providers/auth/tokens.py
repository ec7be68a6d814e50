"""Token requests: what is sent to a token server and what its answer means.

RFC 6749, sections 4.4 (client credentials), 4.1.3 (code), 6 (refresh) and 5 (answers).
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from providers import sealing, transport
from providers.models import ModelProvider, SecretNotAllowed
from providers.network import ways

# Seconds before its expiry at which a token is renewed (half its life, if that is
# shorter).
EARLY = 60
TOKEN_BODY_LIMIT = 64 * 1024
TIMEOUT = {"connect": 5.0, "read": 20.0, "total": 20.0}


class TokenError(Exception):
    """No access token could be had; the text is for the administrator.

    `rejected` tells a refusal, which needs the administrator, from a token server that
    cannot be reached or fails, which may pass.
    """

    def __init__(self, message: str, *, rejected: bool) -> None:
        super().__init__(message)
        self.rejected = rejected


class NotConnected(TokenError):
    """Nobody has pressed *Connect* yet, or the stored token cannot be used."""


@dataclass(frozen=True)
class Token:
    """An access token and, in this process's monotonic time, when to renew it."""

    value: str = field(repr=False)
    renew_at: float | None = None

    def is_fresh(self) -> bool:
        """Tell whether it may be used without renewing it first."""
        return self.renew_at is None or time.monotonic() < self.renew_at


# The grant of a provider that nobody connects by hand.
CLIENT = {"grant_type": "client_credentials"}


async def request(provider: ModelProvider, grant: Mapping[str, str]) -> dict[str, Any]:
    """Return the token server's answer to `grant`; raises TokenError."""
    try:
        response = await transport.transport().handle_async_request(
            _token_request(provider, grant)
        )
        body = await transport.read(response, TOKEN_BODY_LIMIT)
    except httpx.RequestError as error:
        raise TokenError(
            f"The token server cannot be used: {error}", rejected=False
        ) from None
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        answer = None
    if not isinstance(answer, dict):
        answer = {}
    if response.status_code == 200 and isinstance(answer.get("access_token"), str):
        return answer
    raise _refusal(response.status_code, answer)


def _token_request(provider: ModelProvider, grant: Mapping[str, str]) -> httpx.Request:
    try:
        values = provider.credentials()
    except (sealing.UnreadableSecret, SecretNotAllowed) as error:
        raise TokenError(str(error), rejected=True) from None
    # Here, because most installations have no provider with OAuth2.
    from authlib.oauth2.auth import ClientAuth

    secret = values.get("client_secret", "")
    client = ClientAuth(
        values.get("client_id", ""), secret, provider.client_auth if secret else "none"
    )
    form = {**provider.token_params, **grant}
    if provider.scopes and grant is CLIENT:
        form["scope"] = provider.scopes
    url, headers, body = client.prepare(
        "POST",
        provider.token_url,
        {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        urlencode(form),
    )
    return httpx.Request(
        "POST",
        transport.address(url),
        headers=transport.header_lines(headers),
        content=body,
        extensions=ways.extensions(provider, timeout=TIMEOUT, keep_alive=False),
    )


def _refusal(status: int, answer: Mapping[str, Any]) -> TokenError:
    """Name the error of RFC 6749, section 5.2. Its free text may quote credentials."""
    code = answer.get("error")
    known = {
        "invalid_client": "it does not accept the client id and secret",
        "invalid_grant": "the connection is no longer valid; press Reconnect",
        "invalid_scope": "it does not know the scopes",
        "unauthorized_client": "the client may not use this grant",
        "unsupported_grant_type": "it does not offer this grant",
        "invalid_request": "it misses a parameter; see Token parameters",
    }
    if isinstance(code, str) and code in known:
        return TokenError(
            f"The token server refused ({code}): {known[code]}.", rejected=True
        )
    if status == 200:
        return TokenError(
            "The token server answered without an access token. Check the token URL.",
            rejected=True,
        )
    return TokenError(
        f"The token server answered {status}.", rejected=400 <= status < 500
    )


def lifetime(answer: Mapping[str, Any]) -> float | None:
    """Return how many seconds the token lives; None when nothing usable is said.

    Servers send `expires_in` as a number, as text, as 0 or not at all. A token of
    unknown life is used until it is refused.
    """
    try:
        seconds = float(answer.get("expires_in") or 0)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 10 * 365 * 86400 else None


def usable(answer: Mapping[str, Any]) -> Token:
    seconds = lifetime(answer)
    if seconds is None:
        return Token(answer["access_token"])
    return Token(
        answer["access_token"],
        time.monotonic() + max(seconds - EARLY, seconds / 2),
    )
