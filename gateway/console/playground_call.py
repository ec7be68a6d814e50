"""One question asked from the console, on the path that agents' calls take.

Same router, limits, translators and ledger; what differs is that the answer is wanted
as text, piece by piece, and in no client's format.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from gateway.calls import targets
from gateway.calls.begin import AnswerStream, WholeAnswer, begin, find
from gateway.calls.call import Call
from gateway.calls.passages import to_chunks
from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT
from gateway.errors import GatewayError
from gateway.identifiers import token
from gateway.ledger import prices
from gateway.ledger.usage import usage_fields
from gateway.wire.jsontext import JSON
from gateway.worker.capacity import Held, capacity
from gateway.worker.draining import draining, shutting_down
from gateway.worker.snapshot import Caller, Target


class Piece(NamedTuple):
    """What arrived at once: text of the answer, and of the thinking before it."""

    text: str = ""
    thinking: str = ""


@dataclass
class PlaygroundAnswer:
    """What came of a question; `error` is empty where all went well.

    `provider` is the last that was asked, `passed_over` those that came before it.
    """

    model: str
    text: str = ""
    thinking: str = ""
    provider: str = ""
    passed_over: tuple[str, ...] = ()
    call_id: str = ""
    finish_reason: str = ""
    error: str = ""
    error_code: str = ""
    first_piece_ms: int | None = None
    duration_ms: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: Decimal | None = None


class PlaygroundCall:
    """One question to one model; `answer` fills while `ask` runs."""

    def __init__(self, body: JSON, caller: Caller) -> None:
        self._body = body
        self._caller = caller
        self._usage: JSON = {}
        self._target: Target | None = None
        self._started = time.monotonic()
        self.answer = PlaygroundAnswer(model=body["model"])

    async def ask(self, tell: Callable[[Piece], None]) -> PlaygroundAnswer:
        """Ask, call `tell` with each piece as it arrives, and return the answer.

        A failure ends up in the answer. Cancelling it closes the upstream and ends the
        ledger's entry.
        """
        self._started = time.monotonic()
        call = asyncio.current_task()
        assert call is not None  # noqa: S101
        # A worker that ends waits for these and then ends them, as it does for agents.
        draining.calls.add(call)
        try:
            await self._ask(tell)
        except GatewayError as error:
            self._fail(error)
        except asyncio.CancelledError:
            if not draining.is_over:
                raise
            # It is the server that ends its calls: there is time to say so.
            call.uncancel()
            self._fail(shutting_down())
        finally:
            draining.calls.discard(call)
            self.answer.duration_ms = self._elapsed_ms()
        await self._price()
        return self.answer

    def _fail(self, error: GatewayError) -> None:
        self.answer.error = error.message
        self.answer.error_code = error.code or error.type

    async def _ask(self, tell: Callable[[Piece], None]) -> None:
        held = Held()
        try:
            call = begin(self._caller, f"req_{token(22)}", self._started, held, {})
            asked = chat.parse_request(self._body, NOTHING_SENT)
            found = await find(asked.model, self._caller)
            try:
                answer = await targets.ask(asked, found, to_chunks, call)
            finally:
                if call.entry.has_begun:
                    self.answer.call_id = call.entry.call_id
                self._note_route(found, call)
            self._target = answer.target
            if isinstance(answer, WholeAnswer):
                self._take([answer.body], "message", tell)
            else:
                await self._follow(answer, tell)
        finally:
            capacity.leave(held)

    def _note_route(self, found: tuple[Target, ...], call: Call) -> None:
        """Note who was asked last, and who was asked before."""
        if call.asked in [target.provider.name for target in found]:
            self.answer.provider = call.asked
            self.answer.passed_over = call.passed_over

    async def _follow(
        self, stream: AnswerStream[list[JSON]], tell: Callable[[Piece], None]
    ) -> None:
        try:
            while (chunks := await stream.read()) is not None:
                self._take(chunks, "delta", tell)
            if stream.failure is not None:
                raise stream.failure
        finally:
            await stream.aclose()

    def _take(
        self, chunks: list[JSON], part: str, tell: Callable[[Piece], None]
    ) -> None:
        """Tell what `chunks` say."""
        text = thinking = ""
        for chunk in chunks:
            self._usage = chunk.get("usage") or self._usage
            for choice in chunk.get("choices") or []:
                said = choice.get(part) or {}
                text += _plain(said.get("content") or said.get("refusal"))
                thinking += _plain(said.get("reasoning_content"))
                self.answer.finish_reason = (
                    choice.get("finish_reason") or self.answer.finish_reason
                )
        if text or thinking:
            if part == "delta" and self.answer.first_piece_ms is None:
                self.answer.first_piece_ms = self._elapsed_ms()
            self.answer.text += text
            self.answer.thinking += thinking
            tell(Piece(text, thinking))

    async def _price(self) -> None:
        counts = usage_fields(self._usage)
        self.answer.input_tokens = counts.get("input_tokens")
        self.answer.output_tokens = counts.get("output_tokens")
        target = self._target
        if target is None:
            return
        call = {
            **counts,
            "upstream_model": target.upstream_id,
            "provider_type": target.provider.row.provider_type,
            "endpoint": target.provider.row.endpoint,
        }
        # The first price of a process reads the whole price list.
        self.answer.cost = await asyncio.to_thread(prices.cost, call, target.prices)

    def _elapsed_ms(self) -> int:
        return int((time.monotonic() - self._started) * 1000)


def _plain(content: object) -> str:
    """Return content as text: most send a string, some a list of parts."""
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content if isinstance(content, str) else ""
