"""The only place that sends a chat request to a provider."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import httpx

from gateway.errors import GatewayError, upstream_error
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.protocol import UpstreamRequest
from gateway.ledger.spool import Entry
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON
from gateway.worker.call_settings import call_settings
from gateway.worker.registry import Provider, Target
from providers import auth, endpoints, status
from providers.transport import DestinationBlocked

ERROR_BODY_LIMIT = 64 * 1024
MAX_ATTEMPTS = 2
HEADS_KEPT = 1024
REDACTED = b"[redacted]"
SHORTEST_SECRET = 8

# Headers in which the administrator's values and the translator's stand side by side.
_LISTS = {"anthropic-beta"}

# Refusals after which another provider may be asked: nothing was sent, or the upstream
# said that it did not take the work. Never after a timeout: it may be billed.
RETRYABLE = frozenset(
    {
        "upstream_unreachable",
        "destination_blocked",
        "provider_unavailable",
        "rate_limit_exceeded",
        "overloaded",
        "model_not_ready",
    }
)


@dataclass
class Call:
    """One client request on its way upstream.

    `held` are the places it takes in the worker; without the list it takes none.
    `is_billed` tells that a part of the answer has come: nobody else is asked then.
    """

    request_id: str
    entry: Entry
    headers: Mapping[str, str] = field(default_factory=dict)
    via: str = ""
    held: list[str] | None = None
    is_billed: bool = False


async def send(
    target: Target, rendered: UpstreamRequest, call: Call, stream: bool
) -> httpx.Response:
    """Send `rendered` and return the response, its status known to be a success.

    The body is not read yet; whoever gets the response closes it. Raises GatewayError
    for every failure, the upstream's own refusals included.
    """
    provider = target.provider
    request = _request(provider, rendered, call, stream)
    call.entry.began()
    call.entry.fields.pop("upstream_status", None)  # of an earlier attempt
    try:
        response = await _send_authorized(provider, request)
    except GatewayError as error:
        _observe(provider, error)
        raise
    if response.status_code == 200:
        return response
    try:
        refusal = await _refusal(provider, response)
    finally:
        await response.aclose()
    _observe(provider, refusal, response.status_code)
    call.entry.fields["upstream_status"] = response.status_code
    raise refusal


async def read_body(provider: Provider, response: httpx.Response) -> bytes:
    """Return the whole body; raises GatewayError when it is cut short or too large."""
    limit = call_settings.UPSTREAM_BODY_LIMIT
    try:
        return await _read(response, limit)
    except _TooLarge:
        raise upstream_error(
            502,
            "upstream_invalid_response",
            f"The provider {provider.name} sent more than {limit} bytes.",
        ) from None
    except httpx.TransportError as error:
        raise interruption(provider, error) from None


async def payload_of(provider: Provider, response: httpx.Response) -> JSON:
    """Return the object that a whole answer is; raises GatewayError."""
    raw = redact(provider, await read_body(provider, response))
    try:
        payload = jsontext.decode(raw)
        if b"\\u00" in raw:  # An escaped character may have hidden a credential.
            payload = jsontext.decode(redact(provider, jsontext.encode(payload)))
    except jsontext.JSONError:
        raise invalid_response(provider) from None
    if not isinstance(payload, dict):
        raise invalid_response(provider)
    return payload


def parsed(
    provider: Provider,
    rendered: UpstreamRequest,
    payload: JSON,
    response: httpx.Response,
) -> JSON:
    """Return a whole answer in OpenAI's format; raises GatewayError."""
    headers = _lower(provider, response)
    return provider.translator.parse_response(payload, headers, rendered.reply)


def invalid_response(provider: Provider) -> GatewayError:
    """Return the 502 for an answer that is not what the provider's API answers."""
    return upstream_error(
        502,
        "upstream_invalid_response",
        f"The provider {provider.name} sent an answer that cannot be understood. "
        "Check the provider's endpoint and type.",
    )


def interruption(provider: Provider, error: httpx.TransportError) -> GatewayError:
    """Return the error for an answer that stopped before its end."""
    if isinstance(error, httpx.TimeoutException):
        return upstream_error(
            504, "upstream_timeout", f"The provider {provider.name} stopped answering."
        )
    if isinstance(error, httpx.RemoteProtocolError):
        return invalid_response(provider)
    return upstream_error(
        502,
        "upstream_stream_truncated",
        f"The provider {provider.name} broke off its answer.",
    )


def answer_headers(provider: Provider, response: httpx.Response) -> dict[str, str]:
    """Return those of the upstream's headers that the client may see."""
    return relayed_headers(_lower(provider, response))


def redact(provider: Provider, data: bytes) -> bytes:
    """Return `data` without the provider's credentials, should it echo them."""
    for secret in _secrets(provider):
        if secret in data:
            data = data.replace(secret, REDACTED)
    if isinstance(provider.auth, auth.OAuth2) and provider.auth.access_token:
        for secret in _spellings(provider.auth.access_token):
            data = data.replace(secret, REDACTED)
    return data


def redacted(provider: Provider, error: GatewayError) -> GatewayError:
    """Return an error in an upstream's words without the provider's credentials."""
    message = redact(provider, error.message.encode()).decode()
    return GatewayError(
        error.status, error.type, message, error.code, error.param, error.headers
    )


def _secrets(provider: Provider) -> tuple[bytes, ...]:
    known = provider.secrets
    if known is None:
        if provider.row.secret is None or provider.auth is None:
            known = ()
        else:
            values = provider.row.credentials().values()
            long = [value for value in values if len(value) >= SHORTEST_SECRET]
            known = tuple(each for value in long for each in _spellings(value))
        provider.secrets = known
    return known


