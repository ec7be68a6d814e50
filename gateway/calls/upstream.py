"""The only place that sends an agent's request to a provider."""

from collections.abc import AsyncIterator, Mapping
from functools import lru_cache
from typing import Any, Protocol

import httpx

from gateway.calls import failures, kept_bodies
from gateway.calls.call import Call
from gateway.calls.redaction import redact, redacted
from gateway.errors import GatewayError
from gateway.hub.protocol import Payload, Reply, UpstreamRequest
from gateway.wire import jsontext
from gateway.wire.mending import decode_mended
from gateway.worker.call_settings import call_settings
from gateway.worker.gates import gates
from gateway.worker.snapshot import Provider, Target
from providers import auth, endpoints, transport

ERROR_BODY_LIMIT = 64 * 1024
OUTLINES_KEPT = 1024
BACKSLASH = ord("\\")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

ANSWERED = frozenset({200, 201})
"""Statuses of answers; frameworks answer a POST with 201 unless told otherwise."""


class Reading(Protocol):
    """What understands an upstream's refusals and headers, for one kind of client."""

    def parse_error(
        self, status: int, headers: Mapping[str, str], payload: bytes, reply: Reply
    ) -> GatewayError:
        """Return the upstream's refusal in the caller's terms; never raises."""
        ...

    def answer_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return those of the upstream's headers that the client may see."""
        ...


async def send(
    target: Target, rendered: UpstreamRequest, call: Call, reading: Reading
) -> httpx.Response:
    """Send `rendered` and return the response, its status known to be a success.

    The body is not read yet; whoever gets the response closes it. Raises GatewayError
    for every failure, the upstream's own refusals included.
    """
    provider = target.provider
    provider.repeats.called()
    call.entry.began()
    call.entry.fields.pop("upstream_status", None)  # of an earlier attempt
    try:
        request = request_of(provider, rendered, call.via, call.headers)
        response = await auth.send(request, provider.auth)
    except failures.UNSENT as failure:
        error = failures.unsent(provider, failure)
        failures.observe(target, error)
        raise error from None
    if response.extensions:
        _note_sending(call, response.extensions)
    if response.status_code in ANSWERED:
        return response
    try:
        refusal = await _refusal(target, response, call, rendered.reply, reading)
    finally:
        await response.aclose()
    if gates.failing and response.status_code < 500:
        gates.answered(provider, target.upstream_id)
    if not (call.asked_again and refusal.code in failures.BUSY):
        # One busy moment counts once, however often it is met.
        failures.observe(target, refusal, response.status_code)
    call.entry.fields["upstream_status"] = response.status_code
    raise refusal


def _note_sending(call: Call, told: Mapping[str, Any]) -> None:
    """Tell the ledger's entry what was unusual about how a request was sent."""
    if "sent_again" in told:
        call.entry.fields["sent_again"] = True
    if "key" in told:
        call.entry.fields.setdefault("details", {})["key"] = told["key"]


def payload_of(provider: Provider, raw: bytes) -> Payload | bytes:
    """Return what a whole answer is, its bytes where it is no object.

    Raises GatewayError.
    """
    try:
        try:
            payload, text = jsontext.decode(raw), raw
        except jsontext.JSONError:  # It may not be JSON to the letter.
            payload = decode_mended(raw)
            text = jsontext.encode(payload)
        if may_hide(raw):
            shown = jsontext.encode(payload)
            if (safe := redact(provider, shown)) != shown:
                payload, text = jsontext.decode(safe), safe
    except jsontext.JSONError:
        return raw
    if not isinstance(payload, dict):
        raise failures.invalid_response(provider)
    return Payload(payload, text)


def may_hide(raw: bytes) -> bool:
    """Tell whether an escaped character may hide a credential in JSON."""
    # One byte is found sooner than several.
    return BACKSLASH in raw and b"\\u00" in raw


def headers_of(provider: Provider, response: httpx.Response) -> dict[str, str]:
    """Return the headers by lower-case name, without the provider's credentials."""
    pairs = transport.raw_headers(response)
    if not pairs:
        return {}
    names, values = zip(*pairs, strict=True)
    # No value holds a line feed, so all are looked through and decoded at once.
    joined = redact(provider, b"\n".join(values)).decode("latin-1")
    return dict(zip(_lower_names(names), joined.split("\n"), strict=True))


@lru_cache(maxsize=64)
def _lower_names(names: tuple[bytes, ...]) -> tuple[str, ...]:
    """Return the names of an answer's headers: a server's answers have the same."""
    return tuple(name.lower().decode("latin-1") for name in names)


def body_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the raw body as it arrives, past httpx's decoders: nothing is encoded."""
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the response's body is not asynchronous")
    return stream.__aiter__()


