"""One call: try the targets in order until one answers."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import httpx

from gateway.calls import avoidance, failures, images, kept_bodies, router, upstream
from gateway.calls.answer_stream import AnswerStream
from gateway.calls.call import Call
from gateway.calls.passages import Passage, Prepared, Whole
from gateway.calls.passages.wording import in_client_words
from gateway.calls.redaction import redacted_piece
from gateway.calls.rounds import Rounds
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import Reply, Route, Translator, UpstreamRequest
from gateway.ledger.spool import Entry
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.values import Value
from gateway.wire.jsontext import JSON
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import capacity
from gateway.worker.draining import draining
from gateway.worker.gates import gates
from gateway.worker.snapshot import Provider, Target

MAX_ATTEMPTS = 2
MOST_LEARNT = 4
"""How often one request is asked again without what was refused of it."""
MAX_TOLD = 50

_OK = UsageRecord.Outcome.OK.value
"""As text: an enumeration's members are hashed and compared in Python."""

_NOTHING: Mapping[str, str] = MappingProxyType({})

_NO_TOKEN = re.compile(r"[^A-Za-z0-9_.\[\]-]")

T = TypeVar("T")
A = TypeVar("A")


class WholeAnswer(Value, frozen=True):
    """An answer that came at once: its body and headers for the client, who gave it.

    `raw` is what the client gets where that is not `body` as it would be encoded.
    """

    body: JSON
    headers: dict[str, str]
    target: Target
    raw: bytes = b""


def ask(
    asked: Asked,
    targets: Sequence[Target],
    passage_to: Callable[[Translator], Passage[T]],
    call: Call,
) -> Awaitable[WholeAnswer | AnswerStream[T]]:
    """Return the answer of the first target that gives one; raises GatewayError.

    What only hands on is no coroutine here: each that waits for another one costs a
    call 0.8 µs.
    """
    if len(targets) > 1:
        targets = _by_weight(asked, tuple(targets), call)
    else:
        (target,) = targets
        passage = passage_to(target.provider.translator)
        return _alone(_attempt(asked, target, passage, call, ()), call)
    # A function with its types written out would have them made for every call.
    return in_order(
        targets[:1] if asked.stays else targets,
        lambda target: _attempt(
            asked,
            target,
            passage_to(target.provider.translator),
            call,
            () if target is targets[0] else _kept_before(asked, targets[0], passage_to),
        ),
        call,
    )


def _by_weight(
    asked: Asked, targets: tuple[Target, ...], call: Call
) -> tuple[Target, ...]:
    """Return the targets in the order to try them for this conversation."""
    if all(target.provider.weight is None for target in targets):
        return targets
    session = call.entry.fields.get("session_id", "")
    key, what = router.conversation(asked, session, call.caller.name)
    spread = router.spread(targets, key)
    weight = router.weight_of(spread[0])
    call.why = f"weight {weight}; stays with its {what}"
    return spread


async def _alone(answer: Awaitable[A], call: Call) -> A:
    """Return the `answer` of the only target; as `in_order` does of one of several."""
    try:
        return await answer
    except GatewayError as error:
        _end_with_error(call.entry, error)
        raise
    except BaseException as end:
        _end_abruptly(call.entry, end)
        raise


async def in_order(
    targets: Sequence[Target], attempt: Callable[[Target], Awaitable[A]], call: Call
) -> A:
    """Return what the first of `targets` answers to an `attempt`.

    The next target is tried only while nothing was sent to the client, only after a
    failure that cost nothing, and at most once. Raises GatewayError. However it ends,
    the ledger's entry tells.
    """
    try:
        for number, target in enumerate(targets, 1):
            call.is_last = number in {len(targets), MAX_ATTEMPTS}
            try:
                return await attempt(target)
            except GatewayError as error:
                if number > 1:
                    _count_repeat(target.provider, error)
                if call.is_billed or not _may_ask_next(targets, number, error):
                    _end_with_error(call.entry, error)
                    raise
                call.passed_over += (target.provider.name,)
                call.why = f"{target.provider.name} did not take it: {error.code}"
    except BaseException as end:
        _end_abruptly(call.entry, end)
        raise
    raise AssertionError("a model without targets is a 404 before this")