# By the token: one is redacted from every answer that it asked for.
_spellings = lru_cache(maxsize=256)(jsontext.spellings)


def _request(
    provider: Provider, rendered: UpstreamRequest, call: Call, stream: bool
) -> httpx.Request:
    """Return the request as it goes out, except for its credentials."""
    key = (rendered.path, stream, *rendered.headers.items())
    head = provider.heads.get(key)
    if head is None:
        if len(provider.heads) >= HEADS_KEPT:
            provider.heads.clear()
        head = provider.heads[key] = _head(provider, rendered, call.via, stream)
    url, headers = head
    if call.headers:
        headers = httpx.Headers({**headers, **call.headers})
    # `content=` would have httpx look at the body again to choose headers.
    return httpx.Request(
        "POST",
        url,
        headers=headers,
        stream=httpx.ByteStream(jsontext.encode(rendered.body)),
        extensions=provider.extensions,
    )


def _head(
    provider: Provider, rendered: UpstreamRequest, via: str, stream: bool
) -> tuple[httpx.URL, httpx.Headers]:
    """Return what does not change from one request to the next."""
    headers = {
        "content-type": "application/json",
        "accept": "text/event-stream" if stream else "application/json",
        "user-agent": "runagents-model-providers",
        "via": via,
        **provider.extra_headers,
        **rendered.headers,
    }
    for name in _LISTS & provider.extra_headers.keys() & rendered.headers.keys():
        headers[name] = f"{provider.extra_headers[name]},{rendered.headers[name]}"
    url = httpx.URL(endpoints.join(provider.row.endpoint, rendered.path))
    return url, httpx.Headers(headers)


async def _send_authorized(
    provider: Provider, request: httpx.Request
) -> httpx.Response:
    """Send `request` with the provider's credentials; raises GatewayError."""
    try:
        return await auth.send(request, provider.auth)
    except auth.TokenError as error:
        raise upstream_error(
            502,
            "upstream_auth_error",
            f"The provider {provider.name} cannot be called: {error}",
            {"x-should-retry": "false"},
        ) from None
    except auth.UNUSABLE_CREDENTIALS as error:
        raise upstream_error(
            503,
            "provider_unavailable",
            f"The provider {provider.name} cannot be called: {error}",
            {"retry-after": "60"},
        ) from None
    except DestinationBlocked:
        raise upstream_error(
            502,
            "destination_blocked",
            f"The provider {provider.name} leads to an address that this gateway does "
            "not connect to. An administrator can see why on its page.",
        ) from None
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise upstream_error(
            502,
            "upstream_unreachable",
            f"provider request failed: {provider.name} cannot be reached.",
        ) from None
    except httpx.TimeoutException:
        raise upstream_error(
            504,
            "upstream_timeout",
            f"The provider {provider.name} did not answer in time.",
        ) from None
    except httpx.TransportError as error:
        raise interruption(provider, error) from None


async def _refusal(provider: Provider, response: httpx.Response) -> GatewayError:
    """Return what a response with another status than 200 means to the client."""
    code = response.status_code
    if 300 <= code < 400:
        return upstream_error(
            502,
            "upstream_invalid_response",
            f"The provider {provider.name} answered with a redirect, which is not "
            "followed. Check the provider's endpoint.",
        )
    if code < 400:
        return invalid_response(provider)
    try:
        payload = await _read(response, ERROR_BODY_LIMIT)
    except (_TooLarge, httpx.TransportError):
        payload = b""
    headers = _lower(provider, response)
    error = provider.translator.parse_error(code, headers, redact(provider, payload))
    error = redacted(provider, error)
    return GatewayError(
        error.status,
        error.type,
        _attributed(provider, error),
        error.code,
        error.param,
        {**relayed_headers(headers), **error.headers},
    )


def _lower(provider: Provider, response: httpx.Response) -> dict[str, str]:
    """Return the headers by lower-case name, without the provider's credentials.

    They are asked for more than once.
    """
    known: dict[str, str] | None = response.extensions.get("lower_headers")
    if known is None:
        pairs = response.headers.raw
        all_values = b"\n".join(value for _, value in pairs)
        if redact(provider, all_values) != all_values:
            pairs = [(name, redact(provider, value)) for name, value in pairs]
        known = response.extensions["lower_headers"] = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in pairs
        }
    return known


def _attributed(provider: Provider, error: GatewayError) -> str:
    """Return the message with the provider's name: whose limit or failure it was."""
    if error.status == 429 or error.status >= 500:
        return f"{provider.name}: {error.message}"
    return error.message


class _TooLarge(Exception):
    """More bytes than allowed."""


async def _read(response: httpx.Response, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in body_of(response):
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def body_of(response: httpx.Response) -> AsyncIterator[bytes]:
    """Return the raw body as it arrives, past httpx's decoders: nothing is encoded."""
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise TypeError("the response's body is not asynchronous")
    return stream.__aiter__()


def _observe(provider: Provider, error: GatewayError, upstream_status: int = 0) -> None:
    """Tell the provider's status what real traffic met."""
    if error.code in {"upstream_unreachable", "upstream_timeout"} or (
        upstream_status >= 500
    ):
        kind = "unreachable"
    elif error.code == "upstream_auth_error":
        kind = "auth_rejected"
    else:
        kind = "ignored"
    record(provider, kind, error.message)


def record(provider: Provider, kind: str, message: str = "") -> None:
    """Note an outcome of real traffic, which may change the provider's status."""
    changed = status.observer.observe(provider.row.pk, kind)
    if changed is not None:
        new_statuses[provider.row.pk] = (changed, message)


new_statuses: dict[int, tuple[str, str]] = {}
"""Status and message by provider, until the runtime has stored them."""