async def close(response: httpx.Response) -> None:
    """Let go of a response whose body is read by `body_of`, past httpx as that is."""
    stream = response.stream
    if isinstance(stream, httpx.AsyncByteStream):
        await stream.aclose()


class TooLarge(Exception):
    """More bytes than allowed."""


async def read(response: httpx.Response, limit: int) -> bytes:
    """Return the whole body, a byte order mark left out; the response is closed then.

    Raises TooLarge, and what the connection raises.
    """
    whole = await _arriving(response, limit)
    if len(whole) > limit:
        raise TooLarge
    return whole.removeprefix(BYTE_ORDER_MARK)


async def _arriving(response: httpx.Response, limit: int) -> bytes:
    """Return a body once it is all here, or as soon as it is too much."""
    whole = transport.whole_body(response)
    if whole is not None:
        return whole
    parts: list[bytes] = []
    size = 0
    try:
        async for part in body_of(response):
            parts.append(part)
            size += len(part)
            if size > limit:
                break
    finally:
        await close(response)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def request_of(
    provider: Provider, rendered: UpstreamRequest, via: str, own: Mapping[str, str]
) -> httpx.Request:
    """Return the request as it goes out, except for its credentials.

    `own` are headers of this one alone. Raises `transport.Unusable` for an address or a
    header that cannot be sent.
    """
    stream = rendered.reply.stream
    key = (rendered.path, stream, *rendered.headers.items())
    outline = provider.outlines.get(key)
    if outline is None:
        if len(provider.outlines) >= OUTLINES_KEPT:
            provider.outlines.clear()
        outline = provider.outlines[key] = _outline(provider, rendered, via)
    method, body = rendered.method, b""
    if method == "POST":
        body = rendered.raw or jsontext.encode(rendered.body)
    extensions = provider.streaming if stream else provider.extensions
    return transport.Outgoing(outline, method, body, extensions, own)


def _outline(
    provider: Provider, rendered: UpstreamRequest, via: str
) -> transport.Outline:
    """Return what does not change from one request to the next."""
    own, given = provider.extra_headers, rendered.headers
    stream = rendered.reply.stream
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": "runagents-model-providers",
        "via": via,
        **own,
        **given,
    }
    for name in rendered.listed_headers & own.keys() & given.keys():
        headers[name] = _joined(own[name], given[name])
    row = provider.row
    url = endpoints.join(row.endpoint, rendered.path, row.version_path)
    return transport.Outline(url, headers)


def whole_body(provider: Provider, response: httpx.Response) -> bytes | None:
    """Return what `raw_body` does of an answer that is all here, as nearly every one.

    None of any other. Raises GatewayError.
    """
    whole = transport.whole_body(response)
    if whole is None:
        return None
    return _shown(provider, whole)


async def raw_body(provider: Provider, response: httpx.Response) -> bytes:
    """Return a whole answer's bytes, without credentials; the response is closed then.

    Raises GatewayError.
    """
    try:
        whole = await _arriving(response, call_settings.UPSTREAM_BODY_LIMIT)
    except httpx.TransportError as error:
        raise failures.interruption(provider, error) from None
    return _shown(provider, whole)


def _shown(provider: Provider, whole: bytes) -> bytes:
    """Return an answer as it may be read; raises GatewayError for one too large."""
    limit = call_settings.UPSTREAM_BODY_LIMIT
    if len(whole) > limit:
        raise failures.oversized(provider, limit)
    return redact(provider, whole.removeprefix(BYTE_ORDER_MARK))


def _joined(*lists: str) -> str:
    """Return what several lists of a header hold, each name once."""
    names = (name.strip() for each in lists for name in each.split(","))
    return ",".join(dict.fromkeys(name for name in names if name))


async def _refusal(
    target: Target,
    response: httpx.Response,
    call: Call,
    reply: Reply,
    reading: Reading,
) -> GatewayError:
    """Return what a response with another status than 200 means to the client."""
    provider, code = target.provider, response.status_code
    if 300 <= code < 400:
        return failures.redirect(provider)
    if code < 400:
        return failures.invalid_response(provider)
    try:
        payload = await read(response, ERROR_BODY_LIMIT)
    except (TooLarge, httpx.TransportError):
        payload = b""
    payload = redact(provider, payload)
    if call.keeps_bodies:
        kept_bodies.note_refusal(call, payload)
    if certificate := transport.refusal_in(code, payload):
        return failures.unsent(provider, certificate)
    headers = headers_of(provider, response)
    error = redacted(provider, reading.parse_error(code, headers, payload, reply))
    error.message = failures.attributed(provider, error)
    error.headers = {**reading.answer_headers(headers), **error.headers}
    return error
