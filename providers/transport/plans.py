"""How a request is sent, as far as the one before along the same outline was so.

A provider's requests differ in their bodies, and hardly in anything else: which
connections they may take, to where, what of a head stands around the body's length and
how long everything may last is found once. To find it for each call took the
interpreter 150 steps of 5,900.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from providers.transport.outgoing import Outgoing, sent_lines
from providers.transport.pool import Destination, Pool

# How long an exchange may take that names no time of its own.
LONGEST_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to send one request.

    Over a connection of `pool` `to` its destination; `before` and `after` are what
    stands around the length of its body. The others are seconds: to connect, to the
    first byte, between two, and as a whole.
    """

    pool: Pool
    to: Destination
    before: bytes
    after: bytes
    keep_alive: bool
    connect: float | None
    first_byte: float | None
    silence: float | None
    total: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan, and the requests that it is for."""

    pools: object
    loop: asyncio.AbstractEventLoop
    extensions: object
    way: Any
    method: str
    put_besides: tuple[bytes, ...] | None
    plan: Plan


def known(request: Outgoing, pools: object) -> Plan | None:
    """Return the plan for a request that goes as the one before along its outline.

    None for any other. `pools` are those that the transport took a connection from the
    last time. Raises what the extension ``way`` raises.
    """
    kept: Kept | None = request.outline.plan
    if (
        kept is None
        or kept.pools is not pools
        or kept.loop is not asyncio.get_running_loop()
        or kept.extensions is not request.extensions
        or kept.method != request.method
        or kept.put_besides != request.put_besides
        or (kept.way is not None and kept.way != _way(request))
    ):
        return None
    return kept.plan


def keep(request: Outgoing, pools: object, plan: Plan) -> None:
    """Keep the plan for requests that are like this one."""
    put = request.put_besides
    if put is not None:
        request.outline.plan = Kept(
            pools,
            asyncio.get_running_loop(),
            request.extensions,
            _way(request),
            request.method,
            put,
            plan,
        )


def _way(request: httpx.Request) -> Any:
    way: Callable[[], object] | None = request.extensions.get("way")
    return None if way is None else way()


def made(request: httpx.Request, path: bytes, pool: Pool, to: Destination) -> Plan:
    """Return the plan for a request; raises httpx.LocalProtocolError.

    A header that held a line break would smuggle further headers or a second request.
    """
    options: Mapping[str, Any] = request.extensions
    keep_alive: bool = options.get("keep_alive", True)
    timeout: Mapping[str, float | None] = options.get("timeout") or {}
    read, total = timeout.get("read"), timeout.get("total", LONGEST_SECONDS)
    if isinstance(request, Outgoing):
        lines = request.sent_lines()
    else:
        lines = sent_lines(request.headers)
    method = request.method.encode("ascii")
    before, after = _around(method, to.before + path, to.lines, lines, keep_alive)
    return Plan(
        pool,
        to,
        before,
        after,
        keep_alive,
        timeout.get("connect"),
        timeout.get("first_byte", read),
        timeout.get("silence", read),
        math.inf if total is None else total,
    )


def _around(
    method: bytes, path: bytes, lines: bytes, fields: list[bytes], keep_alive: bool
) -> tuple[bytes, bytes]:
    """Return what of a head stands before the body's length and behind it."""
    parts = [b"", *fields] if keep_alive else [b"", *fields, b"connection: close"]
    before, after = b"%b %b%b" % (method, path, lines), b"\r\n".join(parts)
    head = before + after
    breaks = len(parts) - 1 + lines.count(b"\n")
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or b"\0" in head:
        raise httpx.LocalProtocolError(
            "A header to the upstream holds a line break or a NUL character."
        )
    return before, after + b"\r\n\r\n"
