"""A body that is given to a sink as it arrives, and what is left to be read."""

import asyncio
import gzip
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import uvloop

from providers import transport
from providers.transport import GuardedTransport
from providers.transport.guard import Rules
from tests.scripted import Scripted

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
SECONDS = {"connect": 60, "first_byte": 60, "silence": 60, "total": 600}
PIECES = [b"one ", b"two ", b"three "]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


ANSWER = [CHUNKED, *map(chunk, PIECES), chunk(b"")]


@pytest.fixture(params=["asyncio", "uvloop"])
def poured(request) -> Callable[..., Any]:
    """Asks a scripted upstream; returns what `read` makes of the answer's body."""
    runs = asyncio.run if request.param == "asyncio" else uvloop.run

    async def ask(read: Any, answer: list[bytes], end: Any) -> Any:
        async with Scripted([answer], end) as upstream:
            way = GuardedTransport(Rules(private_networks=("127.0.0.0/8",)))
            told = {"private_network": True, "timeout": SECONDS}
            asked = httpx.Request("POST", upstream.url, extensions=told)
            response = await way.handle_async_request(asked)
            try:
                return await read(aiter(response.stream))
            finally:
                await response.aclose()
                await way.aclose()
                assert await upstream.closed()

    return lambda read, answer=ANSWER, end="stay": runs(ask(read, answer, end))


def test_pieces_go_to_the_sink_and_the_end_is_read(poured):
    async def read(body) -> tuple[list[bytes], bytes]:
        taken: list[bytes] = []
        while len(taken) < len(PIECES):
            await transport.pour(body, lambda data: not taken.append(data))
            if len(taken) < len(PIECES):
                taken.append(await anext(body))
        return taken, await anext(body, b"")

    assert poured(read) == (PIECES, b"")


def test_a_sink_that_wants_no_more_gets_no_more(poured):
    async def read(body) -> tuple[list[bytes], bytes]:
        taken: list[bytes] = []
        while not taken:
            await transport.pour(body, taken.append)
        return taken, b"".join([piece async for piece in body])

    assert poured(read) == (PIECES[:1], b"".join(PIECES[1:]))


def test_what_a_sink_raises_comes_to_who_waits(poured):
    def breaks(data: bytes) -> bool:
        raise RuntimeError(data.decode())

    async def read(body) -> bytes:
        with pytest.raises(RuntimeError, match="one"):
            await transport.pour(body, breaks)
        return b"".join([piece async for piece in body])

    assert poured(read) == b"".join(PIECES[1:])


def test_giving_up_loses_nothing(poured):
    async def read(body) -> list[bytes]:
        taken: list[bytes] = []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await transport.pour(body, lambda data: not taken.append(data))
        return taken + [piece async for piece in body]

    assert b"".join(poured(read)) == b"".join(PIECES)


def test_an_end_too_early_is_read_as_one(poured):
    async def read(body) -> list[bytes]:
        taken: list[bytes] = []
        while len(taken) < len(PIECES):
            await transport.pour(body, lambda data: not taken.append(data))
            if len(taken) < len(PIECES):
                taken.append(await anext(body))
        with pytest.raises(httpx.ReadError):
            await anext(body)
        return taken

    assert poured(read, ANSWER[:-1], "close") == PIECES


def test_a_coded_body_is_left_to_be_read(poured):
    head = HEAD + b"content-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n"

    async def read(body) -> bytes:
        await transport.pour(body, lambda data: pytest.fail("it is coded"))
        return b"".join([piece async for piece in body])

    packed = chunk(gzip.compress(b"one"))
    assert poured(read, [head, packed, chunk(b"")]) == b"one"
