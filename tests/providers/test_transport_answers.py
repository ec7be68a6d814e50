"""What an upstream's bytes are taken for: a whole answer, a broken one, or none."""

import asyncio
import contextlib
import gzip
import socket
import threading
import time

import httpx
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import transport
from providers.transport import GuardedTransport, NoAnswer
from providers.transport.answers import BODY, DONE, Answers
from providers.transport.connection import KEEP_ALIVE_SECONDS
from providers.transport.guard import Rules
from tests.scripted import Scripted

LOOPBACK = Rules(private_networks=("127.0.0.0/8",))
# However busy the machine is: nothing here ends by its time unless it says so.
SECONDS = {"connect": 60, "first_byte": 60, "silence": 60, "total": 600}

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
ANSWER = HEAD + b"content-length: 2\r\n\r\n{}"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\nx-hint: 1\r\n\r\n"
SECOND = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen"


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request):
    """Runs a coroutine to its end, on either event loop."""
    return asyncio.run if request.param == "asyncio" else uvloop.run


def request_to(upstream, method="POST", body=b"{}"):
    extensions = {"private_network": True, "timeout": SECONDS}
    return httpx.Request(method, upstream.url, content=body, extensions=extensions)


async def ask(way, upstream, method="POST"):
    """Ask once; return the response and its body."""
    response = await way.handle_async_request(request_to(upstream, method))
    try:
        return response, b"".join([piece async for piece in response.stream])
    finally:
        await response.aclose()


async def ask_scripted(answers, times=1, *, method="POST", **script):
    """Ask an upstream with a script; return the last answer and the upstream."""
    async with Scripted(answers, **script) as upstream:
        way = GuardedTransport(LOOPBACK)
        try:
            for _ in range(times):
                response, body = await ask(way, upstream, method)
                await asyncio.sleep(0.02)
        finally:
            await way.aclose()
            assert await upstream.closed()
    return response, body, upstream


def cut(answer, size):
    """Return `answer` in pieces of `size` bytes."""
    return [answer[at : at + size] for at in range(0, len(answer), size)]


# --- whole answers, and whether their connection goes on ---

