"""A model that is down is refused at once, tried by one call, and served again."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest

from gateway.worker.gates import FIRST_PAUSE, JITTER
from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, Server, chat, wait_until
from tests.e2e.raw import Crew
from tests.e2e.replay import Received, Replay, Reply, json_reply

PATH = "/v1/chat/completions"
WORKERS = 2
FAILURES = 5
CALLERS = 12
ILL = chat("ill")


class Outage:
    """An upstream that fails for the model `ill`, and later answers.

    It answers those who try last, when the others have their answers.
    """

    def __init__(self) -> None:
        self.is_over = False
        self.tried = 0
        self.answered = 0

    def __call__(self, received: Received) -> Reply:
        if received.json["model"] == "well":
            return dialects.openai(received)
        if not self.is_over:
            return json_reply({"error": {"message": "down"}}, 500)
        self.tried += 1
        reply = dialects.openai(received)
        reply.until = lambda: self.answered + self.tried >= CALLERS
        return reply


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Workers with gates, as people have them."""
    one = registries.openai("one", replay.url, "ill", "well")
    registry = registries.registry(one)
    return server(registry, workers=WORKERS, UNAVAILABLE_AFTER=str(FAILURES))


def trials(seconds: float) -> int:
    """Return how many trials so many seconds may have, by the shortest pauses."""
    count, pause = 0, JITTER[0] * FIRST_PAUSE
    while seconds >= pause:
        count, seconds, pause = count + 1, seconds - pause, 2 * pause
    return count


def test_a_model_that_is_down_is_tried_by_one_call_and_comes_back(gateway, replay):
    outage = Outage()
    replay.route(PATH, outage)
    began = time.monotonic()
    with Crew(gateway) as crew:
        for _ in range(FAILURES):
            assert all(each.status >= 500 for each in crew.ask("POST", PATH, ILL))

    refused: list[httpx.Response] = []

    def are_refused() -> bool:
        refused[:] = at_once(gateway, "ill")
        return {each.status_code for each in refused} == {503}

    assert wait_until(are_refused, PATIENCE)
    assert {each.json()["error"]["code"] for each in refused} == {
        "provider_unavailable"
    }
    tried = len(replay.calls) - WORKERS * FAILURES
    assert 0 <= tried <= trials(time.monotonic() - began)
    latest = JITTER[1] * FIRST_PAUSE * 2**tried
    assert all(1 <= int(each.headers["retry-after"]) <= latest for each in refused)
    assert {each.status_code for each in at_once(gateway, "well")} == {200}

    outage.is_over = True
    statuses: list[int] = []

    def is_tried() -> bool:
        nonlocal began
        began = time.monotonic()
        outage.answered = 0
        statuses[:] = [each.status_code for each in at_once(gateway, "ill", outage)]
        return 200 in statuses

    assert wait_until(is_tried, PATIENCE)
    # The first may be as soon as it is looked, the next after the second pause.
    assert 1 <= outage.tried <= 1 + trials(time.monotonic() - began)
    assert sorted(statuses) == [200] * outage.tried + [503] * (CALLERS - outage.tried)
    assert {each.status_code for each in at_once(gateway, "ill")} == {200}


def at_once(
    gateway: Server, model: str, outage: Outage | None = None
) -> list[httpx.Response]:
    """Make calls together; an outage is told of each that is answered."""
    with ThreadPoolExecutor(CALLERS) as callers:
        made = [callers.submit(gateway.chat, model) for _ in range(CALLERS)]
        for _ in as_completed(made):
            if outage is not None:
                outage.answered += 1
    return [each.result() for each in made]