def _may_ask_next(targets: Sequence[Target], number: int, error: GatewayError) -> bool:
    """Tell whether another is asked after the `number` that have failed.

    One that keeps failing is not asked for what others refuse, but for a few times.
    """
    if number in {len(targets), MAX_ATTEMPTS} or error.code not in failures.RETRYABLE:
        return False
    return targets[number].provider.repeats.are_left()


def _count_repeat(provider: Provider, error: GatewayError) -> None:
    """Note that `provider` was asked once more for nothing; not by a bad request."""
    if error.status >= 500 or error.status == 429:
        provider.repeats.failed()


def _kept_before(
    asked: Asked, first: Target, passage_to: Callable[[Translator], Passage[T]]
) -> tuple[str, ...]:
    """Return what only the way to the `first` target keeps."""
    try:
        passage = passage_to(first.provider.translator)
        return passage.prepare(asked, route_to(first, asked)).keeps()
    except GatewayError:  # Nothing of it could have been said there.
        return ()


async def _attempt(
    asked: Asked,
    target: Target,
    passage: Passage[T],
    call: Call,
    kept_before: tuple[str, ...],
) -> WholeAnswer | AnswerStream[T]:
    """Return the target's answer; what it refuses by name is tried without, once."""
    provider = target.provider
    if gates.failing:
        gates.pass_through(provider, target.upstream_id)
    routed_ms = call.entry.elapsed_ms()
    route = route_to(target, asked, call.entry.call_id)
    prepared: Prepared | None
    prepared = passage.prepare(asked, route)
    urls = prepared.remote_urls
    fetched = await _fetched(prepared, provider, call) if urls else _NOTHING
    capacity.enter_provider(call.held, provider.name)
    refused: GatewayError | None = None
    known = len(route.avoid)
    while True:
        try:
            prepared = prepared or passage.prepare(asked, route)
            rounds = Rounds(target, prepared.render(fetched), call, passage)
        except GatewayError as error:
            # What cannot be said without it was refused by the upstream.
            raise refused or error from None
        if kept_before:
            _hand_over(rounds, kept_before, prepared.keeps())
        kept_bodies.note_request(call, provider, asked, rounds.rendered)
        await rounds.admit()
        book(rounds, routed_ms)
        is_needed, prepared = prepared.is_read_again, None
        if not is_needed and asked.let_go():
            rounds.let_go()
        try:
            try:
                return await _answer(asked, passage, rounds)
            except GatewayError as error:
                return await _asked_again(asked, passage, rounds, error)
        except GatewayError as error:
            if refused is not None:
                provider.repeats.failed()
            rendered = rounds.told()
            # What is left out already is not what is refused now.
            avoidable = [
                each
                for each in passage.avoidable(rendered.reply)
                if each.name not in route.avoid
            ]
            feature = avoidance.refused_feature(error, rendered, avoidable)
            is_last = call.is_billed or len(route.avoid) - known >= MOST_LEARNT
            if feature is None or feature.name in route.avoid or is_last:
                raise in_client_words(error, rendered.reply.client_path) from None
            avoidance.remember(target, feature, error, asked.body)
            if not provider.repeats.are_left():
                raise in_client_words(error, rendered.reply.client_path) from None
            refused = in_client_words(error, rendered.reply.client_path)
            route = route._replace(avoid=route.avoid | {feature.name})


async def _fetched(
    prepared: Prepared, provider: Provider, call: Call
) -> Mapping[str, str]:
    """Return what the request names by URL; raises a 400 in its door's words."""
    try:
        return await images.fetch(prepared.remote_urls, provider, call.held)
    except GatewayError as error:
        raise in_client_words(error, prepared.client_path) from None