KEPT = {
    "with a length": (ANSWER, b"{}"),
    "empty": (HEAD + b"content-length: 0\r\n\r\n", b""),
    "in chunks": (CHUNKED + b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", b"{}"),
    "upper-case size": (CHUNKED + b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    "leading zeros": (CHUNKED + b"0000002\r\n{}\r\n000\r\n\r\n", b"{}"),
    "chunk extensions": (CHUNKED + b'2;a=b;c="d"\r\n{}\r\n0;e\r\n\r\n', b"{}"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\nx-sum: 1\r\nx-b: 2\r\n\r\n", b"{}"),
    "after 100": (CONTINUE + ANSWER, b"{}"),
    "after 102": (b"HTTP/1.1 102 Processing\r\n\r\n" + ANSWER, b"{}"),
    "after 103": (HINTS + ANSWER, b"{}"),
    "after several": (CONTINUE + HINTS * 2 + CONTINUE + ANSWER, b"{}"),
    "after seven": (CONTINUE * 7 + ANSWER, b"{}"),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "created, with a place": (
        b"HTTP/1.1 201 Created\r\nlocation: /a\r\ncontent-length: 2\r\n\r\n{}",
        b"{}",
    ),
    "an offer to upgrade": (
        HEAD + b"upgrade: h2,h2c\r\nconnection: Upgrade, Keep-Alive\r\n"
        b"content-length: 2\r\n\r\n{}",
        b"{}",
    ),
    "an offer to upgrade, in chunks": (
        HEAD + b"upgrade: h2\r\nconnection: upgrade\r\n"
        b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"{}",
    ),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\n\r\n", b""),
    "old, kept alive": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}",
        b"{}",
    ),
}

NOT_KEPT = {
    "close": (HEAD + b"connection: close\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "Close": (HEAD + b"Connection: Close\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
    "old": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", b"{}"),
}


@pytest.mark.parametrize("size", [1 << 20, 1, 7])
@pytest.mark.parametrize(("answer", "body"), KEPT.values(), ids=KEPT)
def test_a_whole_answer_is_read_and_its_connection_kept(run, answer, body, size):
    times = 2 if size > 7 else 1
    pieces = [cut(answer, size)] * times
    response, found, upstream = run(ask_scripted(pieces, times))
    assert found == body
    assert response.status_code in (200, 201, 204, 304)
    assert (upstream.connections, upstream.requests) == (1, times)
    assert "x-hint" not in response.headers
    assert "x-sum" not in response.headers


@pytest.mark.parametrize(("answer", "body"), NOT_KEPT.values(), ids=NOT_KEPT)
def test_an_answer_that_ends_its_connection_is_the_last_one_there(run, answer, body):
    _, found, upstream = run(ask_scripted([answer, SECOND], 2))
    assert found == body
    assert upstream.connections == 2


BY_CLOSE = {
    "no length": HEAD + b"\r\n{}",
    "old": b"HTTP/1.0 200 OK\r\n\r\n{}",
    "nothing": HEAD + b"\r\n",
    "identity": HEAD + b"transfer-encoding: identity\r\n\r\n{}",
}


@pytest.mark.parametrize("size", [1 << 20, 1])
@pytest.mark.parametrize("end", ["close", "half"])
@pytest.mark.parametrize("answer", BY_CLOSE.values(), ids=BY_CLOSE)
def test_a_body_without_a_length_ends_with_its_connection(run, answer, end, size):
    _, body, upstream = run(ask_scripted([cut(answer, size)], end=end))
    assert body == answer.partition(b"\r\n\r\n")[2]
    assert upstream.connections == 1


@pytest.mark.parametrize("length", [b"content-length: 9\r\n", b""])
def test_the_answer_to_head_has_no_body(run, length):
    answer = HEAD + length + b"\r\n"
    response, body, _ = run(ask_scripted([answer, answer], 2, method="HEAD"))
    assert (response.status_code, body) == (200, b"")


def test_names_values_and_their_order_stay_as_they_are(run):
    lines = [
        (b"X-One", b"1"),
        (b"x-two", b"a\tb  c"),
        (b"X-ONE", b"2"),
        (b"x-empty", b""),
        (b"x-latin", b"caf\xe9"),
        (b"Content-Length", b"2"),
    ]
    head = b"".join(b"%b: %b\r\n" % pair for pair in lines)
    response, _, _ = run(ask_scripted([HEAD + head + b"\r\n{}"]))
    assert response.headers.raw == lines
    assert response.headers["x-one"] == "1, 2"


def test_blanks_around_a_value_are_no_part_of_it(run):
    answer = HEAD + b"x-a: \t b c \t \r\ncontent-length:2\r\n\r\n{}"
    response, _, _ = run(ask_scripted([answer]))
    assert response.headers["x-a"] == "b c"


def test_headers_of_a_compressed_body_tell_no_length_of_it(run):
    packed = gzip.compress(b"{}")
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    response, body, _ = run(ask_scripted([cut(head + packed, 5)]))
    assert body == b"{}"
    assert not {"content-encoding", "content-length"} & {*response.headers}


# --- what is no answer ---

TOO_LONG = b"x" * (33 << 10)

REFUSED = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a version that is none": b"HTTP/3.7 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "a request": b"GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\n{}",
    "a status in letters": b"HTTP/1.1 abc OK\r\ncontent-length: 2\r\n\r\n{}",
    "two lengths": HEAD + b"content-length: 2\r\ncontent-length: 3\r\n\r\n{}x",
    "the same length twice": HEAD + b"content-length: 2\r\ncontent-length: 2\r\n\r\n{}",
    "a list of lengths": HEAD + b"content-length: 2, 2\r\n\r\n{}",
    "a negative length": HEAD + b"content-length: -2\r\n\r\n{}",
    "a signed length": HEAD + b"content-length: +2\r\n\r\n{}",
    "a length in hex": HEAD + b"content-length: 0x2\r\n\r\n{}",
    "a huge length": HEAD + b"content-length: 99999999999999999999999\r\n\r\n{}",
    "length, then chunks": (
        HEAD
        + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "chunks, then length": (
        HEAD
        + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    ),
    "NUL in a value": HEAD + b"x-a: b\0c\r\ncontent-length: 2\r\n\r\n{}",
    "NUL in a name": HEAD + b"x\0a: b\r\ncontent-length: 2\r\n\r\n{}",
    "a bare CR in a value": HEAD + b"x-a: b\rc\r\ncontent-length: 2\r\n\r\n{}",
    "a folded value": HEAD + b"x-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}",
    "lines that end with LF": b"HTTP/1.1 200 OK\ncontent-length: 2\n\n{}",
    "a header ended by LF": HEAD + b"x-a: b\ncontent-length: 2\r\n\r\n{}",
    "a blank behind a chunk's size": CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "an interim answer with a body": (
        b"HTTP/1.1 150 Wait\r\ncontent-length: 2\r\n\r\n{}" + ANSWER
    ),
    "no colon": HEAD + b"x-a\r\ncontent-length: 2\r\n\r\n{}",
    "a blank before the colon": HEAD + b"content-length : 2\r\n\r\n{}",
    "a line that is too long": HEAD + b"x-a: " + TOO_LONG + b"\r\n\r\n",
    "a name that is too long": HEAD + TOO_LONG + b": a\r\n\r\n",
    "headers without end": HEAD + b"x-a: b\r\n" * 300 + b"content-length: 2\r\n\r\n{}",
    "a chunk size that is none": CHUNKED + b"2\r\n{}\r\nzz\r\n",
    "no chunk size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a negative chunk size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a huge chunk size": CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk that is too long": CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    "a chunk ended by LF": CHUNKED + b"2\r\n{}\n0\r\n\r\n",
    "switching protocols": (
        b"HTTP/1.1 101 Switching Protocols\r\n"
        b"connection: upgrade\r\nupgrade: h2c\r\n\r\n"
    ),
    "switching to nothing": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + ANSWER,
    "nine interim answers": CONTINUE * 9 + ANSWER,
    "interim answers without end": HINTS * 200,
}


@pytest.mark.proves("5.1")
@pytest.mark.parametrize("size", [1 << 20, 1000])
@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
def test_what_is_not_http_is_refused_and_its_connection_closed(run, answer, size):
    with pytest.raises(httpx.RemoteProtocolError):
        run(ask_scripted([cut(answer, size)]))


CUT = {
    "in the status line": b"HTTP/1.1 20",
    "in the headers": HEAD + b"content-le",
    "behind an interim answer": CONTINUE,
    "before a body": HEAD + b"content-length: 2\r\n\r\n",
    "in a body": HEAD + b"content-length: 3\r\n\r\n{}",
    "in a chunk's size": CHUNKED + b"2",
    "in a chunk": CHUNKED + b"3\r\n{}",
    "behind a chunk": CHUNKED + b"2\r\n{}\r\n",
    "in the last chunk": CHUNKED + b"2\r\n{}\r\n0\r\n",
    "in the trailers": CHUNKED + b"2\r\n{}\r\n0\r\nx-a: b\r\n",
    "in chunks that are not the last coding": (
        HEAD + b"transfer-encoding: chunked, gzip\r\n\r\n2\r\n{}"
    ),
}


@pytest.mark.proves("5.1")
@pytest.mark.parametrize("end", ["close", "reset", "half"])
@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_an_answer_that_is_cut_off_is_never_a_whole_one(run, answer, end):
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)) as caught:
        run(ask_scripted([[answer]], end=end))
    assert type(caught.value) is not NoAnswer


