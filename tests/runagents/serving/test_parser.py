"""Requests are read as gunicorn's own reader reads them, and refused as it refuses."""

import itertools
from typing import Any

import pytest
from gunicorn.asgi.parser import ParseError, PythonProtocol
from hypothesis import example, given
from hypothesis import strategies as st

from runagents.serving import server
from runagents.serving.plain import parser
from runagents.serving.plain.parser import Parser
from tests import smuggling
from tests.smuggling import BY_LENGTH, READ, REFUSED, SECOND, head

LIMITS = {
    "limit_request_line": server.limit_request_line,
    "limit_request_fields": server.limit_request_fields,
    "limit_request_field_size": server.limit_request_field_size,
}
Reading = tuple[list[dict[str, Any]], str]


class Reader:
    """A connection's end of a reader: takes requests one after the other."""

    def __init__(self, kind: type) -> None:
        self.requests: list[dict[str, Any]] = []
        self.is_framed = True
        self.error = ""
        self._parser = kind(
            on_headers_complete=self._begin,
            on_body=self._extend,
            on_message_complete=self._end,
            **LIMITS,
        )
        self._at_first = self._state()

    def feed(self, data: bytes) -> None:
        """Read what came, and requests behind a request as gunicorn does."""
        try:
            while data and not self.error:
                if not self._takes_whole(data):
                    self._parser.feed(data)
                data = b""
                if self._parser.is_complete:
                    data = self._go_on()
                    assert self._state() == self._at_first
        except ParseError as error:
            self.error = f"{type(error).__name__}: {error}"

    def _go_on(self) -> bytes:
        """Expect the next request, as a connection of each does."""
        if isinstance(self._parser, Parser):
            return self._parser.go_on()
        came: bytes = self._parser.remaining()
        self._parser.reset()
        return came

    def _takes_whole(self, data: bytes) -> bool:
        """Take a request that is all here, as a connection of ours does."""
        whole = getattr(self._parser, "body_of_same", lambda data: None)
        if (body := whole(data)) is None:
            return False
        said = self._parser.head
        self.requests.append(
            {
                "method": said.method,
                "target": said.target,
                "version": (1, 1),
                "fields": said.fields,
                "length": said.length,
                "chunked": False,
                "stays": True,
                "body": body,
            }
        )
        self.is_framed = True
        return True

    def _state(self) -> dict[str, Any]:
        """Return what gunicorn's reader knows of a request."""
        names = PythonProtocol.__slots__
        return {name: str(getattr(self._parser, name)) for name in names}

    def _begin(self) -> bool:
        parser = self._parser
        self.is_framed = False
        self.requests.append(
            {
                "method": parser.method,
                "target": parser.path,
                "version": parser.http_version,
                "fields": list(parser.headers),
                "length": parser.content_length,
                "chunked": parser.is_chunked,
                "stays": parser.should_keep_alive,
                "body": b"",
            }
        )
        return False

    def _extend(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        assert data
        self.requests[-1]["body"] += data

    def _end(self) -> None:
        self.is_framed = True


def read(kind: type, data: bytes, cuts: list[int]) -> tuple[Any, ...]:
    """Return the requests in `data`, cut there, and how it ends."""
    reader = Reader(kind)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        reader.feed(data[start:end])
    return reader.requests, reader.is_framed, reader.error


def cuts_of(data: bytes) -> list[list[int]]:
    """Return ways to cut it: not at all, in two, by pieces, by bytes."""
    size = len(data)
    ways = [[], [size // 2], list(range(0, size, 7)), list(range(0, size, 1000))]
    if size < 1000:
        ways += [list(range(size)), *([place] for place in range(1, size))]
    return ways


@pytest.mark.proves("1.5")
@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_is_ambiguous_is_no_request_and_hides_none(data):
    for cuts in cuts_of(data):
        requests, is_framed, error = read(Parser, data + SECOND, cuts)
        assert error
        assert not requests or not is_framed
        assert len(requests) <= 1


@pytest.mark.proves("1.5")
@pytest.mark.parametrize(
    "data", [*REFUSED.values(), *BY_LENGTH.values()], ids=[*REFUSED, *BY_LENGTH]
)
def test_what_gunicorn_refuses_is_refused_in_its_words(data):
    for cuts in cuts_of(data):
        expected = read(PythonProtocol, data + SECOND, cuts)
        assert read(Parser, data + SECOND, cuts) == expected


@pytest.mark.parametrize("data", READ.values(), ids=READ)
def test_what_is_unusual_is_read_as_gunicorn_reads_it(data):
    for cuts in cuts_of(data):
        found = read(Parser, data + SECOND, cuts)
        assert found == read(PythonProtocol, data + SECOND, cuts)
        assert [each["target"] for each in found[0]][1:] == [b"/second"]
        assert found[1:] == (True, "")


NAMES = st.from_regex(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}", fullmatch=True)
VALUES = st.from_regex(rb"[\t -~\x80-\xff]{0,30}", fullmatch=True)
FIELDS = st.lists(st.builds(lambda n, v: n + b":" + v, NAMES, VALUES), max_size=8)
CUTS = st.lists(st.integers(0, 2000), max_size=6)
FRAMING = (b"content-length", b"transfer-encoding", b"host", b"content-type", b"expect")


@st.composite
def requests(draw: Any) -> bytes:
    """A request that there is one way to read."""
    fields = [
        each for each in draw(FIELDS) if each.partition(b":")[0].lower() not in FRAMING
    ]
    body = draw(st.binary(max_size=60))
    if draw(st.booleans()):
        length = b"Content-Length: %d" % len(body)
        fields.insert(draw(st.integers(0, len(fields))), length)
        return head(*fields) + body
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    return head(*fields, smuggling.CHUNKED) + chunks + b"0\r\n\r\n"


@given(st.lists(requests(), min_size=1, max_size=3), CUTS)
def test_a_request_is_the_same_however_it_is_cut(sent, cuts):
    data = b"".join(sent)
    whole = read(Parser, data, [])
    assert len(whole[0]) == len(sent)
    assert whole[1:] == (True, "")
    assert read(Parser, data, cuts) == whole
    assert read(PythonProtocol, data, []) == whole


NOISE = [b"\r", b"\n", b"\r\n", b"\x00", b" ", b"\t", b":", b"\r\n\r\n", b"0", b"\x7f"]
NOISE += [b"Content-Length: 3\r\n", smuggling.CHUNKED + b"\r\n", b";", b"\xff", b"a"]


@given(
    requests(),
    st.integers(0, 400),
    st.integers(0, 3),
    st.sampled_from(NOISE),
    CUTS,
)
@example(head(b"Content-Length: 5") + b"hello", 22, 0, b"\n", [])
def test_a_request_with_a_flaw_is_read_as_gunicorn_reads_it(
    data, place, gone, noise, cuts
):
    place %= len(data)
    flawed = data[:place] + noise + data[place + gone :] + SECOND
    assert read(Parser, flawed, cuts) == read(PythonProtocol, flawed, cuts)
    assert read(Parser, flawed, []) == read(PythonProtocol, flawed, [])


def test_a_plain_request_does_not_go_through_gunicorns_reader(monkeypatch):
    monkeypatch.setattr(PythonProtocol, "feed", None)
    data = head(b"Content-Length: 5") + b"hello"
    (request,), is_framed, error = read(Parser, data, [-5, -3])
    assert (request["body"], is_framed, error) == (b"hello", True, "")


LENGTHS = [b"5", b"05", b"0", b"123456789012345678", b"1234567890123456789", b"5 "]
LENGTHS += [
    b"",
    b"+5",
    b"-5",
    b"5,5",
    b"5\r",
    b"5\r\nContent-Length: 6",
    b"\xb2",
    b"5_0",
]
LENGTHS += [b"5\r\n\r\n", b"0x5", b"5\n", b"5\r\nTransfer-Encoding: chunked"]


@pytest.mark.proves("1.5")
@pytest.mark.parametrize("fields", [[], [b"Accept: */*"]])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_head_that_comes_again_is_read_as_if_it_were_new(fields, length):
    first = head(b"Content-Length: 5", *fields) + b"hello"
    again = head(b"Content-Length: " + length, *fields) + b"hello"
    for data in (first + again + SECOND, first + first + again + first):
        for cuts in ([], [len(first)], [len(first), len(first) * 2], [len(first) + 20]):
            assert read(Parser, data, cuts) == read(PythonProtocol, data, cuts)


def test_an_empty_line_may_stand_before_each_request():
    parts = [head(b"Content-Length: 5") + b"hello", b"\r\n"] * 4
    ends = list(itertools.accumulate(map(len, parts)))
    data = b"".join(parts)
    assert len(read(Parser, data, ends)[0]) == 4
    assert read(Parser, data, ends) == read(PythonProtocol, data, ends)


def test_a_head_that_comes_again_is_not_read_anew(monkeypatch):
    data = head(b"Content-Length: 5", b"Accept: */*") + b"hello"
    longer = head(b"Content-Length: 12", b"Accept: */*") + b"hello, hello"
    reader = Reader(Parser)
    reader.feed(data)
    monkeypatch.setattr(parser, "_PLAIN", None)
    reader.feed(longer)
    reader.feed(data)
    assert [each["body"] for each in reader.requests] == [
        b"hello",
        b"hello, hello",
        b"hello",
    ]
    assert [each["length"] for each in reader.requests] == [5, 12, 5]
    assert reader.requests[1]["fields"][-2:] == [
        (b"content-length", b"12"),
        (b"accept", b"*/*"),
    ]


def test_a_head_beyond_the_limit_is_not_known_again():
    field = b"a" * (LIMITS["limit_request_field_size"] - 100)
    first = head(b"Content-Length: 0", b"X: " + field)
    room = LIMITS["limit_request_field_size"] - len(first)
    at_limit = head(b"Content-Length: 0", b"X: " + field + b"a" * room)
    beyond = at_limit.replace(b"Length: 0", b"Length: 00")
    data = at_limit + beyond + SECOND
    cuts = [len(at_limit)]
    assert read(Parser, data, cuts) == read(PythonProtocol, data, cuts)
