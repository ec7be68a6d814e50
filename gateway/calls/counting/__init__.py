"""How many tokens a request has, asked of its upstream beside all calls.

It is no call: nothing is limited, booked or told of the provider's status, and whatever
goes wrong, the door's own estimate is as good an answer.
"""

import asyncio

import httpx

from gateway.calls import failures, upstream
from gateway.calls.attempts import avoidance, routes
from gateway.calls.counting.counters import COUNTERS, Counter
from gateway.calls.redaction import redact
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, UpstreamRequest
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Target
from providers import auth

SECONDS = 5.0
AT_ONCE = 32
"""Counts that a worker waits for: a coding agent asks for thirty at a time."""

UNCOUNTED = "count_tokens"
"""Under this name it is remembered that an upstream model is not counted for."""


class _Open:
    """How many counts are waited for."""

    def __init__(self) -> None:
        self.number = 0


_open = _Open()


async def count(asked: Asked, target: Target) -> JSON | None:
    """Return the upstream's count in the client's format, None where it gives none.

    Raises `GatewayError` where the upstream refuses the request itself, in words that
    are the client's.
    """
    counter = COUNTERS.get(target.provider.row.provider_type)
    if counter is None or avoidance.is_noted(target, UNCOUNTED):
        return None
    if _open.number >= AT_ONCE:
        return None
    _open.number += 1
    try:
        async with asyncio.timeout(SECONDS):
            return await _asked(asked, target, counter)
    except TimeoutError:
        return None
    finally:
        _open.number -= 1


async def _asked(asked: Asked, target: Target, counter: Counter) -> JSON | None:
    try:
        rendered = counter.render(asked, routes.route_to(target, asked))
    except GatewayError:
        return None
    try:
        response = await _send(target, rendered)
    except failures.UNSENT:
        return None
    try:
        return await _read(target, response, counter)
    except (httpx.TransportError, upstream.TooLarge):
        return None
    finally:
        await response.aclose()


async def _send(target: Target, rendered: UpstreamRequest) -> httpx.Response:
    provider = target.provider
    request = upstream.request_of(provider, rendered, runtime.via, {})
    return await auth.send(request, provider.auth)


async def _read(
    target: Target, response: httpx.Response, counter: Counter
) -> JSON | None:
    """Return the count; that there are none for the model is remembered."""
    said = await upstream.read(response, upstream.ERROR_BODY_LIMIT)
    said = redact(target.provider, said)
    if response.status_code in upstream.ANSWERED:
        return counter.counted(said)
    if counter.is_final(response.status_code, said):
        avoidance.note(target, UNCOUNTED)
        return None
    refusal = counter.refusal(response.status_code, said)
    if refusal is not None:
        raise refusal
    return None
