"""A model that is down is refused at once, tried by one call, and served again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import Server, wait_until
from tests.e2e.replay import Received, Replay, Reply, json_reply

PATH = "/v1/chat/completions"
WORKERS = 2
FAILURES = 5
CALLERS = 12
PATIENCE = 20


class Outage:
    """An upstream that fails for the model `ill`, and later answers when it is let."""

    def __init__(self) -> None:
        self.is_over = False
        self.may_answer = threading.Event()

    def __call__(self, received: Received) -> Reply:
        if received.json["model"] == "well":
            return dialects.openai(received)
        if not self.is_over:
            return json_reply({"error": {"message": "down"}}, 500)
        assert self.may_answer.wait(PATIENCE)
        return dialects.openai(received)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Workers with gates, as people have them."""
    one = registries.openai("one", replay.url, "ill", "well")
    registry = registries.registry(one)
    return server(registry, workers=WORKERS, UNAVAILABLE_AFTER=str(FAILURES))


def test_a_model_that_is_down_is_tried_by_one_call_and_comes_back(gateway, replay):
    outage = Outage()
    replay.route(PATH, outage)

    def is_known_to_all_workers() -> bool:
        gateway.chat("ill")
        return len(replay.calls) >= WORKERS * FAILURES

    assert wait_until(is_known_to_all_workers, PATIENCE)
    refused = at_once(gateway, "ill")
    assert {each.status_code for each in refused} == {503}
    assert {each.json()["error"]["code"] for each in refused} == {
        "provider_unavailable"
    }
    assert all(1 <= int(each.headers["retry-after"]) <= 6 for each in refused)
    assert len(replay.calls) == WORKERS * FAILURES
    assert {each.status_code for each in at_once(gateway, "well")} == {200}

    outage.is_over = True
    statuses: list[int] = []

    def is_tried() -> bool:
        statuses[:] = [each.status_code for each in at_once(gateway, "ill", outage)]
        return 200 in statuses

    assert wait_until(is_tried, PATIENCE)
    assert sorted(statuses) == [200] + [503] * (CALLERS - 1)
    assert {each.status_code for each in at_once(gateway, "ill")} == {200}


def at_once(
    gateway: Server, model: str, outage: Outage | None = None
) -> list[httpx.Response]:
    """Make calls together; during an outage one is answered when the others were."""
    if outage is not None:
        outage.may_answer.clear()
    with ThreadPoolExecutor(CALLERS) as callers:
        made = [callers.submit(gateway.chat, model) for _ in range(CALLERS)]
        for number, _ in enumerate(as_completed(made), 1):
            if outage is not None and number == CALLERS - 1:
                outage.may_answer.set()
    return [each.result() for each in made]
