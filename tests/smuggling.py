"""Requests that one server may end elsewhere than the next: each kind once or more.

What stands behind a request that is refused must not be taken for a second one. RFC
9112, sections 2.2, 3, 5, 6 and 7.1; https://portswigger.net/web-security/request-smuggling
"""

from collections.abc import Iterable

PATH = b"/v1/models"
HOST = b"Host: 127.0.0.1"
CHUNKED = b"Transfer-Encoding: chunked"
BODY = b"5\r\nhello\r\n0\r\n\r\n"
SECOND = b"GET /second HTTP/1.1\r\n" + HOST + b"\r\n\r\n"

# A server's limits, as runagents/serving/server.py has them.
LONGEST_LINE = 8190
MOST_FIELDS = 100


def head(*fields: bytes, line: bytes = b"POST " + PATH + b" HTTP/1.1") -> bytes:
    """Return a head with these fields, and a Host before them."""
    return b"\r\n".join((line, HOST, *fields)) + b"\r\n\r\n"


def _lengths() -> Iterable[tuple[str, bytes]]:
    wrong = [
        b"",
        b" ",
        b"+5",
        b"-5",
        b"-0",
        b"5 5",
        b"5, 5",
        b"5,6",
        b"5;",
        b"5_0",
        b"0x5",
        b"5.0",
        b"5e0",
        b"five",
        b"\xb2",
        b'"5"',
        b"5\x0b",
        b"5\x00",
    ]
    for value in wrong:
        yield f"length {value!r}", head(b"Content-Length: " + value) + b"hello"
    for other in (b"5", b"6", b"0", b"05"):
        fields = (b"Content-Length: 5", b"content-length: " + other)
        yield f"two lengths, 5 and {other!r}", head(*fields) + b"hello"
    yield "a length and chunks", head(b"Content-Length: 4", CHUNKED) + b"0\r\n\r\n"
    yield "chunks and a length", head(CHUNKED, b"Content-Length: 4") + b"0\r\n\r\n"
    yield "a length of 0 and chunks", head(b"Content-Length: 0", CHUNKED) + BODY


def _codings() -> Iterable[tuple[str, bytes]]:
    wrong = [
        b"xchunked",
        b"chunkedx",
        b"chunk",
        b"chunked, identity",
        b"chunked, gzip",
        b"chunked, chunked",
        b"chunked,",
        b"chunked;q=1",
        b'"chunked"',
        b"chunked chunked",
        b"chunked\x00",
        b"\x0bchunked",
        b"chunked\x0c",
        b"\x85chunked",
        b"\xa0chunked",
        b"identity",
        b"gzip",
        b"cow",
        b"",
    ]
    for value in wrong:
        yield f"coding {value!r}", head(b"Transfer-Encoding: " + value) + BODY
    pairs = [
        (b"chunked", b"chunked"),
        (b"chunked", b"identity"),
        (b"chunked", b"gzip"),
        (b"identity", b"identity"),
        (b"cow", b"chunked"),
        (b"chunked", b"cow"),
    ]
    for one, other in pairs:
        fields = (b"Transfer-Encoding: " + one, b"transfer-encoding: " + other)
        yield f"codings {one!r} and {other!r}", head(*fields) + BODY
    old = head(CHUNKED, line=b"POST " + PATH + b" HTTP/1.0")
    yield "chunks in HTTP/1.0", old + BODY


def _fields() -> Iterable[tuple[str, bytes]]:
    lines = [
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b"Content-Length : 5",
        b" Content-Length: 5",
        b"\tTransfer-Encoding: chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"X-Odd: one\r\n two",
        b"X-Odd: one\r\n\ttwo",
        b"X-Odd: one\rTransfer-Encoding: chunked",
        b"X-Odd: one\nTransfer-Encoding: chunked",
        b"X-Odd: one\n\r\nGET /second HTTP/1.1",
        b"X-Odd: one\x00two",
        b"X-Odd: one\x07two",
        b"X-Odd: one\x7ftwo",
        b"X-Odd: \x0bone",
        b"X\x00Odd: one",
        b"X Odd: one",
        b"X-\xdfdd: one",
        b"Transfer-Encoding\x00: chunked",
        b"Transfer-Encoding\xff: chunked",
        b"Transfer\x0bEncoding: chunked",
        b"Transfer-Encoding",
        b"Transfer-Encoding chunked",
        b": chunked",
        b"(X-Odd): one",
        b"X-Odd@: one",
        b'"X-Odd": one',
        b"Host: other.example",
        b"Content-Type: text/plain\r\nContent-Type: application/json",
        b"\rX-Odd: one",
    ]
    for line in lines:
        yield f"field {line!r}", head(line, b"Content-Length: 5") + b"hello"
    yield "bare LF", head().replace(b"\r\n", b"\n")
    yield "bare CR", head().replace(b"\r\n", b"\r")
    yield "LF behind the first line", head().replace(b"\r\n", b"\n", 1)
    yield "LF behind the last field", head()[:-4] + b"\n\r\n"
    yield "LF for the empty line", head()[:-2] + b"\n"
    yield "CR CR LF behind a field", head()[:-4] + b"\r\r\n\r\n"
    yield "a field that is too long", head(b"X: " + b"y" * LONGEST_LINE)
    flood = [b"X-%d: y" % number for number in range(MOST_FIELDS)]
    yield "one field too many", head(*flood)
    yield "a flood of fields", head(*(flood * 100))
    yield "a flood of long fields", head(*[b"X: " + b"y" * 8000] * 200)


