"""A streamed answer on its way through: read, translated, timed and booked.

It knows no HTTP and no client's format: what a network read comes to is given on as the
passage made it, be it frames for a client or chunks for the Playground.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import Any, Generic, TypeVar

import httpx

from gateway.calls import failures, upstream
from gateway.calls.attempts.rounds import Rounds
from gateway.calls.kept_bodies import Frames
from gateway.calls.passages import Reader
from gateway.calls.redaction import redacted, redacted_piece, redacted_text
from gateway.calls.redaction.glance import glance
from gateway.calls.redaction.withholding import withholding
from gateway.errors import GatewayError
from gateway.hub.answers.relay import Relayed, Text
from gateway.hub.protocol import PausingParser
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.wire.jsontext import JSON
from gateway.worker.draining import draining
from gateway.worker.gates import gates
from providers import transport

COMMIT_SECONDS = 10.0
END_SECONDS = 0.1
CHARACTERS_PER_TOKEN = 4
UNEXPLAINED = "The provider ended its stream without a reason to end; it was complete."

T = TypeVar("T")


def _nothing(data: bytes) -> None:
    """Say of each read that it is to be fed."""


def _never(told: Text[Any]) -> bool:
    """Say of each text that it is to be looked at closely."""
    return False


class AnswerStream(Generic[T]):
    """One streamed answer; `T` is what its reader makes of the upstream's bytes.

    It is one upstream stream, or several where the answer pauses and is asked to go on.
    `open` decides between an error with a status of its own and a stream; from then on
    `read` (or `receive` and `take`, for who has more to do meanwhile) gives piece by
    piece, `pour` without being asked, and `failure` tells how it ended. Whoever holds
    one calls `aclose`, whatever happened: it closes the upstream and ends the ledger's
    entry.
    """

    def __init__(
        self,
        rounds: Rounds,
        response: httpx.Response,
        reader: Reader[T],
        headers: Mapping[str, str],
    ) -> None:
        self.reader = reader
        self.headers = headers
        self.target = rounds.target
        self.failure: GatewayError | None = None
        self._state = reader.state
        self._pausing = reader.pausing
        self._provider = rounds.target.provider
        self._rounds = rounds
        self._entry = rounds.call.entry
        self._response = response
        self._body = upstream.body_of(response)
        self._next: asyncio.Task[httpx.Response] | None = None
        self._withholding = withholding(self._provider)
        self._is_clear: Callable[[Text[Any]], bool] = _never
        self._text: Callable[[bytes], Text[Any] | None] = _nothing
        self._ready: list[Relayed[T]] = []
        self._broken: GatewayError | None = None
        self._begins_by: float | None = None
        self._first_byte = False
        self._characters = 0
        self._finish_reason = ""
        self._kept = Frames() if rounds.call.keeps_bodies else None
        self._outcome = UsageRecord.Outcome.CLIENT_CLOSED

    async def open(self) -> None:
        """Wait for the upstream's first event, ten seconds at the most.

        Raises GatewayError when the upstream failed before anything worth sending, or
        let its time for that pass. What is left of that time goes on afterwards.
        """
        # What came with the head is there without a wait, and a clock for it.
        if data := transport.arrived(self._body):
            self._translate(data)
        if self.is_silent and not await self._begin():
            return
        if self.failure and not any(relayed.says for relayed in self._ready):
            raise self.failure
        if gates.failing and self.failure is None:
            gates.began(self._provider, self.target.upstream_id)

    async def _begin(self) -> bool:
        """Wait for the first event; False where that will be waited for later on."""
        left = self._provider.first_token - (monotonic() - self._rounds.sent_at)
        try:
            async with asyncio.timeout(min(COMMIT_SECONDS, left)):
                while self.is_silent:
                    await self.receive()
        except TimeoutError:
            if left > COMMIT_SECONDS:
                loop = asyncio.get_running_loop()
                self._begins_by = loop.time() + left - COMMIT_SECONDS
                return False
            self._be_late()
        return True

    @property
    def is_silent(self) -> bool:
        """Whether nothing is there to send yet, and more is to come."""
        return not (self._ready or self._state.done or self.failure is not None)

    async def read(self) -> T | None:
        """Return the next piece of the answer, None behind the last one."""
        while self.is_silent:
            await self.receive()
        return self.take()

    async def pour(self, write: Callable[[T], bool]) -> None:
        """Give what comes to `write`, which tells whether it takes more, as it comes.

        No task is woken for it, which costs more than most reads do. Returns where it
        takes no more, or what comes next is for `receive`. May be cancelled.
        """
        if self._begins_by is None:
            # What is logged by then is of this call.
            run, pour = copy_context().run, partial(self._pour, write)
            await transport.pour(self._body, partial(run, pour))

    def _pour(self, write: Callable[[T], bool], data: bytes) -> bool:
        # Nearly every read brings text and nothing else, and is sent at a glance.
        told = self._text(data)
        if told is None:
            self._translate(data)
        elif not told.data:
            return True
        elif self._is_clear(told):
            self._characters += len(told.text)
            return write(told.data)
        else:
            self._take_in(told.relayed())
        while self._ready:
            if not write(self._next_ready()):
                return False
        return not self._is_over() and self._state.paused is None

    async def receive(self) -> None:
        """Wait for the upstream once; may be cancelled, and called again."""
        if self._begins_by is None:
            self._translate(await self._receive())
            return
        try:
            async with asyncio.timeout_at(self._begins_by):
                data = await self._receive()
        except TimeoutError:
            self._be_late()
            return
        self._translate(data)
        if self._ready:
            self._begins_by = None

    def _be_late(self) -> None:
        """Fail: the upstream let the time for its first event pass."""
        self.failure = failures.no_first_event(self._provider)
        failures.observe_broken(self.target, self.failure)

    def take(self) -> T | None:
        """Return what is there to send, None where the answer is over."""
        if not self._ready:
            self.end()
            return None
        return self._next_ready()

    def _next_ready(self) -> T:
        if not self._first_byte:
            self._first_byte = True
            self._entry.fields["first_byte_ms"] = self._entry.elapsed_ms()
            if self._kept is None and not self._is_over():
                self._take_glances()
        return self._kept_piece(self._ready.pop(0).data)

    def _take_glances(self) -> None:
        """Send text for a glance from now on, where that is enough."""
        look = glance(self._provider, self._withholding)
        if look is not None and self.reader.text is not None:
            self._is_clear, self._text = look.is_clear, self.reader.text

    def all_at_once(self) -> list[T] | None:
        """Return the pieces of a complete answer that is all here, but for its end.

        None, and nothing has changed, where more may come.
        """
        state = self._state
        if not state.done or self.failure is not None:
            return None
        if state.may_go_on and not transport.is_over(self._body):
            return None
        return [self._next_ready() for _ in range(len(self._ready))]

    async def behind(self) -> T | None:
        """Return what comes at once behind a complete answer, where it is passed on."""
        if not self._state.may_go_on:
            return None
        relayed = self.reader.feed(await self._read_to_the_end())
        return self._kept_piece(relayed.data) if relayed.data else None

    def shown(self, last: T) -> T:
        """Return the `last` piece, which its renderer wrote, without credentials."""
        return self._kept_piece(last)

    def _kept_piece(self, piece: T) -> T:
        """Return a piece without credentials, kept where that is wanted."""
        piece = redacted_piece(self._provider, piece)
        if self._kept is not None:
            self._kept.add(piece)
        return piece

    def stall(self) -> None:
        """Note that the client has stopped reading."""
        self._outcome = UsageRecord.Outcome.CLIENT_STALLED

    def break_off(self, error: GatewayError) -> None:
        """Note that the answer ends with `error`, which is our own."""
        if not draining.is_over:
            self.failure = error
            self._outcome = UsageRecord.Outcome.INTERRUPTED

    async def aclose(self) -> None:
        """Close the upstream and end the ledger's entry; safe to call twice."""
        fields = usage_fields(self._state.usage)
        is_final = self._state.usage is not None and self._state.done
        if self._characters and (not is_final or self.failure is not None):
            # Claude counts the first token at once and the others at the end.
            counted = fields.get("output_tokens", 0)
            guessed = max(1, self._characters // CHARACTERS_PER_TOKEN)
            fields["output_tokens"] = max(counted, guessed)
            fields["estimated"] = True
        if self.failure is not None:
            fields["error_code"] = self.failure.code or self.failure.type
            fields["error_message"] = self.failure.message
        elif self._state.is_unexplained:
            fields["error_message"] = UNEXPLAINED
        if self._kept is not None:
            fields["frames"] = self._kept.text()
        if draining.is_over and self._outcome == UsageRecord.Outcome.CLIENT_CLOSED:
            self._outcome = UsageRecord.Outcome.SHUTDOWN
        fields["finish_reason"] = redacted_text(self._provider, self._finish_reason)
        self._entry.ended(self._outcome, status=200, **fields)
        if self._outcome == UsageRecord.Outcome.OK:
            await self._read_to_the_end()
        await self.let_go()

    async def let_go(self) -> None:
        """Close what is open towards the upstream."""
        await upstream.close(self._response)
        if self._next is not None:
            await self._give_up(self._next)

    def end(self) -> None:
        """Note that all of it has gone on to the client, but for the last frame."""
        if self.failure is not None:
            self._outcome = UsageRecord.Outcome.UPSTREAM_ERROR
        else:
            self._outcome = UsageRecord.Outcome.OK
            failures.observe_answer(self.target)

    def _is_over(self) -> bool:
        return self._state.done or self.failure is not None

    async def _receive(self) -> bytes | None:
        """Return what arrived, None at the end; a broken connection is a failure."""
        try:
            if self._pausing is not None and self._state.paused is not None:
                return await self._go_on(self._pausing, self._state.paused)
            return await anext(self._body)
        except StopAsyncIteration:
            return None
        except httpx.TransportError as error:
            # The end all the same: what came until now may be a complete answer.
            self._broken = failures.interruption(self._provider, error)
            return None
        except GatewayError as error:
            self.failure = error
            return b""

    async def _go_on(self, parser: PausingParser, paused: JSON) -> bytes | None:
        """Ask for the rest of a paused answer; None where there will be none.

        The request is a task of its own: whoever waits for it may stop to tell the
        client that the stream is alive, and wait again.
        """
        if self._next is None:
            await self._read_to_the_end()
            await self._response.aclose()
            if not self._rounds.go_on_after(paused):
                return None
            self._next = asyncio.create_task(self._rounds.go_on())
        self._response = await asyncio.shield(self._next)
        self._next = None
        self._body = upstream.body_of(self._response)
        parser.resume(self._rounds.rendered.reply)
        return b""

    @staticmethod
    async def _give_up(request: asyncio.Task[httpx.Response]) -> None:
        """End a request that nobody waits for any more."""
        request.cancel()
        await asyncio.wait([request])
        if not request.cancelled() and request.exception() is None:
            await request.result().aclose()

    def _translate(self, data: bytes | None) -> None:
        """Take in what arrived; None is the end."""
        reader = self.reader
        self._take_in(reader.close() if data is None else reader.feed(data))

    def _take_in(self, relayed: Relayed[T]) -> None:
        """Book what came, and get ready what of it may go on."""
        self._characters += relayed.characters
        self._finish_reason = relayed.finish_reason or self._finish_reason
        if self._state.error is not None and self.failure is None:
            self.failure = self._broken or redacted(self._provider, self._state.error)
            failures.observe_broken(self.target, self.failure)
        if self._withholding is None:
            self._add(relayed)
        else:
            self._add(self._withholding.pass_on(relayed))
            if self._is_over():
                self._add(self._withholding.rest())

    def _add(self, relayed: Relayed[T] | None) -> None:
        if relayed is not None and relayed.data:
            self._ready.append(relayed)

    async def _read_to_the_end(self) -> bytes:
        """Take what stands behind the last event, so that the connection is kept."""
        if transport.is_over(self._body):
            return b""
        read: list[bytes] = []
        try:
            async with asyncio.timeout(END_SECONDS):
                while part := await anext(self._body, None):
                    read.append(part)
        except (TimeoutError, httpx.TransportError):
            pass
        return b"".join(read)