def test_a_body_ended_by_a_reset_is_not_whole(run):
    with pytest.raises(httpx.ReadError):
        run(ask_scripted([[HEAD + b"\r\n{}"]], end="reset"))


# --- bytes that belong to no answer ---

SURPLUS = {
    "a byte": b"x",
    "half an answer": b"HTTP/1.1 200 OK\r\ncontent-le",
    "an answer": SECOND,
    "an interim answer": CONTINUE,
    "no HTTP": b"\x00\xff",
}


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("answer", [ANSWER, KEPT["in chunks"][0]])
def test_bytes_behind_an_answer_are_not_the_next_ones(run, answer, surplus, at_once):
    said = answer + surplus if at_once else [answer, surplus]
    response, body, upstream = run(ask_scripted([said, SECOND], 2))
    assert (response.status_code, body) == (200, b"{}")
    assert upstream.connections == 2


@pytest.mark.parametrize("surplus", SURPLUS.values(), ids=SURPLUS)
def test_bytes_that_wait_unread_are_not_the_next_answer(run, surplus):
    """The event loop was busy: they arrived, and nobody has looked."""

    async def call():
        with Threaded(lambda connection: connection.sendall(surplus)) as upstream:
            way = GuardedTransport(LOOPBACK)
            for _ in range(2):
                _, body = await ask(way, upstream)
                upstream.let_go()
            await way.aclose()
            return body

    assert run(call()) == b"{}"