def _hand_over(rounds: Rounds, before: tuple[str, ...], now: tuple[str, ...]) -> None:
    """Have a request tell what it lost between two targets."""
    lost = [name for name in before if name not in now]
    downgraded = tuple(dict.fromkeys((*rounds.rendered.downgraded, *lost)))
    rounds.rendered = rounds.rendered._replace(downgraded=downgraded)


def book(rounds: Rounds, routed_ms: int) -> None:
    """Tell the ledger's entry what is about to be sent."""
    target, rendered, call = rounds.target, rounds.rendered, rounds.call
    fields = call.entry.fields
    call.asked = target.provider.name
    fields.update(target.provider.columns)
    # One by one: named in one call they are made a dict of, which costs 1 µs.
    fields["model"] = target.model_id
    fields["upstream_model"] = target.upstream_id
    fields["stream"] = rendered.reply.stream
    fields["prices"] = target.prices
    fields["dropped"] = rendered.dropped
    fields["downgraded"] = rendered.downgraded
    fields["routed_ms"] = routed_ms
    fields["upstream_ms"] = call.entry.elapsed_ms()
    if call.tells_way:
        fields["details"] = {"way": "native" if rendered.raw else "translated"}
    if call.why:
        fields.setdefault("details", {})["why"] = call.why


async def _asked_again(
    asked: Asked, passage: Passage[T], rounds: Rounds, error: GatewayError
) -> WholeAnswer | AnswerStream[T]:
    """Return what a provider answers later that was busy; raises any other `error`."""
    while True:
        if not await rounds.outlasts(error):
            raise error from None
        await rounds.admit()
        try:
            return await _answer(asked, passage, rounds)
        except GatewayError as again:
            error = again


async def _answer(
    asked: Asked, passage: Passage[T], rounds: Rounds
) -> WholeAnswer | AnswerStream[T]:
    """Send a rendered request and return what comes back."""
    target, entry = rounds.target, rounds.call.entry
    response = await rounds.send()
    came = upstream.headers_of(target.provider, response)
    headers = passage.answer_headers(came)
    headers.update(told_of(target, rounds.rendered))
    if "x-upstream-request-id" in headers:
        entry.fields["upstream_request_id"] = headers["x-upstream-request-id"]
    if rounds.rendered.reply.stream:
        reader = passage.reader(rounds.rendered.reply, asked)
        stream = AnswerStream(rounds, response, reader, headers)
        try:
            await stream.open()
        except BaseException:
            await stream.let_go()
            raise
        return stream
    whole = _arrived(asked, passage, rounds, response, came)
    if whole is None:
        whole = await _whole(asked, passage, rounds, response, came)
    failures.observe_answer(target)
    if whole.estimated:
        headers["x-gateway-estimated"] = whole.estimated
    if rounds.call.keeps_bodies:
        kept_bodies.note_answer(rounds.call, whole.body)
    _end_with_answer(entry, whole)
    return WholeAnswer(whole.body, headers, target, whole.raw)


def _arrived(
    asked: Asked,
    passage: Passage[T],
    rounds: Rounds,
    response: httpx.Response,
    headers: dict[str, str],
) -> Whole | None:
    """Translate a whole answer that is all here, as nearly every one; None for others.

    For those that may pause as well.
    """
    provider, rendered = rounds.target.provider, rounds.rendered
    if rendered.resume is not None:
        return None
    try:
        raw = upstream.whole_body(provider, response)
        if raw is None:
            return None
        return _understood(asked, passage, rendered.reply, provider, raw, headers)[0]
    except GatewayError as error:
        failures.observe_broken(rounds.target, error)
        raise


def _understood(
    asked: Asked,
    passage: Passage[T],
    reply: Reply,
    provider: Provider,
    raw: bytes,
    headers: dict[str, str],
) -> tuple[Whole, JSON]:
    """Return an answer and the payload that it came as, empty where it was a stream."""
    payload = upstream.payload_of(provider, raw)
    if isinstance(payload, bytes):
        return _streamed(passage, payload, reply, asked, provider), {}
    whole = passage.parse_response(payload, headers, reply, asked)
    return whole, payload.body


