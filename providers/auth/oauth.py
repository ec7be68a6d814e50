"""OAuth2: where access tokens come from, and how they are kept and renewed.

Client credentials (RFC 6749, section 4.4): a token is fetched on first use, kept in
memory and renewed ahead of its expiry. Authorization code (section 4.1, with PKCE, RFC
7636): an administrator connects once; the tokens are stored encrypted, and one process
at a time refreshes them, because many servers accept a refresh token only once.

However many requests wait, one token request is made.
"""

import asyncio
import datetime
import random
import secrets
import time
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import httpx
from asgiref.sync import async_to_sync
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from providers import database, sealing
from providers.auth import tokens
from providers.auth.tokens import NotConnected, Token, TokenError
from providers.models import ModelProvider, OAuthToken, SecretNotAllowed

__all__ = [
    "NotConnected",
    "OAuth2",
    "TokenError",
    "authorization_request",
    "exchange",
]

# A failure is remembered so long, longer each time it comes again.
FAILURE_SECONDS = 5
MAX_FAILURE_SECONDS = 60
LEASE_SECONDS = 30


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

    @property
    def access_token(self) -> str:
        """The token in use, for whoever must keep it out of sight; or empty."""
        return self._token.value if self._token is not None else ""

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
            return tokens.usable(await tokens.request(self._provider, tokens.CLIENT))
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


# --- authorization code: tokens in the database ---


async def _stored_token(provider: ModelProvider, rejected: Token | None) -> Token:
    """Return the stored token, refreshed by this process or another if it is due."""
    deadline = time.monotonic() + 2 * LEASE_SECONDS
    while time.monotonic() < deadline:
        row, answer = await database.in_thread(_load, provider)
        token = _remaining(row, answer)
        if token.is_fresh() and (rejected is None or token.value != rejected.value):
            return token
        if await database.in_thread(_lease, row):
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
    return Token(answer["access_token"], time.monotonic() + left - tokens.EARLY)


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
        renewed = await tokens.request(
            provider,
            {"grant_type": "refresh_token", "refresh_token": refresh_token},
        )
    except BaseException:
        await database.in_thread(_release, row)
        raise
    # A server that does not rotate refresh tokens leaves it out.
    stored = {"refresh_token": refresh_token, **renewed}
    await database.in_thread(_store, row, stored)
    return tokens.usable(stored)


def _release(row: OAuthToken) -> None:
    OAuthToken.objects.filter(pk=row.pk).update(refresh_lease=None)


def _store(row: OAuthToken, answer: dict[str, Any]) -> None:
    seconds = tokens.lifetime(answer)
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
    # Here, because only *Connect* needs them.
    from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
    from authlib.oauth2.rfc7636 import create_s256_code_challenge

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
    answer = async_to_sync(tokens.request)(
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
    row.connected_at = timezone.now()
    _store(row, answer)
    return row