def test_a_connection_whose_end_waits_unread_is_not_used(run):
    async def call():
        with Threaded(lambda connection: connection.close()) as upstream:
            way = GuardedTransport(LOOPBACK)
            for _ in range(2):
                response, _ = await ask(way, upstream)
                upstream.let_go()
            await way.aclose()
            return response

    assert "sent_again" not in run(call()).extensions


class Threaded:
    """An upstream in a thread, that answers once a connection and then does `last`.

    It does that when it is let go.
    """

    def __init__(self, last):
        self._last = last
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/"

        self._turn = threading.Barrier(2)
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def let_go(self):
        """Return when its last has arrived; the event loop sees nothing meanwhile."""
        for _ in ("begin", "end"):
            self._turn.wait(60)
        time.sleep(0.05)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._turn.abort()
        # Closing alone would leave the thread waiting for the next client.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _accept(self):
        over = (OSError, threading.BrokenBarrierError)
        with contextlib.suppress(*over), contextlib.ExitStack() as held:
            while True:
                connection, _ = self._socket.accept()
                held.enter_context(connection)
                connection.recv(1 << 16)
                connection.sendall(ANSWER)
                self._turn.wait()
                self._last(connection)
                self._turn.wait()


@pytest.mark.parametrize("surplus", [b"x", SECOND])
def test_bytes_behind_an_answer_without_a_body_are_not_the_next_ones(run, surplus):
    said = KEPT["no content"][0] + surplus
    response, body, upstream = run(ask_scripted([said], 2))
    assert (response.status_code, body) == (204, b"")
    assert upstream.connections == 2


def test_bytes_behind_the_answer_to_head_are_not_the_next_ones(run):
    _, body, upstream = run(ask_scripted([ANSWER, SECOND], 2, method="HEAD"))
    assert body == b""
    assert upstream.connections == 2


# --- connections that end ---


@pytest.mark.parametrize("end", ["close", "reset", "half"])
def test_a_connection_that_ended_while_idle_is_not_used(run, end):
    response, body, upstream = run(ask_scripted([ANSWER], 3, end=end))
    assert body == b"{}"
    assert "sent_again" not in response.extensions
    assert (upstream.connections, upstream.requests) == (3, 3)


def test_an_idle_connection_is_closed_in_time(run, later):
    async def call():
        async with Scripted([ANSWER] * 2) as upstream:
            way = GuardedTransport(LOOPBACK)
            await ask(way, upstream)
            await later.look(KEEP_ALIVE_SECONDS / 2)
            await ask(way, upstream)
            assert (upstream.connections, upstream.open) == (1, 1)
            await later.look(KEEP_ALIVE_SECONDS + 1)
            assert await upstream.closed()
            await way.aclose()

    run(call())


