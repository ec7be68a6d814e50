"""One target is asked, once more without what it refuses by name, and answers."""

from collections.abc import Mapping
from typing import TypeVar

import httpx

from gateway.calls import failures, images, kept_bodies, upstream
from gateway.calls.answer_stream import AnswerStream
from gateway.calls.attempts import avoidance, routes
from gateway.calls.attempts.rounds import Rounds
from gateway.calls.call import Call
from gateway.calls.passages import Passage, Prepared, Whole
from gateway.calls.passages.wording import in_client_words
from gateway.calls.redaction import redacted_piece
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import NOTHING, Reply
from gateway.ledger.spool import Entry
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.values import Value
from gateway.wire.jsontext import JSON
from gateway.worker.capacity import capacity
from gateway.worker.gates import gates
from gateway.worker.snapshot import Provider, Target

MOST_LEARNT = 4
"""How often one request is asked again without what was refused of it."""

_OK = UsageRecord.Outcome.OK.value
"""As text: an enumeration's members are hashed and compared in Python."""

NO_BODY: JSON = {}
"""Of an answer that is read in one pass; nobody asks for it, nor changes it."""

T = TypeVar("T")


class WholeAnswer(Value, frozen=True):
    """An answer that came at once: its body and headers for the client, who gave it.

    `raw` is what the client gets where that is not `body` as it would be encoded.
    """

    body: JSON
    headers: dict[str, str]
    target: Target
    raw: bytes = b""


async def attempt(
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
    route = routes.route_to(target, asked, call.entry.call_id)
    prepared: Prepared | None
    prepared = passage.prepare(asked, route)
    urls = prepared.remote_urls
    fetched = await _fetched(prepared, provider, call) if urls else NOTHING
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
        if not rounds.is_admitted():
            await rounds.admit()
        routes.book(rounds, routed_ms)
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
            rendered = rounds.rendered.told()
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
    headers.update(routes.told_of(target, rounds.rendered))
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
        plain = _told_at_once(rounds, raw)
        if plain is not None:
            return plain
        return _understood(asked, passage, rendered.reply, provider, raw, headers)[0]
    except GatewayError as error:
        failures.observe_broken(rounds.target, error)
        raise


def _told_at_once(rounds: Rounds, raw: bytes) -> Whole | None:
    """Return an answer that is read in one pass; None where it is to be looked at.

    One of which an escape may hide a credential is, and one that is kept.
    """
    read = rounds.rendered.at_once
    if read is None or rounds.call.keeps_bodies or upstream.may_hide(raw):
        return None
    found = read(raw, rounds.rendered.reply)
    if found is None:
        return None
    return Whole(NO_BODY, found.usage, found.finish_reason, found.raw, "", found.counts)


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


def _end_with_answer(entry: Entry, whole: Whole) -> None:
    counts = whole.counts
    fields = entry.fields
    fields.update(usage_fields(whole.usage) if counts is None else counts)
    fields["status"] = 200
    fields["finish_reason"] = whole.finish_reason
    fields["first_byte_ms"] = fields["duration_ms"] = entry.elapsed_ms()
    entry.ended(_OK)
