"""One chat completion: try the targets in order until one answers."""

import asyncio
import re
import time
from collections.abc import Sequence

import httpx
from django.http.response import HttpResponseBase

from gateway.calls import avoidance, images, upstream
from gateway.calls.rounds import Rounds
from gateway.calls.streams import ChatStream, ChatStreamResponse
from gateway.calls.upstream import Call
from gateway.entry.answer import JSONResponse
from gateway.errors import GatewayError
from gateway.hub.protocol import Route, UpstreamRequest
from gateway.identifiers import token
from gateway.ledger.spool import Entry
from gateway.ledger.usage import usage_fields
from gateway.limits import Limiter
from gateway.models import UsageRecord
from gateway.wire.jsontext import JSON
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import capacity
from gateway.worker.draining import draining
from gateway.worker.registry import Target

ID_LENGTH = 29
MAX_TOLD = 50

_NO_TOKEN = re.compile(r"[^A-Za-z0-9_.\[\]-]")


async def complete(
    body: JSON, targets: Sequence[Target], call: Call, limiter: Limiter | None
) -> HttpResponseBase:
    """Return the answer of the first target that gives one.

    The next target is tried only while nothing was sent to the client, only after a
    failure that cost nothing, and at most once. Raises GatewayError.
    """
    try:
        for number, target in enumerate(targets, 1):
            try:
                return await _attempt(body, target, call, limiter)
            except GatewayError as error:
                last = number in {len(targets), upstream.MAX_ATTEMPTS}
                if last or call.is_billed or error.code not in upstream.RETRYABLE:
                    _end_with_error(call.entry, error)
                    raise
    except asyncio.CancelledError:
        outcome = UsageRecord.Outcome.CLIENT_CLOSED
        if draining.is_over:
            outcome = UsageRecord.Outcome.SHUTDOWN
        call.entry.ended(outcome)
        raise
    raise AssertionError("a model without targets is a 404 before this")


async def _attempt(
    body: JSON, target: Target, call: Call, limiter: Limiter | None
) -> HttpResponseBase:
    """Return the target's answer; what it refuses by name is tried without, once."""
    provider = target.provider
    routed_ms = call.entry.elapsed_ms()
    asked = body
    route = _route(body, target)
    fetched = await images.fetch(provider.translator.remote_urls(body, route), provider)
    if fetched:
        body = images.inline(body, fetched)
    if call.held is not None:
        capacity.enter_provider(call.held, provider.name)
    while True:
        rendered = provider.translator.render_request(body, route)
        if call_settings.LOG_BODIES:
            call.entry.fields["bodies"] = {
                "asked": asked,
                "sent": rendered.body,
                "path": rendered.path,
            }
        rounds = Rounds(target, rendered, call, limiter)
        await rounds.admit()
        try:
            return await _exchange(rounds, routed_ms)
        except GatewayError as error:
            feature = avoidance.refused_feature(error, rendered)
            if not feature or feature in route.avoid or call.is_billed:
                raise
            avoidance.remember(target, feature, error)
            route = route._replace(avoid=route.avoid | {feature})


async def _exchange(rounds: Rounds, routed_ms: int) -> HttpResponseBase:
    """Send a rendered request and return the client's response."""
    target, rendered, call = rounds.target, rounds.rendered, rounds.call
    provider = target.provider
    stream = rendered.reply.stream
    call.entry.fields.update(
        provider=provider.name,
        provider_type=provider.row.provider_type,
        endpoint=provider.row.endpoint,
        model=target.model_id,
        upstream_model=target.upstream_id,
        stream=stream,
        prices=target.prices,
        dropped=rendered.dropped,
        downgraded=rendered.downgraded,
        routed_ms=routed_ms,
        upstream_ms=call.entry.elapsed_ms(),
    )
    response = await rounds.send()
    headers = {**upstream.answer_headers(provider, response), **_told(target, rendered)}
    if "x-upstream-request-id" in headers:
        call.entry.fields["upstream_request_id"] = headers["x-upstream-request-id"]
    if stream:
        parser = provider.translator.stream_parser(rendered.reply)
        chat = ChatStream(rounds, response, parser)
        try:
            await chat.open()
        except BaseException:
            await chat.let_go()
            raise
        return ChatStreamResponse(chat, headers)
    answer = await _whole_answer(rounds, response)
    upstream.record(provider, "ok")
    _end_with_answer(call.entry, answer)
    return JSONResponse(answer, headers=headers)


async def _whole_answer(rounds: Rounds, response: httpx.Response) -> JSON:
    """Read and translate a whole answer; one that pauses is asked to go on."""
    provider = rounds.target.provider
    while True:
        try:
            payload = await upstream.payload_of(provider, response)
        finally:
            await response.aclose()
        answer = upstream.parsed(provider, rounds.rendered, payload, response)
        if not rounds.go_on_after(payload):
            return answer
        # Billed, whatever becomes of the rest.
        rounds.call.entry.fields.update(usage_fields(answer.get("usage")))
        response = await rounds.go_on()


def _route(body: JSON, target: Target) -> Route:
    row = target.provider.row
    return Route(
        model=body["model"],
        upstream_model=target.upstream_id,
        base_model=target.base_model,
        region=row.region,
        completion_id=f"chatcmpl-{token(ID_LENGTH)}",
        created=int(time.time()),
        options=row.options,
        capabilities=target.capabilities,
        avoid=avoidance.known(target),
    )


def _told(target: Target, rendered: UpstreamRequest) -> dict[str, str]:
    """Return the headers that say who answered and what was not carried over."""
    headers = {"x-gateway-provider": target.provider.name}
    for header, names in (
        ("x-gateway-dropped-params", rendered.dropped),
        ("x-gateway-downgraded", rendered.downgraded),
    ):
        if names:
            # Names are the client's own: whatever is no token stays out of a header.
            told = [_NO_TOKEN.sub("_", name)[:64] for name in names[:MAX_TOLD]]
            headers[header] = ", ".join(told)
    return headers


def _end_with_answer(entry: Entry, answer: JSON) -> None:
    choices = answer.get("choices") or [{}]
    entry.ended(
        UsageRecord.Outcome.OK,
        status=200,
        finish_reason=choices[0].get("finish_reason") or "",
        first_byte_ms=entry.elapsed_ms(),
        **usage_fields(answer.get("usage")),
    )


def _end_with_error(entry: Entry, error: GatewayError) -> None:
    entry.ended(
        UsageRecord.Outcome.UPSTREAM_ERROR,
        status=error.status,
        error_code=error.code or error.type,
        error_message=error.message,
    )
