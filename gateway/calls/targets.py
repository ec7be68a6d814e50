"""One call: try the targets in order until one answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from gateway.calls import failures, router
from gateway.calls.answer_stream import AnswerStream
from gateway.calls.attempts import routes
from gateway.calls.attempts.attempt import WholeAnswer, attempt
from gateway.calls.call import Call
from gateway.calls.passages import Passage
from gateway.doors.protocol import Asked
from gateway.errors import GatewayError
from gateway.hub.protocol import Translator
from gateway.ledger.spool import Entry
from gateway.models import UsageRecord
from gateway.worker.draining import draining
from gateway.worker.snapshot import Provider, Target

MAX_ATTEMPTS = 2

T = TypeVar("T")
A = TypeVar("A")


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
        return _alone(attempt(asked, target, passage, call, ()), call)
    # A function with its types written out would have them made for every call.
    return in_order(
        targets[:1] if asked.stays else targets,
        lambda target: attempt(
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
    except BaseException as end:
        _end(call.entry, end)
        raise


async def in_order(
    targets: Sequence[Target], asking: Callable[[Target], Awaitable[A]], call: Call
) -> A:
    """Return what the first of `targets` answers that `asking` has one from.

    The next target is tried only while nothing was sent to the client, only after a
    failure that cost nothing, and at most once. Raises GatewayError. However it ends,
    the ledger's entry tells.
    """
    try:
        for number, target in enumerate(targets, 1):
            call.is_last = number in {len(targets), MAX_ATTEMPTS}
            try:
                return await asking(target)
            except GatewayError as error:
                if number > 1:
                    _count_repeat(target.provider, error)
                if call.is_billed or not _may_ask_next(targets, number, error):
                    raise
                call.passed_over += (target.provider.name,)
                call.why = f"{target.provider.name} did not take it: {error.code}"
    except BaseException as end:
        _end(call.entry, end)
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
        return passage.prepare(asked, routes.route_to(first, asked)).keeps()
    except GatewayError:  # Nothing of it could have been said there.
        return ()


def _end(entry: Entry, end: BaseException) -> None:
    """End the entry of a call that failed, that nobody waits for or that we broke.

    It is a row as well: it may be billed. What has ended already stays as it is.
    """
    if isinstance(end, GatewayError):
        entry.ended(
            UsageRecord.Outcome.UPSTREAM_ERROR,
            status=end.status,
            error_code=end.code or end.type,
            error_message=end.message,
        )
    elif not isinstance(end, asyncio.CancelledError):
        entry.ended(
            UsageRecord.Outcome.INTERRUPTED, status=500, error_code="internal_error"
        )
    elif draining.is_over:
        entry.ended(UsageRecord.Outcome.SHUTDOWN)
    else:
        entry.ended(UsageRecord.Outcome.CLIENT_CLOSED)