def _lines() -> Iterable[tuple[str, bytes]]:
    lines = [
        b"GET  " + PATH + b" HTTP/1.1",
        b"GET " + PATH + b"  HTTP/1.1",
        b"GET\t" + PATH + b" HTTP/1.1",
        b"GET " + PATH + b"\tHTTP/1.1",
        b"GET\x0b" + PATH + b" HTTP/1.1",
        b" GET " + PATH + b" HTTP/1.1",
        b"GET " + PATH + b" HTTP/1.1 ",
        b"GET " + PATH + b" HTTP/1.1\t",
        b"GET " + PATH + b" x HTTP/1.1",
        b"GET " + PATH + b"\rx HTTP/1.1",
        b"GET " + PATH + b"\x00 HTTP/1.1",
        b"GET " + PATH + b"\x7f HTTP/1.1",
        b"GET " + PATH + b"\xc3\xa9 HTTP/1.1",
        b"GET " + PATH,
        b"GET HTTP/1.1",
        b"GET",
        b"",
        b"GET\x00 " + PATH + b" HTTP/1.1",
        b"GET: " + PATH + b" HTTP/1.1",
        b"G(T " + PATH + b" HTTP/1.1",
        b"GET\xdf " + PATH + b" HTTP/1.1",
        b"get " + PATH + b" HTTP/1.1",
        b"GE " + PATH + b" HTTP/1.1",
        b"#ET " + PATH + b" HTTP/1.1",
        b"GETGETGETGETGETGETGETGET " + PATH + b" HTTP/1.1",
        b"GET 127.0.0.1:8000 HTTP/1.1",
        b"GET example.com HTTP/1.1",
        b"GET v1/models HTTP/1.1",
        b"GET * HTTP/1.1",
        b"POST * HTTP/1.1",
        b"GET ?x=1 HTTP/1.1",
        b"GET " + PATH + b" HTTP/0.9",
        b"GET " + PATH + b" HTTP/1.2",
        b"GET " + PATH + b" HTTP/2.0",
        b"GET " + PATH + b" HTTP/2",
        b"GET " + PATH + b" HTTP/11",
        b"GET " + PATH + b" HTTP/1.1.1",
        b"GET " + PATH + b" HTTP/01.1",
        b"GET " + PATH + b" HTTP/1.10",
        b"GET " + PATH + b" HTTP/1,1",
        b"GET " + PATH + b" HTTP/1 .1",
        b"GET " + PATH + b" HTTP/+1.1",
        b"GET " + PATH + b" http/1.1",
        b"GET " + PATH + b" FTP/1.1",
        b"GET " + PATH + b" HTTP/" + b"1" * 90 + b".1",
        b"PRI * HTTP/2.0",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2",
        b"PROXY UNKNOWN",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"a" * LONGEST_LINE + b" HTTP/1.1",
    ]
    for line in lines:
        yield f"line {line[:60]!r}", head(line=line)
    yield "two empty lines first", b"\r\n\r\n" + head()
    yield "an empty line of LF first", b"\n" + head()
    yield "a CR first", b"\r" + head()
    yield "a NUL first", b"\x00" + head()


def _chunks() -> Iterable[tuple[str, bytes]]:
    sizes = [
        b"0x5",
        b"-5",
        b"+5",
        b" 5",
        b"5 ",
        b"\t5",
        b"5\t",
        b"5\x0b",
        b"5_0",
        b"5,",
        b"5\x00",
        b"5\r",
        b"",
        b"g",
        b"five",
        b"\xb2",
        b";x=1",
        b" ;x=1",
        b"5;x=1\ry",
        b"5;x=\x00",
        b"5\n;x=1",
        b"5;\n",
        b'5;x="',
        b"5;=1",
    ]
    for size in sizes:
        chunks = size + b"\r\nhello\r\n0\r\n\r\n"
        yield f"chunk size {size[:30]!r}", head(CHUNKED) + chunks
    broken = [
        b"5\r\nhelloX\n0\r\n\r\n",
        b"5\r\nhello\n0\r\n\r\n",
        b"5\r\nhello\r0\r\n\r\n",
        b"5\r\nhello0\r\n\r\n",
        b"4\r\nhello\r\n0\r\n\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhello\r\n0\n\r\n",
        b"5\r\nhello\r\n00 \r\n\r\n",
        b"5\r\nhello\r\n-0\r\n\r\n",
    ]
    for chunks in broken:
        yield f"chunks {chunks!r}", head(CHUNKED) + chunks
    for name in (b"Content-Length", b"Transfer-Encoding", b"host", b"Authorization"):
        trailer = b"0\r\n" + name + b": 5\r\n\r\n"
        yield f"trailer {name!r}", head(CHUNKED) + trailer
    flood = b"".join(b"X-%d: y\r\n" % number for number in range(MOST_FIELDS + 1))
    yield "a flood of trailers", head(CHUNKED) + b"0\r\n" + flood + b"\r\n"
    yield "a trailer with LF", head(CHUNKED) + b"0\r\nX: y\n\r\n"


