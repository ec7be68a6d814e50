"""A plain request is served as gunicorn's own code serves it, to the byte."""

import asyncio
import logging
import sys
from typing import Any

import pytest
from gunicorn.asgi import protocol
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st

from gateway.entry.receiving import request_of
from gateway.entry.request import AT_ONCE, FOUND, WRITE, Found
from runagents.serving import server, worker
from runagents.serving.logs import ServerLogger
from runagents.serving.plain import parser
from runagents.serving.plain.exchange import Answering, PlainRequest
from runagents.serving.plain.starts import Starts
from runagents.serving.plain.whole import head as head_of_whole
from tests.smuggling import SECOND, head

START = {"type": "http.response.start", "status": 200, "headers": []}
BODY = {"type": "http.response.body"}


class Log:
    """What of gunicorn's log is asked for; keeps nothing."""

    access_log_enabled = ServerLogger.access_log_enabled

    def _leave(self, *told: object, **how: object) -> None:
        """Leave a line out."""

    debug = error = exception = warning = info = _leave
    error_log = logging.getLogger("tests.nothing")


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.sent = b""
        self.is_closed = False

    def get_extra_info(self, name: str) -> Any:
        known = {"peername": ("10.0.0.9", 5), "sockname": ("127.0.0.1", 8000)}
        return known.get(name)

    def set_write_buffer_limits(self, high: int) -> None:
        """Hold as much as may come."""

    def write(self, data: bytes) -> None:
        self.sent += data

    def writelines(self, parts: Any) -> None:
        self.sent += b"".join(parts)

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        self.is_closed = True


def configuration() -> Config:
    """Return gunicorn's configuration, as far as it decides on a connection."""
    found = Config()
    for name in (
        "asgi_disconnect_grace_period",
        "header_map",
        "http_parser",
        "keepalive",
        "limit_request_field_size",
        "limit_request_fields",
        "limit_request_line",
    ):
        found.set(name, getattr(server, name))
    return found


class Worker:
    """What of gunicorn's worker a connection asks for."""

    alive = True
    max_requests = sys.maxsize
    nr = nr_conns = 0

    def __init__(self, application: Any) -> None:
        self.loop = asyncio.get_running_loop()
        self.cfg, self.log, self.asgi = configuration(), Log(), application
        self.connections: set[Any] = set()
        self.starts = Starts(self.loop)
        self.state = {"of": "the worker"}


def served(
    messages: list[dict[str, Any]],
    data: bytes,
    *,
    plainly: bool,
    found: list[Found | None] | None = None,
    writes: bool = False,
    whole: tuple[Any, ...] | None = None,
    in_chunks: bool = False,
    **of_worker: Any,
):
    """Return what is written for `data` where an application sends `messages`.

    It `writes` those of a body's parts that are not the last, and sends none where the
    server takes what is `whole` at once. Besides what it was told
    of each request, and whether the connection was closed. `found` gets what is kept
    with the head of each.
    """
    found = [] if found is None else found
    told: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        # Beside what gunicorn tells as well.
        extensions = scope.pop("extensions", {})
        found.append(extensions.get(FOUND))
        told.append((scope, body))
        if whole is not None:
            sent = extensions[AT_ONCE](*whole, in_chunks=in_chunks)
            assert sent in (True, False)
            if sent:
                return
        for message in messages:
            if message is BREAKS:
                raise OSError("broken")
            if writes and message.get("more_body"):
                assert extensions[WRITE](message["body"])
            else:
                await send(message)

    async def serve() -> Any:
        served_by = Worker(application)
        for name, value in of_worker.items():
            setattr(served_by, name, value)
        wire, connection = Wire(), worker.Connection(served_by)
        connection.connection_made(wire)
        connection.data_received(data)
        for _ in range(20):
            await asyncio.sleep(0)
        was_closed = wire.is_closed
        connection.connection_lost(None)
        await asyncio.gather(connection._task, return_exceptions=True)
        return wire.sent, told, was_closed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "_get_cached_date_header", lambda: b"Date: now\r\n")
        if not plainly:
            patch.setattr(parser.Parser, "_is_plain", lambda *of: False)
        return asyncio.run(serve())


BREAKS: dict[str, Any] = {}
WHOLE = [
    {**START, "headers": [(b"content-type", b"a/b"), (b"content-length", b"2")]},
    {**BODY, "body": b"{}", "more_body": False},
]


