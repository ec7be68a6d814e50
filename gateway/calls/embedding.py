"""A call for embeddings: split as the upstream needs it, asked, and joined again.

Vectors of different models cannot stand in one index: whatever fails over goes to the
same model elsewhere, and there is no half an answer.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from gateway.calls import failures, kept_bodies, router, targets, upstream
from gateway.calls.attempts import avoidance, routes
from gateway.calls.attempts.rounds import Rounds
from gateway.calls.begin import find
from gateway.calls.call import Call
from gateway.calls.passages import between
from gateway.doors import chat
from gateway.doors import embeddings as door
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.embeddings import Embedder, EmbeddingRequest, Part, Vectors
from gateway.hub.embeddings.wishes import no_embeddings
from gateway.hub.protocol import Route
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.translators import EMBEDDERS
from gateway.wire.jsontext import JSON, encode
from gateway.worker.capacity import Held, capacity
from gateway.worker.gates import gates
from gateway.worker.snapshot import Target

AT_ONCE = 8
"""How many upstream requests of one call are open at the same time."""

TRIES = 3
LONGEST_WAIT = 5.0
"""Seconds that a part may be told to wait and is asked again nevertheless."""

CHARACTERS_PER_TOKEN = 4
THREAD_BYTES = 1024 * 1024
"""From here on answers are read in a thread: the loop has others to serve."""

# What tells the hosts of one model apart: where it runs, and its version there.
_WHERE = re.compile(r"^(us|us-gov|eu|apac|jp|au|ca|global)\.")
_VERSION = re.compile(r"(-v\d+:\d+|:\d+|:latest)$")


class Embedded(NamedTuple):
    """An answer as JSON text, and headers for the client."""

    body: bytes
    headers: dict[str, str]


class _Read(NamedTuple):
    """What a part came to, and the headers it came with."""

    vectors: Vectors
    headers: dict[str, str]


async def embed(asked: Asked, call: Call, provider: str = "") -> Embedded:
    """Return the vectors of what is asked; `provider` pins one. Raises GatewayError."""
    found = await find(asked.model, call.caller, provider)
    found = router.spread(found, call.entry.fields["request_id"].encode())
    same = [each for each in found if _model_of(each) == _model_of(found[0])]
    return await targets.in_order(
        same, lambda each: _Attempt(asked, each, call).answer(), call
    )


class _Attempt:
    """One target asked for all of it."""

    def __init__(self, asked: Asked, target: Target, call: Call) -> None:
        self._asked = asked
        self._request: EmbeddingRequest = asked.own
        self._target = target
        self._call = call
        self._sent = 0

    async def answer(self) -> Embedded:
        """Return the answer; what the upstream refuses by name is left out, once."""
        provider, entry = self._target.provider, self._call.entry
        if gates.failing:
            gates.pass_through(provider, self._target.upstream_id)
        embedder = EMBEDDERS.get(provider.row.provider_type)
        if embedder is None:
            raise no_embeddings(self._asked.model)
        route = routes.route_to(self._target, self._asked, entry.call_id)
        routed_ms = entry.elapsed_ms()
        while True:
            parts = embedder.render_embeddings(self._request, route)
            self._book(parts[0], routed_ms)
            try:
                read = await self._in_time(embedder, parts)
                break
            except GatewayError as error:
                route = self._without(error, parts[0], embedder, route)
        failures.observe_answer(self._target)
        return await self._finish(read, parts)

    def _rounds(self, part: Part) -> Rounds:
        # Refusals are read as those of the chat door are.
        reading = between(chat, self._target.provider.translator)
        return Rounds(self._target, part.request, self._call, reading)

    def _book(self, part: Part, routed_ms: int) -> None:
        rounds = self._rounds(part)
        provider = self._target.provider
        kept_bodies.note_request(self._call, provider, self._asked, part.request)
        routes.book(rounds, routed_ms)

    async def _in_time(self, embedder: Embedder, parts: list[Part]) -> list[_Read]:
        """Return what all parts came to, within the time that one answer may take."""
        limits = self._target.provider.extensions["timeout"]
        total = limits["total"] if isinstance(limits, dict) else None
        try:
            async with asyncio.timeout(total):
                return await _all(parts, lambda each: self._patiently(embedder, each))
        except TimeoutError:
            raise failures.overdue(self._target.provider) from None

    async def _patiently(self, embedder: Embedder, part: Part) -> _Read:
        """Return what a part came to; one of several may be told to come again."""
        for number in range(1, TRIES + 1):
            try:
                return await self._ask(embedder, part)
            except GatewayError as error:
                if part.size == len(self._request.inputs):
                    if not await self._rounds(part).outlasts(error):
                        raise
                    continue
                wait = _wait_after(error)
                if wait is None or number == TRIES:
                    raise _of_part(error, part) from None
            await asyncio.sleep(wait)
        raise AssertionError("the last try returns or raises")

    async def _ask(self, embedder: Embedder, part: Part) -> _Read:
        """Send one request, which counts towards the provider's limits."""
        provider, held = self._target.provider, Held()
        rounds = self._rounds(part)
        try:
            capacity.enter_provider(held, provider.name)
            await rounds.admit()
            self._sent += 1
            response = await rounds.send()
            try:
                raw = await upstream.raw_body(provider, response)
                headers = upstream.headers_of(provider, response)
                vectors = await self._parse(embedder, raw, headers, part)
            except GatewayError as error:
                failures.observe_broken(self._target, error)
                raise
            finally:
                await response.aclose()
        finally:
            capacity.leave(held)
        self._count(vectors)
        return _Read(vectors, relayed_headers(headers))

    async def _parse(
        self, embedder: Embedder, raw: bytes, headers: dict[str, str], part: Part
    ) -> Vectors:
        wants_base64 = self._request.wants_base64
        reading = partial(embedder.parse_embeddings, raw, headers, part, wants_base64)
        is_large = len(raw) > THREAD_BYTES
        return await asyncio.to_thread(reading) if is_large else reading()

    def _count(self, vectors: Vectors) -> None:
        """Book a part's tokens: they are spent, whatever becomes of the rest."""
        fields = self._call.entry.fields
        if vectors.tokens is not None:
            fields["input_tokens"] = fields.get("input_tokens", 0) + vectors.tokens

    def _without(
        self, error: GatewayError, part: Part, embedder: Embedder, route: Route
    ) -> Route:
        """Return the way without what was refused; raises `error` where nothing was."""
        feature = avoidance.refused_feature(
            error, part.request, embedder.EMBEDDING_FEATURES
        )
        if feature is None or feature.name in route.avoid:
            raise error
        avoidance.remember(self._target, feature, error, self._asked.body)
        return route._replace(avoid=route.avoid | {feature.name})

    async def _finish(self, read: list[_Read], parts: list[Part]) -> Embedded:
        """Return the answer, and end the ledger's entry."""
        vectors = [each.vectors for each in read]
        known = [each.tokens for each in vectors]
        estimated = None in known
        tokens = (
            _estimate(self._request)
            if estimated
            else sum(map(int, filter(None, known)))
        )
        body = door.render_answer(vectors, self._asked.model, tokens)
        if len(read) > 1:
            text = await asyncio.to_thread(encode, body)
        else:
            text = encode(body)
        entry = self._call.entry
        fields = usage_fields({"prompt_tokens": tokens, "completion_tokens": 0})
        entry.ended(
            UsageRecord.Outcome.OK,
            status=200,
            finish_reason="stop",
            first_byte_ms=entry.elapsed_ms(),
            estimated=estimated,
            details={**entry.fields.get("details", {}), **self._details(vectors)},
            **fields,
        )
        told = routes.told_of(self._target, parts[0].request)
        return Embedded(text, {**read[0].headers, **told})

    def _details(self, vectors: list[Vectors]) -> JSON:
        details = {"inputs": len(self._request.inputs), "upstream_calls": self._sent}
        if size := vectors[0].dimensions:
            details["dimensions"] = size
        return details


