"""Responses that a provider keeps: shown, deleted, ended, and what they were asked.

https://platform.openai.com/docs/api-reference/responses/get
"""

from collections.abc import Awaitable, Callable

from gateway.calls import router, targets
from gateway.calls.begin import WholeAnswer
from gateway.calls.passages import kept_responses
from gateway.doors import responses as door
from gateway.doors.responses.native import kept
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import StreamedAnswer
from gateway.entry.views.calls import begun_by
from gateway.entry.views.plain import without_model
from gateway.worker.registry import registry
from gateway.worker.snapshot import Caller, Target


def kept_response(tail: str) -> Callable[..., Awaitable[Response | StreamedAnswer]]:
    """Return the view of what stands under `tail` behind a response's id."""

    async def answer(
        request: Request, response: str, provider: str = ""
    ) -> Response | StreamedAnswer:
        """Pass a question on to who keeps the response; `provider` pins one."""
        keeper = _keeper(request.caller, response, provider)
        sent = request.sent()
        method = "GET" if request.method == "HEAD" else request.method
        asked = kept.asked_for(method, response + tail, request.query, sent)
        call = begun_by(request, door, sent)
        answer = await targets.ask(
            asked, (keeper,), lambda translator: kept_responses.PASSAGE, call
        )
        if isinstance(answer, WholeAnswer):
            return json_response(answer.raw or answer.body, headers=answer.headers)
        return StreamedAnswer(answer)

    return answer


def _keeper(caller: Caller, response: str, provider: str) -> Target:
    """Return who keeps a response; raises a 404 where none or several may.

    It is the one provider within reach that keeps any, or the one that is pinned.
    """
    reached = router.within_reach(registry.snapshot, caller, provider)
    found = [each for each in reached if kept_responses.keeps(each)]
    if len(found) != 1 or not kept.is_theirs(response):
        raise kept.not_found(response)
    return without_model(found[0])