def start(status: int, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": [*headers]}


def body(data: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


LENGTH = (b"Content-Length", b"5")
ANSWERS = {
    "whole": WHOLE,
    "in chunks": [start(200), body(b"ab", more=True), body(b"", more=True), body(b"c")],
    "chunks of all sizes": [
        start(200),
        *(
            body(b"x" * size, more=True)
            for size in (1, 2, 0, 3, 16_383, 16_384, 70_000)
        ),
        body(b"yz"),
    ],
    "chunks that end with nothing": [start(200), body(b"ab", more=True), body(b"")],
    "nothing": [start(200), body(b"")],
    "nothing of no length": [start(200, (b"content-length", b"0")), body(b"")],
    "too little": [start(200, LENGTH), body(b"abc")],
    "too much": [start(200, LENGTH), body(b"abc", more=True), body(b"defgh")],
    "large": [start(200), body(b"x" * 70_000)],
    "large of a length": [
        start(200, (b"content-length", b"70000")),
        body(b"x" * 70_000),
    ],
    "204": [start(204, LENGTH), body(b"")],
    "304": [start(304, LENGTH), body(b"hello")],
    "404": [start(404, LENGTH), body(b"hello")],
    "headers of the server's": [
        start(200, (b"Server", b"own"), (b"date", b"then"), (b"connection", b"close")),
        body(b""),
    ],
    "a header twice": [
        start(200, (b"set-cookie", b"a"), (b"set-cookie", b"b")),
        body(b""),
    ],
    "a value that is a name": [start(200, (b"vary", b"content-length")), body(b"a")],
    "a value of nothing": [start(200, (b"x", b"")), body(b"a")],
    "a bytearray": [start(200), {**BODY, "body": bytearray(b"ab"), "more_body": False}],
    "a failure": [BREAKS],
    "a failure behind its head": [start(200), BREAKS],
    "a failure amid it": [start(200), body(b"a", more=True), BREAKS],
    "a failure behind it": [start(200), body(b"a"), BREAKS],
    "a body without a head": [body(b"a")],
    "two ends": [*WHOLE, body(b"a")],
    "no end": [start(200), body(b"a", more=True)],
    "a line in a value": [start(200, (b"x", b"a\r\nb: c")), body(b"")],
    "a line feed in a value": [start(200, (b"x", b"a\nb\nc")), body(b"")],
    "a line in a name": [start(200, (b"x\ny\nz", b"a")), body(b"")],
    "a colon in a name": [start(200, (b"x: y", b"a")), body(b"")],
    "no name": [start(200, (b"", b"a")), body(b"")],
    "a NUL": [start(200, (b"x", b"\0")), body(b"")],
}
REQUEST = head(b"Content-Length: 5", b"Authorization: Bearer a") + b"hello"


@pytest.mark.parametrize("messages", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_written_as_gunicorn_writes_it(messages):
    quick = served(messages, REQUEST + SECOND, plainly=True)
    assert quick == served(messages, REQUEST + SECOND, plainly=False)


@pytest.mark.parametrize("name", [name for name in ANSWERS if "chunks" in name])
def test_parts_are_written_as_they_are_sent(name):
    quick = served(ANSWERS[name], REQUEST + SECOND, plainly=True, writes=True)
    assert quick == served(ANSWERS[name], REQUEST + SECOND, plainly=True)


def test_no_part_is_taken_behind_the_end():
    messages = [*ANSWERS["in chunks"], body(b"d", more=True)]
    sent, *_ = served(messages, REQUEST, plainly=True, writes=True)
    assert sent.endswith(b"1\r\nc\r\n0\r\n\r\n")


HEADERS: dict[str, dict[str, str]] = {
    "none": {},
    "some": {"content-type": "a/b", "X-Y": "c d"},
    "a value of nothing": {"x": ""},
    "a value with marks of a form": {"x%s": "%d%%s"},
}
HEADERS_OF_NO_FORM: dict[str, dict[str, str]] = {
    "a length": {"Content-Length": "3"},
    "no connection": {"connection": "close"},
    "a server": {"server": "own", "date": "then"},
    "a tab": {"x": "a\tb"},
    "a letter beyond ASCII": {"x": "\xe9"},
    "a line in a value": {"x": "a\r\nb: c"},
    "a line in a name": {"x\ny": "a"},
    "a colon in a name": {"x: y": "a"},
    "no name": {"": "a"},
    "a NUL": {"x": "\0"},
}


def in_messages(status: int, headers: dict[str, str], data: bytes) -> list[Any]:
    """Return an answer that is whole as ASGI's messages."""
    pairs = [
        (n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()
    ]
    if "Content-Length" not in headers:
        pairs.append((b"content-length", b"%d" % len(data)))
    return [start(status, *pairs), body(data)]


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("size", [0, 5, 70_000])
@pytest.mark.parametrize("status", [200, 404, 599])
def test_a_whole_answer_is_written_at_once_as_gunicorn_writes_it(status, size, headers):
    whole = (status, headers, b"x" * size)
    quick = served([BREAKS], REQUEST + SECOND, plainly=True, whole=whole)
    assert quick == served(in_messages(*whole), REQUEST + SECOND, plainly=False)


@pytest.mark.parametrize("size", [0, 5, 70_000])
def test_a_stream_is_written_at_once_as_gunicorn_writes_it(size):
    data = b"x" * size
    whole = (200, {"X-Given": "100 %"}, data)
    messages = [start(200, (b"x-given", b"100 %"))]
    messages += [body(data, more=True)] * (size > 0) + [body(b"")]
    quick = served(
        [BREAKS], REQUEST + SECOND, plainly=True, whole=whole, in_chunks=True
    )
    assert quick == served(messages, REQUEST + SECOND, plainly=False)


@pytest.mark.parametrize("headers", HEADERS_OF_NO_FORM.values(), ids=HEADERS_OF_NO_FORM)
def test_a_whole_answer_that_is_not_plain_comes_by_messages(headers):
    whole = (200, headers, b"abc")
    messages = in_messages(*whole)
    quick = served(messages, REQUEST + SECOND, plainly=True, whole=whole)
    assert quick == served(messages, REQUEST + SECOND, plainly=False)
    assert head_of_whole(*whole[:2], 3) is None


@pytest.mark.parametrize("status", [100, 204, 304])
def test_a_whole_answer_that_has_no_body_comes_by_messages(status):
    messages = [start(204), body(b"")]
    quick = served(messages, REQUEST, plainly=True, whole=(status, {}, b"abc"))
    assert quick == served(messages, REQUEST, plainly=False)


class Full:
    """A connection whose client has not taken what it was sent."""

    _closed, _keepalive, write_paused = False, 75, True
    _response_buffer = b""
    alive, nr, max_requests = True, 0, 9
    sent = b""
    waited = False

    def __init__(self) -> None:
        self.worker = self._flow_control = self

    async def drain(self) -> None:
        self.waited = True

    def _safe_write(self, data: bytes) -> None:
        self.sent += data


def test_a_whole_answer_waits_until_its_client_takes_more():
    async def send(connection: Full) -> None:
        waits = Answering(connection).send_whole(200, {}, b"a")
        assert not isinstance(waits, bool)
        await waits

    connection = Full()
    asyncio.run(send(connection))
    assert connection.waited
    assert connection.sent.endswith(b"\r\n\r\na")


def test_a_whole_answer_to_a_client_that_is_gone_is_left_out():
    connection = Full()
    connection._closed = True
    assert Answering(connection).send_whole(200, {}, b"a") is True
    assert connection.sent == b""


def test_an_answer_that_has_begun_is_not_sent_whole():
    answering = Answering(Full())
    answering.has_begun = True
    with pytest.raises(RuntimeError):
        answering.send_whole(200, {}, b"a")


def test_a_client_that_is_full_or_gone_takes_no_part():
    class Flow:
        write_paused = False

    class Open:
        _closed, _flow_control, _is_ssl = False, Flow(), False
        _response_buffer: bytes | None = None
        sent = b""

        def _send_body(self, body: bytes, *of: object) -> None:
            self.sent += body

    connection = Open()
    answering = Answering(connection)
    answering.has_begun = True
    assert answering.write(b"a")
    Flow.write_paused = True
    assert not answering.write(b"b")
    connection._closed = True
    assert not answering.write(b"c")
    assert connection.sent == b"ab"


@pytest.mark.parametrize(
    "of_worker", [{"alive": False}, {"max_requests": 1}, {"max_requests": 2}]
)
@pytest.mark.parametrize("name", ["whole", "in chunks", "at once"])
def test_an_end_of_the_worker_is_told_as_gunicorn_tells_it(name, of_worker):
    whole = (200, {}, b"a")
    messages = ANSWERS.get(name) or in_messages(*whole)
    at_once = whole if name == "at once" else None
    both = REQUEST + SECOND
    quick = served(messages, both, plainly=True, whole=at_once, **of_worker)
    long = served(messages, both, plainly=False, **of_worker)
    assert quick == long
    assert b"Connection: close" in quick[0]


FIELDS = {
    "none": [],
    "kept": [b"Connection: Keep-Alive"],
    "closed": [b"Connection: close"],
    "an upgrade": [b"Connection: Upgrade", b"Upgrade: websocket"],
    "a field twice": [b"X-Api-Key: a", b"X-Api-Key: b"],
    "a scheme": [b"X-Forwarded-Proto: https"],
    "a name with an underscore": [b"X_Forwarded_For: 1.2.3.4"],
    "a leave asked for": [b"Expect: 100-continue"],
}


@pytest.mark.parametrize("fields", FIELDS.values(), ids=FIELDS)
@pytest.mark.parametrize("target", [b"/", b"/a%2Fb%FF?c=%20&d", b"/v1//x?"])
@pytest.mark.parametrize("method", [b"POST", b"GET", b"HEAD", b"CONNECT"])
def test_a_request_is_told_as_gunicorn_tells_it(method, target, fields):
    data = head(b"Content-Length: 5", *fields) + b"hello"
    data = b"%b %b %b" % (method, target, data.split(b" ", 2)[2])
    quick = served(WHOLE, data + SECOND, plainly=True)
    assert quick == served(WHOLE, data + SECOND, plainly=False)


class Gateway:
    """An application that keeps what it is asked, by ASGI or, what it owns, past it."""

    def __init__(self, owned: bool) -> None:
        self.asked: list[Any] = []
        self._owned = owned

    def owns(self, path: str, method: str) -> bool:
        return self._owned

    async def answer(self, request: Any, receive: Any, send: Any) -> None:
        assert request.task is asyncio.current_task()
        told = (request.path, request.method, request.address, request.query)
        found = request.found is not None
        # The next request along the same head has them, too.
        headers = {**request.header_lists}
        self.asked.append((*told, headers, request.take_whole(), found))
        assert request.write is not None
        assert request.send_whole(200, {}, b"{}") is True

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert not self._owned
        await self.answer(request_of(scope), receive, send)


async def fed(application: Any, data: bytes) -> bytes:
    """Return what a connection writes whose application is asked for `data`."""
    connection, wire = worker.Connection(Worker(application)), Wire()
    connection.connection_made(wire)
    connection.data_received(data)
    for _ in range(20):
        await asyncio.sleep(0)
    connection.connection_lost(None)
    await asyncio.gather(connection._task, return_exceptions=True)
    return wire.sent


@pytest.mark.parametrize("target", [b"/", b"/a%2Fb%FF?c=%20&d", b"/v1//x?"])
def test_what_is_asked_past_asgi_is_what_that_would_tell(target, monkeypatch):
    monkeypatch.setattr(protocol, "_get_cached_date_header", lambda: b"Date: now\r\n")
    data = REQUEST + REQUEST.replace(b"Length: 5", b"Length: 10") + b"hello" + SECOND
    data = data.replace(data.split(b" ", 2)[1], target)
    past, by = Gateway(True), Gateway(False)
    assert asyncio.run(fed(past, data)) == asyncio.run(fed(by, data))
    assert past.asked == by.asked
    assert len(past.asked) == 3


def test_a_request_behind_a_plain_one_is_judged_by_itself():
    data = REQUEST + head(b"Expect: 100-continue", b"Content-Length: 5")
    assert served(WHOLE, data, plainly=True) == served(WHOLE, data, plainly=False)


def test_what_is_found_out_of_a_head_is_kept_until_another_one_comes():
    longer = REQUEST.replace(b"Length: 5", b"Length: 10") + b"hello"
    other = REQUEST.replace(b"Bearer a", b"Bearer b")
    found: list[Found | None] = []
    served(WHOLE, REQUEST + longer + other + REQUEST, plainly=True, found=found)
    first, second, third, fourth = found
    assert first is not None
    assert first is second
    assert len({id(first), id(third), id(fourth)}) == 3


NAMES = st.sampled_from([b"a", b"X-Y", b"server", b"x\n", b"", b"b c", b"date"])
VALUES = st.sampled_from([b"", b"0", b"3", b"a b", b"\xff", b"a\n", b"content-length"])
LENGTHS = st.lists(
    st.sampled_from([(b"Content-Length", b"3"), (b"content-length", b"0")])
)
PARTS = st.lists(st.binary(max_size=4), max_size=3)


@given(
    st.sampled_from([200, 201, 204, 304, 500]),
    st.lists(st.tuples(NAMES, VALUES), max_size=3, unique_by=lambda pair: pair[0]),
    LENGTHS.filter(lambda found: len(found) < 2),
    PARTS,
)
def test_any_answer_is_written_as_gunicorn_writes_it(status, headers, lengths, parts):
    headers = [*headers, *lengths]
    messages = [start(status, *headers), *(body(part, more=True) for part in parts)]
    messages.append(body(b""))
    quick = served(messages, REQUEST + SECOND, plainly=True)
    assert quick == served(messages, REQUEST + SECOND, plainly=False)


@pytest.mark.parametrize(
    "messages",
    [[], [start(200), start(200), body(b"a")], [{"type": "http.response.push"}]],
    ids=["no answer", "two heads", "a message of another kind"],
)
def test_a_connection_ends_with_what_is_no_answer(messages):
    sent, told, was_closed = served(messages, REQUEST + SECOND, plainly=True)
    assert was_closed
    assert len(told) == 1
    assert sent.count(b"HTTP/1.1") <= 1


def test_a_plain_request_is_not_gunicorns(monkeypatch):
    made = []
    monkeypatch.setattr(PlainRequest, "scope", lambda *of: made.append(of))
    served(WHOLE, REQUEST, plainly=True)
    assert made