async def _all(
    parts: list[Part], ask: Callable[[Part], Awaitable[_Read]]
) -> list[_Read]:
    """Return what `ask` gives for each part, in order; the first failure ends all."""
    if len(parts) == 1:
        return [await ask(parts[0])]
    read: dict[int, _Read] = {}
    waiting = iter(enumerate(parts))

    async def work() -> None:
        for number, part in waiting:
            read[number] = await ask(part)

    workers = [asyncio.create_task(work()) for _ in range(min(AT_ONCE, len(parts)))]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
    return [read[number] for number in range(len(parts))]


def _wait_after(error: GatewayError) -> float | None:
    """Return the seconds after which a part is asked for again, None for never."""
    if error.status not in (429, 503) or error.headers.get("x-should-retry") == "false":
        return None
    told = error.headers.get("retry-after", "1")
    seconds = float(told) if told.isascii() and told.isdecimal() else 1.0
    return seconds if seconds <= LONGEST_WAIT else None


def _of_part(error: GatewayError, part: Part) -> GatewayError:
    """Return the error of a part, which says where its inputs begin."""
    message = f"input[{part.first}]: {error.message}"
    return GatewayError(
        error.status, error.type, message, error.code, error.param, error.headers
    )


def _model_of(target: Target) -> str:
    """Return what makes vectors comparable: the model, wherever it runs."""
    name = (target.base_model or target.upstream_id).lower().rpartition("/")[2]
    return _VERSION.sub("", _WHERE.sub("", name))


def _estimate(request: EmbeddingRequest) -> int:
    """Return how many tokens the inputs may be, where the upstream does not tell."""
    count = 0
    for each in request.inputs:
        count += (
            max(1, len(each) // CHARACTERS_PER_TOKEN)
            if isinstance(each, str)
            else len(each)
        )
    return count
