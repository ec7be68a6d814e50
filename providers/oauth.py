"""OAuth2: where access tokens come from, and how they are kept and renewed.

Client credentials (RFC 6749, section 4.4): a token is fetched on first use, kept in
memory and renewed ahead of its expiry. Authorization code (section 4.1, with PKCE, RFC
7636): an administrator connects once; the tokens are stored encrypted, and one process
at a time refreshes them, because many servers accept a refresh token only once.

However many requests wait, one token request is made.
"""

import asyncio
import datetime
import logging
import random
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from asgiref.sync import async_to_sync, sync_to_async
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from providers import sealing, transport
from providers.models import ModelProvider, OAuthToken, SecretNotAllowed

# Seconds before its expiry at which a token is renewed (half its life, if that is
# shorter).
EARLY = 60
# A failure is remembered so long, longer each time it comes again.
FAILURE_SECONDS = 5
MAX_FAILURE_SECONDS = 60
LEASE_SECONDS = 30
TOKEN_BODY_LIMIT = 64 * 1024
TIMEOUT = {"connect": 5.0, "first_byte": 20.0, "read": 20.0}

logger = logging.getLogger(__name__)


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


class OAuth2(httpx.Auth):
    """A bearer token in the Authorization header.

    A 401 for the token that is still the cached one renews it and sends the request
    once more; if another request has renewed it meanwhile, the new one is used.
    """

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider
        self._token: Token | None = None
        self._fetching: asyncio.Task[Token] | None = None
        self._failure: TokenError | None = None
        self._failures = 0
        self._retry_at = 0.0

    def __repr__(self) -> str:
        return f"OAuth2({self._provider.name!r})"

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with a token; after a 401, once more with another one."""
        token = self._token
        if token is None or not token.is_fresh():
            token = await self._renewed()
        request.headers["Authorization"] = f"Bearer {token.value}"
        response = yield request
        if response.status_code != 401:
            return
        try:
            renewed = await self._replacement(token)
        except TokenError:
            return  # the provider's own 401 says more
        request.headers["Authorization"] = f"Bearer {renewed.value}"
        yield request

    async def _replacement(self, rejected: Token) -> Token:
        current = self._token
        if current is not None and current.value != rejected.value:
            return current
        return await self._renewed(rejected)

    async def _renewed(self, rejected: Token | None = None) -> Token:
        """Return a new token; all that ask at once share one token request."""
        task = self._fetching
        loop = asyncio.get_running_loop()
        if task is None or task.done() or task.get_loop() is not loop:
            if self._failure is not None and time.monotonic() < self._retry_at:
                raise self._failure
            task = loop.create_task(self._fetch(rejected))
            # Nobody may be left to hear of its failure; it is remembered anyway.
            task.add_done_callback(_retrieve)
            self._fetching = task
        # One request that is cancelled must not take the token from the others.
        return await asyncio.shield(task)

    async def _fetch(self, rejected: Token | None) -> Token:
        try:
            token = await self._obtain(rejected)
        except TokenError as error:
            self._failures += 1
            seconds = FAILURE_SECONDS * 2 ** min(self._failures - 1, 8)
            pause = min(seconds, MAX_FAILURE_SECONDS) * random.uniform(1, 1.3)  # noqa: S311
            self._failure, self._retry_at = error, time.monotonic() + pause
            raise
        self._failure, self._failures, self._token = None, 0, token
        return token

    async def _obtain(self, rejected: Token | None) -> Token:
        if not self._provider.authorization_url:
            return _usable(await _request_token(self._provider, CLIENT))
        try:
            return await _stored_token(self._provider, rejected)
        except DatabaseError:
            raise TokenError(
                "The stored token cannot be read: the database is unavailable.",
                rejected=False,
            ) from None


def _retrieve(task: "asyncio.Task[Token]") -> None:
    if not task.cancelled():
        task.exception()


CLIENT = {"grant_type": "client_credentials"}


async def _request_token(
    provider: ModelProvider, grant: Mapping[str, str]
) -> dict[str, Any]:
    """Return the token server's answer to `grant`; raises TokenError."""
    request = _token_request(provider, grant)
    try:
        response = await transport.transport().handle_async_request(request)
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
        url,
        headers=headers,
        content=body,
        extensions={
            "private_network": provider.private_network,
            "timeout": TIMEOUT,
            "keep_alive": False,
        },
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


def _lifetime(answer: Mapping[str, Any]) -> float | None:
    """Return how many seconds the token lives; None when nothing usable is said.

    Servers send `expires_in` as a number, as text, as 0 or not at all. A token of
    unknown life is used until it is refused.
    """
    try:
        seconds = float(answer.get("expires_in") or 0)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < 10 * 365 * 86400 else None


