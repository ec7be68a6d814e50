"""The one guarded way out: an httpx transport over connections of our own.

Everything that leaves this server towards a provider goes through `transport()`: chat
requests, token requests, status checks, model lists. What holds for all of them:

- Every address is checked when the connection is made, and the connection goes to the
  address that was checked (`guard`). TLS is verified against the name.
- Exactly the bytes of the request's path are sent: a signature covers them.
- No netrc, cookies or redirects, and no proxy but one that the settings or the provider
  name (`ways`); nothing comes from the environment by itself.
- No compression is asked for; what comes compressed all the same is read (`encodings`).
- A cancelled or abandoned request closes its socket at once, and none takes longer as a
  whole than it may.

aiohttp's connector makes the connections (name cache, racing of addresses, TLS); what
goes over one is `connection`'s, what is read from it `answers`'.
"""

import asyncio
import contextlib
import math
import ssl
import weakref
from collections.abc import Callable, Iterator, Mapping
from time import monotonic
from typing import Any

import aiohttp
import httpx

from providers.network import certificates
from providers.transport import exchange, guard, plans, ways
from providers.transport.connection import Connection
from providers.transport.deadline import Overdue
from providers.transport.encodings import Encoded
from providers.transport.exchange import (
    NoAnswer,
    arrived,
    is_over,
    pour,
    raw_headers,
    whole_body,
)
from providers.transport.failures import (
    DestinationBlocked,
    NameNotResolved,
    ProxyFailed,
    TLSFailed,
    nothing_was_sent,
    refusal_in,
    while_connecting,
)
from providers.transport.guard import Guard, Lookup, Rules
from providers.transport.outgoing import (
    NoWay,
    Outgoing,
    Outline,
    Unusable,
    address,
    header_lines,
    origin_of,
)
from providers.transport.plans import Plan
from providers.transport.pool import Pool
from providers.transport.repeats import Repeats, repeats_of
from providers.transport.ways import DIRECT, Proxy, Way, contexts

__all__ = [
    "DestinationBlocked",
    "Encoded",
    "GuardedTransport",
    "NameNotResolved",
    "NoAnswer",
    "NoWay",
    "Outgoing",
    "Outline",
    "Overdue",
    "Proxy",
    "ProxyFailed",
    "Repeats",
    "TLSFailed",
    "Unusable",
    "Way",
    "address",
    "arrived",
    "header_lines",
    "is_over",
    "nothing_was_sent",
    "pour",
    "raw_headers",
    "read",
    "refusal_in",
    "repeats_of",
    "transport",
    "use",
    "whole_body",
]

SOON = 1.0
# Pools of ways that nobody asks for any more must not add up.
MAX_POOLS = 256

Kind = tuple[bool, bool, bool, Way | None]
"""A provider's mark, the sandbox's, a metadata service's; a way that is not direct."""

Pools = dict[Kind, Pool]
"""Pools of one event loop by what their connections have in common."""