def test_an_answer_that_comes_before_the_request_was_taken_ends_the_connection(run):
    """The rest of the request would be in front of the next one."""
    body = b"x" * (32 << 20)

    async def early(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await asyncio.sleep(0.2)
        left.append(await reader.read(1 << 16))
        while await reader.read(1 << 20):
            pass
        left.append(b"")
        writer.close()

    async def call():
        server = await asyncio.start_server(early, "127.0.0.1", 0)
        way = GuardedTransport(LOOPBACK)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        request = httpx.Request(
            "POST", url, content=body, extensions=request_to(FakeUpstream).extensions
        )
        response = await way.handle_async_request(request)
        assert response.status_code == 413
        assert await transport.read(response, 100) == b"{}"
        for _ in range(3000):
            if left[-1:] == [b""]:
                break
            await asyncio.sleep(0.01)
        is_closed = left[-1:] == [b""]
        await way.aclose()
        server.close()
        return is_closed

    class FakeUpstream:
        url = "http://127.0.0.1/"

    left = []
    assert run(call())


# --- a reader that is slow ---


@pytest.mark.proves("5.4")
def test_an_upstream_does_not_fill_the_memory_of_a_slow_reader(run):
    """What an upstream sends is held back by TCP, not kept here."""
    sent = 0

    async def flood(reader, writer):
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: 268435456\r\n\r\n")
        while sent < 256 << 20:
            writer.write(b"x" * (1 << 16))
            await writer.drain()
            sent += 1 << 16

    async def call():
        server = await asyncio.start_server(flood, "127.0.0.1", 0)
        way = GuardedTransport(LOOPBACK)

        class Upstream:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

        response = await way.handle_async_request(request_to(Upstream))
        await asyncio.sleep(0.5)
        before = sent
        pieces = aiter(response.stream)
        first = len(await anext(pieces))
        taken = first
        while taken < 32 << 20:
            taken += len(await anext(pieces))
        await response.aclose()
        await way.aclose()
        server.close()
        return before, first

    before, first = run(call())
    # The kernel's own buffers hold some megabytes.
    assert before < 16 << 20
    assert first < 1 << 20


def test_a_slow_reader_is_not_taken_for_a_silent_upstream(run, later):
    body = b"x" * (8 << 20)
    answer = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body

    async def call():
        async with Scripted([answer]) as upstream:
            way = GuardedTransport(LOOPBACK)
            response = await way.handle_async_request(request_to(upstream))
            await until(lambda: connection_of(response)._is_paused)
            await later.look(SECONDS["silence"] + 1)
            found = await transport.read(response, len(body))
            await way.aclose()
            return found

    assert run(call()) == body


def connection_of(response):
    """Return what the rest of a response comes by."""
    return response.stream._connection


async def until(claim):
    """Return when it holds; whoever never sees it is ended by pytest."""
    while not claim():
        await asyncio.sleep(0.01)


def test_what_arrived_in_many_reads_is_handed_over_at_once(run):
    chunks = [CHUNKED] + [b"3\r\nabc\r\n"] * 5

    async def call():
        async with Scripted([chunks]) as upstream:
            way = GuardedTransport(LOOPBACK)
            response = await way.handle_async_request(request_to(upstream))
            pieces = connection_of(response).answer.pieces
            await until(lambda: len(pieces) == 5)
            piece = await anext(aiter(response.stream))
            await response.aclose()
            await way.aclose()
            return piece

    assert run(call()) == b"abc" * 5


def test_what_arrived_before_an_end_that_is_none_is_handed_over_too(run):
    async def call():
        async with Scripted([[CHUNKED, b"2\r\n{}\r\n", b"zz\r\n"]]) as upstream:
            way = GuardedTransport(LOOPBACK)
            response = await way.handle_async_request(request_to(upstream))
            await asyncio.sleep(0.1)
            pieces = aiter(response.stream)
            assert await anext(pieces) == b"{}"
            with pytest.raises(httpx.RemoteProtocolError):
                await anext(pieces)
            await way.aclose()

    run(call())


# --- giving up ---


@pytest.mark.proves("5.5")
@pytest.mark.parametrize("said", [b"", HEAD, HEAD + b"\r\n", CHUNKED + b"2\r\n{}"])
def test_a_call_that_is_given_up_closes_its_connection(run, said):
    """Wherever it waits: for the head, in it, for the body, in it."""

    async def call():
        async with Scripted([said]) as upstream:
            way = GuardedTransport(LOOPBACK)
            task = asyncio.ensure_future(ask(way, upstream))
            while not upstream.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await upstream.closed()
            await way.aclose()

    run(call())


def test_an_answer_that_nobody_closes_closes_its_connection(run):
    async def call():
        async with Scripted([CHUNKED]) as upstream:
            way = GuardedTransport(LOOPBACK)
            response = await way.handle_async_request(request_to(upstream))
            with pytest.warns(ResourceWarning, match="nobody closed"):
                del response
            assert await upstream.closed()
            await way.aclose()

    run(call())


# --- the parser alone ---


def read(pieces, method="POST", last=True, *, at_once=False):
    """Return what a parser has understood of `pieces`.

    What they bring of a body is taken `at_once`, where it may be.
    """
    answers = Answers()
    answers.expect(method)
    body = b""
    for piece in pieces:
        if at_once and answers.state == BODY and not answers.pieces:
            body += answers.passed(piece)
        else:
            answers.feed(piece)
        body += answers.take() if at_once and answers.state == BODY else b""
    body += answers.take()
    is_whole = answers.finish() if last else answers.state == DONE
    return answers.status, answers.headers, body, is_whole, answers.keeps


WHOLE = {
    **KEPT,
    **NOT_KEPT,
    **{f"by close, {k}": (v, b"") for k, v in BY_CLOSE.items()},
}


@pytest.mark.parametrize("answer", [each for each, _ in WHOLE.values()], ids=WHOLE)
@given(data=st.data())
@settings(max_examples=30)
def test_an_answer_means_the_same_however_it_is_cut(answer, data):
    at = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=12)))
    pieces = [answer[a:b] for a, b in zip([0, *at], [*at, len(answer)], strict=True)]
    given = [piece for piece in pieces if piece]
    assert read(given) == read(given, at_once=True) == read([answer])


