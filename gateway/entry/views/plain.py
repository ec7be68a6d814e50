"""OpenAI's small formats, which only providers of its type have: passed on, or refused.

They are completions of a prompt, and moderations, which may be asked of nobody by name.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from gateway.calls import router, targets
from gateway.calls.begin import WholeAnswer, find
from gateway.calls.passages import between
from gateway.doors.plain import moderations
from gateway.doors.protocol import Asked, Door
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import StreamedAnswer
from gateway.entry.views.calls import asked_by
from gateway.worker.registry import registry
from gateway.worker.snapshot import Caller, Target

OPENAI = "openai"


def plainly(door: Door) -> Callable[..., Awaitable[Response | StreamedAnswer]]:
    """Return the view that answers what comes in at `door`."""

    async def answer(request: Request, provider: str = "") -> Response | StreamedAnswer:
        """Answer a request; `provider` pins one by its name."""
        asked, call = asked_by(request, door)
        if asked.stream:
            request.wait_for(asked, door)
        found = await _targets(asked, call.caller, provider)
        answer = await targets.ask(asked, found, partial(between, door), call)
        if isinstance(answer, WholeAnswer):
            return json_response(answer.raw or answer.body, headers=answer.headers)
        return StreamedAnswer(answer)

    return answer


def without_model(target: Target) -> Target:
    """Return a target at which something else than a model is asked for."""
    return Target.of(target.provider, "", "", "", target.capabilities, None)


async def _targets(asked: Asked, caller: Caller, provider: str) -> tuple[Target, ...]:
    """Return whom to ask: of several that serve the model those of the type, if any.

    Raises GatewayError where there is nobody.
    """
    if not asked.model:
        return (_unnamed(caller, provider),)
    found = await find(asked.model, caller, provider)
    return tuple(filter(_is_openai, found)) or found


def _unnamed(caller: Caller, provider: str) -> Target:
    """Return whom a caller asks who names no model; raises a 400 for nobody."""
    reached = router.within_reach(registry.snapshot, caller, provider)
    first = next(filter(_is_openai, reached), None)
    if first is None:
        raise moderations.nobody()
    return without_model(first)


def _is_openai(target: Target) -> bool:
    return target.provider.row.provider_type == OPENAI