class GuardedTransport(httpx.AsyncBaseTransport):
    """Sends httpx requests to addresses that may be connected to.

    `request.extensions` may hold ``private_network`` (the provider's mark), ``repeats``
    (how often it may be asked once more, of `repeats`),
    ``timeout`` (seconds by ``connect``, ``first_byte``, ``silence`` and ``total``;
    ``read`` stands in for ``first_byte`` and ``silence``) and ``keep_alive`` (false for
    a call that comes alone and should leave no connection behind). ``metadata`` is for
    requests to a cloud's metadata service, which go nowhere else, nor others there.
    ``way`` returns the provider's way or raises Unusable; `way` is that of requests
    which name none.

    The response's `stream` yields what the network delivered; close it with
    `response.aclose()` unless it was read to its end.
    """

    def __init__(
        self,
        rules: Rules | None = None,
        lookup: Lookup = guard.look_up,
        ssl_context: ssl.SSLContext | None = None,
        way: Way | None = None,
    ) -> None:
        self._rules = rules or Rules.from_settings()
        self._lookup = lookup
        self._ssl_context = ssl_context
        given = ways.of_installation() if way is None else way
        self._way = None if given == DIRECT else given
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Pools] = (
            weakref.WeakKeyDictionary()
        )
        # Those of the loop that asked last: a worker has one.
        self._loop: Callable[[], object] = lambda: None
        self._pools_here: Pools = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return the response once its headers are there.

        Raises httpx.TransportError; `nothing_was_sent` tells the harmless ones.
        """
        if isinstance(request, Outgoing):
            body = request.body
            plan = plans.known(request, self._pools_here) or await self._plan(request)
        else:
            body = await _body_of(request)
            plan = await self._plan(request)
        now = monotonic()
        left, ends_at = plan.total, now + plan.total
        connection = plan.pool.idle(plan.to, now)
        sent_again = False
        while True:
            if connection is None:
                connection = await _new(request, plan, left)
                now = monotonic()
            head = b"%b%d%b" % (plan.before, len(body), plan.after)
            connection.ends_at = ends_at
            try:
                await connection.ask(request.method, head, body, plan.first_byte, now)
            except BaseException:
                connection.abort()
                raise
            try:
                reusable = plan.keep_alive and not sent_again
                answer = exchange.answered(connection, plan, reusable)
            except NoAnswer as failure:
                if sent_again:
                    repeats_of(request.extensions).failed()
                if not _may_be_sent_again(request, failure):
                    raise
            else:
                if sent_again:
                    answer.extensions["sent_again"] = True
                return answer
            connection, sent_again = None, True
            left = max(ends_at - monotonic(), 0.001)

    async def _plan(self, request: httpx.Request) -> Plan:
        """Return how to send a request; raises Unusable and NoWay."""
        if isinstance(request, Outgoing):
            path, origin = request.outline.path, request.outline.origin
        else:
            path, origin = request.url.raw_path, origin_of(request.url)
        kind = self._kind(request.extensions, path)
        pool = self._here().get(kind) or await self._open(kind)
        try:
            to = pool.destination(origin, request.url)
        except ValueError as error:
            raise Unusable("The address cannot be used.") from error
        plan = plans.made(request, path, pool, to)
        if isinstance(request, Outgoing):
            plans.keep(request, self._here(), plan)
        return plan

    def _kind(self, options: Mapping[str, Any], path: bytes) -> Kind:
        """Return what a request's connection must have in common with others."""
        sandbox = path.startswith(b"/sandbox/") and guard.is_sandbox_path(path.decode())
        metadata = "metadata" in options
        way: Callable[[], Way] | None = options.get("way")
        taken = self._way if way is None else way()
        if sandbox or metadata:
            taken = None
        return bool(options.get("private_network")), sandbox, metadata, taken

    def _here(self) -> dict[Kind, Pool]:
        """Return the pools of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._loop() is not loop:
            self._loop = weakref.ref(loop)
            self._pools_here = self._pools.setdefault(loop, {})
        return self._pools_here

    async def _open(self, kind: Kind) -> Pool:
        """Return a new pool; raises NoWay for one that cannot be gone."""
        private_network, sandbox, metadata, way = kind
        context, proxy = self._ssl_context, way.proxy if way else None
        if way is not None and way.has_tls:
            try:
                context = await asyncio.to_thread(contexts.of_way, way)
            except certificates.CertificateError as error:
                raise NoWay(str(error)) from None
        watch = Guard(self._rules, private_network, sandbox, metadata)
        pools = self._here()
        if kind not in pools:
            if len(pools) >= MAX_POOLS:
                # What is under way goes on; its connections end once they are idle.
                del pools[next(iter(pools))]
            pools[kind] = Pool(watch, self._lookup, context, proxy)
        return pools[kind]

    async def aclose(self) -> None:
        """Close the connections that the running event loop opened."""
        pools = self._pools.pop(asyncio.get_running_loop(), {})
        self._loop, self._pools_here = (lambda: None), {}
        for pool in pools.values():
            await pool.aclose()


_current: httpx.AsyncBaseTransport | None = None


def transport() -> httpx.AsyncBaseTransport:
    """Return the process's transport."""
    global _current
    if _current is None:
        _current = GuardedTransport()
    return _current


@contextlib.contextmanager
def use(replacement: httpx.AsyncBaseTransport) -> Iterator[httpx.AsyncBaseTransport]:
    """Make `transport()` return `replacement` meanwhile; for tests."""
    global _current
    before, _current = _current, replacement
    try:
        yield replacement
    finally:
        _current = before


async def read(response: httpx.Response, limit: int) -> bytes:
    """Return the body of `response`, `limit` bytes at most, and close it.

    Raises httpx.TransportError.
    """
    pieces, size = [], 0
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101
    try:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size >= limit:
                break
    finally:
        await response.aclose()
    return b"".join(pieces)[:limit]


async def _new(request: httpx.Request, plan: Plan, left: float) -> Connection:
    """Return a new connection for a request that has `left` seconds.

    Raises httpx.TransportError.
    """
    try:
        return await plan.pool.connect(plan.to, _least(plan.connect, left))
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise while_connecting(error, request.url) from error


async def _body_of(request: httpx.Request) -> bytes:
    stream = request.stream
    if isinstance(stream, httpx.SyncByteStream):
        return b"".join(stream)
    return await request.aread()


def _least(seconds: float | None, total: float) -> float | None:
    """Return the lesser of two limits, None where there is none."""
    least = total if seconds is None else min(seconds, total)
    return None if least == math.inf else least


def _may_be_sent_again(request: httpx.Request, failure: NoAnswer) -> bool:
    """Tell whether an upstream cannot have begun to work on a request.

    It closes connections that were idle for long, and may do so while the next request
    is under way: it has not seen that one. https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
    """
    if not failure.reused or not repeats_of(request.extensions).are_left():
        return False
    return failure.seconds < SOON or "idempotency-key" in request.headers
