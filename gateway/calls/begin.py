"""The one way to make a call, for agents' requests and for the Playground."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from gateway.calls import router, targets
from gateway.calls.answer_stream import AnswerStream
from gateway.calls.attempts.attempt import WholeAnswer
from gateway.calls.call import Call
from gateway.calls.passages import Passage
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import NOTHING, Translator
from gateway.ledger.spool import Entry
from gateway.worker.call_settings import call_settings
from gateway.worker.capacity import Held, capacity
from gateway.worker.registry import registry
from gateway.worker.runtime import runtime
from gateway.worker.snapshot import Caller, Target

__all__ = ["AnswerStream", "WholeAnswer", "ask", "begin", "find"]

T = TypeVar("T")


def begin(
    caller: Caller,
    request_id: str,
    received: float,
    held: Held,
    headers: Mapping[str, str],
    about: Mapping[str, str] = NOTHING,
) -> Call:
    """Return a call of `caller`, which takes its places in the worker.

    `received` is when the request was there in full, on the monotonic clock; `headers`
    go upstream; `about` are further columns of the ledger. Raises `GatewayError` (429,
    503) where there is no place. Whoever calls this gives `held` back to
    `capacity.leave`, whatever happens.
    """
    capacity.enter(held, caller)
    entry = Entry(runtime.spool, received)
    # Named in the call they would be made a dict of twice.
    entry.fields = {
        "request_id": request_id,
        "caller": caller.name,
        "caller_kind": caller.kind,
        "key_hint": caller.hint,
        **about,
    }
    return Call(
        caller=caller,
        entry=entry,
        held=held,
        via=runtime.via,
        headers=headers,
        limiter=runtime.limiter if call_settings.RATE_LIMIT_ENFORCEMENT else None,
    )


def ask(
    asked: Asked,
    call: Call,
    passage_to: Callable[[Translator], Passage[T]],
    provider: str = "",
) -> Awaitable[WholeAnswer | AnswerStream[T]]:
    """Return the answer to what is asked; `provider` pins one by its name.

    A stream is closed by whoever gets it (`aclose`). Raises `GatewayError`, when it is
    awaited.
    """
    try:
        found = router.find(registry.snapshot, asked.model, call.caller, provider)
    except GatewayError as error:
        return _ask_late(asked, call, passage_to, provider, error)
    return targets.ask(asked, found, passage_to, call)


async def _ask_late(
    asked: Asked,
    call: Call,
    passage_to: Callable[[Translator], Passage[T]],
    provider: str,
    error: GatewayError,
) -> WholeAnswer | AnswerStream[T]:
    """Return the answer of a model that was unknown a moment ago, or raise `error`."""
    found = await _find_late(asked.model, call.caller, provider, error)
    return await targets.ask(asked, found, passage_to, call)


async def find(model: str, caller: Caller, provider: str = "") -> tuple[Target, ...]:
    """Return who serves a model, best first.

    One that is unknown may be newer than the snapshot, which then is read again.
    Raises `GatewayError`: 404 for a model that nobody serves, 403 for one that the
    caller may not use.
    """
    try:
        return router.find(registry.snapshot, model, caller, provider)
    except GatewayError as error:
        return await _find_late(model, caller, provider, error)


async def _find_late(
    model: str, caller: Caller, provider: str, error: GatewayError
) -> tuple[Target, ...]:
    """Return who serves a model that was unknown a moment ago, or raise `error`."""
    if error.status != 404 or not await registry.catch_up():
        raise error
    return router.find(registry.snapshot, model, caller, provider)