async def _whole(
    asked: Asked,
    passage: Passage[T],
    rounds: Rounds,
    response: httpx.Response,
    headers: dict[str, str],
) -> Whole:
    """Read and translate a whole answer; one that pauses is asked to go on."""
    provider = rounds.target.provider
    while True:
        try:
            raw = await upstream.raw_body(provider, response)
            reply = rounds.rendered.reply
            whole, payload = _understood(asked, passage, reply, provider, raw, headers)
        except GatewayError as error:
            failures.observe_broken(rounds.target, error)
            raise
        if not (payload and rounds.go_on_after(payload)):
            return whole
        # Billed, whatever becomes of the rest.
        rounds.call.entry.fields.update(usage_fields(whole.usage))
        response = await rounds.go_on()
        headers = upstream.headers_of(provider, response)


def _streamed(
    passage: Passage[T], raw: bytes, reply: Reply, asked: Asked, provider: Provider
) -> Whole:
    """Return the answer that came as a stream although nobody asked for one.

    Raises GatewayError where it is none.
    """
    streamed = passage.parse_streamed(raw, reply, asked)
    if streamed is None:
        raise failures.invalid_response(provider)
    return streamed._replace(body=redacted_piece(provider, streamed.body))


def route_to(target: Target, asked: Asked, call_id: str = "") -> Route:
    """Return where a request goes, and what decides on its form there.

    An answer to which the upstream gives no id is known by that of the call.
    """
    row = target.provider.row
    # In the order of its fields: naming them costs each call 1 µs.
    return Route(
        asked.model,
        target.upstream_id,
        target.base_model,
        row.region,
        f"chatcmpl-{call_id}",
        int(time.time()),
        row.options,
        target.capabilities,
        avoidance.known(target, asked.body),
        call_settings.UPSTREAM_BODY_LIMIT,
        row.provider_type,
        target.provider.host,
    )


def told_of(target: Target, rendered: UpstreamRequest) -> dict[str, str]:
    """Return the headers that say who answered and what was not carried over."""
    headers = {"x-gateway-provider": target.provider.name}
    if not (rendered.dropped or rendered.downgraded):
        return headers
    for header, names in (
        ("x-gateway-dropped-params", rendered.dropped),
        ("x-gateway-downgraded", rendered.downgraded),
    ):
        if names:
            # Names are the client's own: whatever is no token stays out of a header.
            tokens = [_NO_TOKEN.sub("_", name)[:64] for name in names[:MAX_TOLD]]
            headers[header] = ", ".join(tokens)
    return headers


def _end_with_answer(entry: Entry, whole: Whole) -> None:
    fields = usage_fields(whole.usage)
    fields["status"] = 200
    fields["finish_reason"] = whole.finish_reason
    fields["first_byte_ms"] = fields["duration_ms"] = entry.elapsed_ms()
    entry.ended(_OK, **fields)


def _end_abruptly(entry: Entry, end: BaseException) -> None:
    """End the entry of a call that nobody waits for any more, or that we broke.

    It is a row as well: it may be billed. What has ended already stays as it is.
    """
    if not isinstance(end, asyncio.CancelledError):
        entry.ended(
            UsageRecord.Outcome.INTERRUPTED, status=500, error_code="internal_error"
        )
    elif draining.is_over:
        entry.ended(UsageRecord.Outcome.SHUTDOWN)
    else:
        entry.ended(UsageRecord.Outcome.CLIENT_CLOSED)


def _end_with_error(entry: Entry, error: GatewayError) -> None:
    entry.ended(
        UsageRecord.Outcome.UPSTREAM_ERROR,
        status=error.status,
        error_code=error.code or error.type,
        error_message=error.message,
    )