@given(st.sampled_from([b"", HEAD, CHUNKED, CONTINUE]), st.binary(), st.binary())
def test_bytes_that_are_no_answer_raise_nothing_else(start, first, second):
    for at_once in (False, True):
        with contextlib.suppress(httpx.RemoteProtocolError):
            read([start + first, second], at_once=at_once)


@given(st.sampled_from([*KEPT.values()]), st.binary(), st.booleans())
def test_whatever_stands_behind_an_answer_is_no_part_of_it(whole, noise, at_once):
    answer, body = whole
    *begun, end = cut(answer, max(1, len(answer) // 3))
    pieces = [*begun, end + noise] if at_once else [*begun, end, noise]
    assert read(pieces, last=False) == read(pieces, last=False, at_once=True)
    _, _, found, is_whole, keeps = read(pieces, last=False)
    assert (found, is_whole) == (body, True)
    assert keeps == (not noise.strip(b"\r\n"))


ENDLESS = {
    "empty lines": (b"", b"\r\n"),
    "a header's name": (HEAD, b"x"),
    "a header's value": (HEAD + b"x-a: ", b"x"),
    "a reason": (HEAD[:-2], b"x"),
    "headers": (HEAD, b"x-a: b\r\n"),
    "long headers": (HEAD, b"x-a: " + b"b" * 9000 + b"\r\n"),
    "interim answers": (b"", HINTS),
    "a chunk's extension": (CHUNKED + b"2;", b"x"),
    "zeros of a chunk's size": (CHUNKED, b"0"),
    "a trailer": (CHUNKED + b"0\r\nx-a: ", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"x-a: b\r\n"),
}


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("start", "again"), ENDLESS.values(), ids=ENDLESS)
def test_what_does_not_end_is_refused_before_it_fills_the_memory(
    start, again, size, at_once
):
    with pytest.raises(httpx.RemoteProtocolError):
        read(cut(start + again * (300_000 // len(again)), size), at_once=at_once)


@pytest.mark.parametrize("start", [HEAD, HEAD + b"x-a: ", HEAD + b"x-a: b\r\nx-b: "])
def test_a_line_that_does_not_end_is_refused_before_its_head_is(start):
    with pytest.raises(httpx.RemoteProtocolError, match="too long"):
        read([start, *cut(b"x" * 40_000, 1000)])


def test_an_upstream_that_switches_protocols_is_told_as_that():
    with pytest.raises(httpx.RemoteProtocolError, match="switched"):
        read([REFUSED["switching protocols"]])
