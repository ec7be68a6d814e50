"""What a worker keeps of calls that are over: nothing."""

import gc
import logging

import httpx
import pytest

from tests import doors

WARM = 60
CALLS = 150
# A few lists of the interpreter's and of libraries grow by steps.
SLACK = CALLS // 3
DONE = b"data: [DONE]\n\n"


@pytest.mark.proves("10.5")
def test_calls_that_are_over_leave_no_object_behind(
    provider, upstream, gateway, completion, caplog
):
    provider()
    # pytest keeps what is logged.
    caplog.set_level(logging.WARNING)
    said = (
        b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\ndata: [DONE]\n\n'
    )

    def answer(request: httpx.Request) -> httpx.Response:
        if b'"stream":true' in request.content:
            sse = {"content-type": "text/event-stream"}
            return httpx.Response(200, headers=sse, content=_parts(said, DONE))
        return httpx.Response(200, json=completion)

    seen = upstream(answer)
    client = gateway()

    def ask(number: int) -> int:
        """Ask what nobody asked before, in each way once in five times."""
        own = {"x-request-id": f"call-{number}"}
        body = {
            **doors.CHAT.body,
            "messages": [{"role": "user", "content": f"{number}"}],
        }
        match number % 5:
            case 0:
                body["stream"] = False
            case 1:
                body["stream"] = True
            case 2:
                body["model"] = f"unknown-{number}"
            case 3:
                own["authorization"] = f"Bearer ra_ag_{number}"
            case 4:
                body["messages"] = number
        return client.post("/v1/chat/completions", json=body, headers=own).status_code

    assert [ask(number) for number in range(5)] == [200, 200, 404, 401, 400]
    for number in range(5, WARM):
        ask(number)
    seen.clear()
    gc.collect()
    before = len(gc.get_objects())
    for number in range(WARM, WARM + CALLS):
        ask(number)
    seen.clear()
    gc.collect()
    assert len(gc.get_objects()) - before < SLACK


async def _parts(*parts: bytes):
    for each in parts:
        yield each