def _usable(answer: Mapping[str, Any]) -> Token:
    seconds = _lifetime(answer)
    if seconds is None:
        return Token(answer["access_token"])
    return Token(
        answer["access_token"],
        time.monotonic() + max(seconds - EARLY, seconds / 2),
    )


# --- authorization code: tokens in the database ---


async def _stored_token(provider: ModelProvider, rejected: Token | None) -> Token:
    """Return the stored token, refreshed by this process or another if it is due."""
    deadline = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < deadline:
        row, answer = await sync_to_async(_load)(provider)
        token = _remaining(row, answer)
        if token.is_fresh() and (rejected is None or token.value != rejected.value):
            return token
        if await sync_to_async(_lease)(row):
            return await _refresh(provider, row, answer)
        await asyncio.sleep(0.2)
    raise TokenError("Another process holds the token too long.", rejected=False)


def _load(provider: ModelProvider) -> tuple[OAuthToken, dict[str, Any]]:
    row = OAuthToken.objects.filter(provider_id=provider.pk).first()
    if row is None:
        raise NotConnected(
            "Not connected yet. Open the provider and press Connect.", rejected=True
        )
    row.provider = provider
    try:
        return row, row.reveal()
    except sealing.UnreadableSecret:
        raise NotConnected(
            "The stored token cannot be decrypted with the current keys, or was "
            "obtained for another address. Press Reconnect.",
            rejected=True,
        ) from None


def _remaining(row: OAuthToken, answer: Mapping[str, Any]) -> Token:
    if row.expires_at is None:
        return Token(answer["access_token"])
    left = (row.expires_at - timezone.now()).total_seconds()
    return Token(answer["access_token"], time.monotonic() + left - EARLY)


def _lease(row: OAuthToken) -> bool:
    """Claim the refresh for this process, unless another one holds a live claim.

    The condition on `updated_at` makes sure that the refresh token read is still the
    newest one.
    """
    now = timezone.now()
    free = Q(refresh_lease=None) | Q(refresh_lease__lt=now)
    claimed = OAuthToken.objects.filter(
        free, pk=row.pk, updated_at=row.updated_at
    ).update(refresh_lease=now + datetime.timedelta(seconds=LEASE_SECONDS))
    return claimed == 1


async def _refresh(
    provider: ModelProvider, row: OAuthToken, answer: dict[str, Any]
) -> Token:
    refresh_token = answer.get("refresh_token")
    try:
        if not refresh_token:
            raise TokenError(
                "The token has expired and there is none to refresh it with. Press "
                "Reconnect.",
                rejected=True,
            )
        renewed = await _request_token(
            provider,
            {"grant_type": "refresh_token", "refresh_token": refresh_token},
        )
    except BaseException:
        await sync_to_async(_release)(row)
        raise
    # A server that does not rotate refresh tokens leaves it out.
    stored = {"refresh_token": refresh_token, **renewed}
    await sync_to_async(_store)(row, stored)
    return _usable(stored)


def _release(row: OAuthToken) -> None:
    OAuthToken.objects.filter(pk=row.pk).update(refresh_lease=None)


def _store(row: OAuthToken, answer: dict[str, Any]) -> None:
    seconds = _lifetime(answer)
    row.store(answer)
    row.refresh_lease = None
    row.expires_at = (
        timezone.now() + datetime.timedelta(seconds=seconds) if seconds else None
    )
    row.save()


# --- authorization code: connecting, in the console ---


def authorization_request(
    provider: ModelProvider, redirect_uri: str
) -> tuple[str, dict[str, str]]:
    """Return the URL to send the administrator to, and what to keep in their session.

    The payload holds ``state`` (compare it with the one that comes back), ``verifier``
    (for `exchange`), ``redirect_uri`` and ``provider`` (its uid). Raises
    TokenError when the client id cannot be read.
    """
    try:
        client_id = provider.credentials().get("client_id", "")
    except (sealing.UnreadableSecret, SecretNotAllowed) as error:
        raise TokenError(str(error), rejected=True) from None
    verifier = secrets.token_urlsafe(48)
    state = secrets.token_urlsafe(32)
    url: str = prepare_grant_uri(
        provider.authorization_url,
        client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=provider.scopes or None,
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    return url, {
        "state": state,
        "verifier": verifier,
        "redirect_uri": redirect_uri,
        "provider": str(provider.uid),
    }


def exchange(
    provider: ModelProvider, code: str, verifier: str, redirect_uri: str
) -> OAuthToken:
    """Trade the code that came back for tokens and store them encrypted.

    Raises TokenError, whose text says what the token server said.
    """
    answer = async_to_sync(_request_token)(
        provider,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
    )
    row = OAuthToken.objects.filter(provider=provider).first()
    row = row or OAuthToken(provider=provider)
    row.provider = provider
    _store(row, answer)
    return row