REFUSED: dict[str, bytes] = {
    **dict(_lengths()),
    **dict(_codings()),
    **dict(_fields()),
    **dict(_lines()),
    **dict(_chunks()),
}
"""By kind. Nothing of them may reach an application as a whole request."""

READ: dict[str, bytes] = {
    "no field": b"GET " + PATH + b" HTTP/1.1\r\n\r\n",
    "an empty line first": b"\r\n" + head(),
    "a length": head(b"Content-Length: 5") + b"hello",
    "a length of 0": head(b"Content-Length: 0"),
    "a length with zeros": head(b"Content-Length: 0005") + b"hello",
    "a length with tabs": head(b"Content-Length:\t5\t ") + b"hello",
    "a length with GET": head(b"Content-Length: 5", line=b"GET " + PATH + b" HTTP/1.1")
    + b"hello",
    "chunks": head(CHUNKED) + BODY,
    "chunks in capitals": head(b"TRANSFER-ENCODING: CHUNKED") + BODY,
    "chunks behind a tab": head(b"Transfer-Encoding:\tchunked\t") + BODY,
    "chunks behind identity": head(b"Transfer-Encoding: identity, chunked") + BODY,
    "chunks of gzip": head(b"Transfer-Encoding: gzip, chunked") + BODY,
    "chunk sizes with zeros": head(CHUNKED) + b"0005\r\nhello\r\n000\r\n\r\n",
    "chunk sizes in capitals": head(CHUNKED) + b"A\r\n0123456789\r\n0\r\n\r\n",
    "chunks with extensions": head(CHUNKED)
    + b'5;a=b;c="d;e"\r\nhello\r\n0;last\r\n\r\n',
    "a space before an extension": head(CHUNKED) + b"5 ;a=b\r\nhello\r\n0\r\n\r\n",
    "a trailer": head(CHUNKED) + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
    "HTTP/1.0": head(b"Content-Length: 5", line=b"POST " + PATH + b" HTTP/1.0")
    + b"hello",
    "an absolute target": head(line=b"GET http://127.0.0.1" + PATH + b" HTTP/1.1"),
    "an absolute target of others": head(line=b"GET https://u:p@[::1]/x HTTP/1.1"),
    "an authority": head(line=b"CONNECT example.com:443 HTTP/1.1"),
    "an asterisk": head(line=b"OPTIONS * HTTP/1.1"),
    "two slashes": head(line=b"GET //second HTTP/1.1"),
    "a fragment": head(line=b"GET /a#b?c HTTP/1.1"),
    "odd names": head(b"!#$%&'*+-.^_`|~09aZ: one"),
    "underscores": head(b"Transfer_Encoding: tricked", b"Content_Length: 5"),
    "bytes above ASCII": head(b"X-Odd: \xe9\xff"),
    "white space in values": head(b"X-Odd:\t one \t two\t ", b"X-Empty:", b"X-E: \t"),
    "an expectation": head(b"Content-Length: 5", b"Expect: 100-continue") + b"hello",
    "an end": head(b"Connection: close"),
    "as many fields as may be": head(
        *(b"X-%d: y" % number for number in range(MOST_FIELDS - 1))
    ),
    "the longest field": head(b"X: " + b"y" * (LONGEST_LINE - 5)),
    "the longest line": head(line=b"GET /" + b"a" * (LONGEST_LINE - 14) + b" HTTP/1.1"),
    "a method of the longest name": head(line=b"ABCDEFGHIJKLMNOPQRST /x HTTP/1.1"),
}
"""Unusual, and of one meaning."""

BY_LENGTH: dict[str, bytes] = {
    "a large chunk size": head(CHUNKED) + b"f" * 20 + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk size without end": head(CHUNKED) + b"f" * 9000 + b"\r\nhello\r\n",
    "a long extension": head(CHUNKED)
    + b"5;x="
    + b"y" * 9000
    + b"\r\nhello\r\n0\r\n\r\n",
    "a long trailer": head(CHUNKED) + b"0\r\nX: " + b"y" * 9000 + b"\r\n\r\n",
}
"""Refused where their end does not come along with them."""
