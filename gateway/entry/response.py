"""A whole response of the data plane."""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.doors.protocol import Envelope, Sent
from gateway.errors import GatewayError
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON


class Response(msgspec.Struct):
    """A status, headers and a body.

    `headers` have lower-case names and values without line breaks: ours, or those that
    an HTTP parser took apart. `skips_body`: behind it, what is left of the request's
    body is taken and thrown away.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    skips_body: bool = False


def json_response(
    body: JSON | bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response that is `body` as JSON, which it may be already."""
    fields = {"content-type": "application/json", **(headers or {})}
    text = body if isinstance(body, bytes) else jsontext.encode(body)
    return Response(status, fields, text)


def error_response(error: GatewayError, door: Envelope, sent: Sent) -> Response:
    """Return the response that tells `error` in the words of those who use `door`."""
    headers = dict(error.headers)
    if error.status in {429, 503}:
        headers.setdefault("retry-after", "2")
    response = json_response(
        door.render_error(error, sent), door.status_of(error, sent), headers
    )
    response.headers = door.answer_headers(response.headers, sent)
    return response


def labelled(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of an answer, and what all answers say.

    A browser that opens one takes it for what it is labelled as: for no page.
    """
    return {"x-content-type-options": "nosniff", **headers}


def start_message(status: int, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the message with which ASGI has an answer begin."""
    told = labelled(headers)
    # No name or value holds a line feed, so all are encoded at once.
    names = "\n".join(told).lower().encode("latin-1").split(b"\n")
    values = "\n".join(told.values()).encode("latin-1").split(b"\n")
    pairs = [*zip(names, values, strict=True)]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def body_message(part: bytes, more: bool) -> dict[str, Any]:
    """Return the message that carries a part of an answer's body."""
    return {"type": "http.response.body", "body": part, "more_body": more}
