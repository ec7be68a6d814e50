"""An answer beyond `UPSTREAM_BODY_LIMIT`: refused, at a cost in proportion to it."""

from collections.abc import Callable, Iterator

import pytest

from tests import doors
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.raw import Watch
from tests.faults import COMPLETION, EVENT, Answer, FaultServer, json_answer

MIB = 1 << 20
LIMIT = 2 * MIB
LONG_LINE = EVENT + b"data: " + b"x" * (10 * MIB) + b"\n\n"

OVERSIZED = ("huge", "gzip-bomb", "long-line")
"""Faults before anything was said."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    """The upstream that says more than anybody can hear."""
    with FaultServer() as server:
        server.answers["/then-long-line/v1/chat/completions"] = Answer(
            200, LONG_LINE, {"content-type": "text/event-stream"}
        )
        server.answers["/good/v1/chat/completions"] = json_answer(COMPLETION)
        yield server


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], upstream: FaultServer) -> Server:
    """A server that holds little of an answer in memory."""
    rows = [
        registries.openai(
            name,
            upstream.url,
            name,
            extra_headers={"x-fault": name},
            responses_api="off",
        )
        for name in OVERSIZED
    ]
    rows += [
        registries.openai(name, f"{upstream.url}/{name}", name, responses_api="off")
        for name in ("then-long-line", "good")
    ]
    return server(registries.registry(*rows), UPSTREAM_BODY_LIMIT=str(LIMIT))


@pytest.fixture(autouse=True)
def worker_survives(gateway: Server) -> Iterator[None]:
    """The same process serves before and after each answer."""
    before = gateway.worker_pids()
    yield
    assert gateway.worker_pids() == before
    assert gateway.chat("good").status_code == 200


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("fault", OVERSIZED)
def test_an_answer_beyond_the_limit_is_refused(gateway, streaming_door, fault, stream):
    with Watch(gateway) as watch:
        response = gateway.ask(streaming_door, fault, stream=stream)
    streaming_door.check_refused(response, 502, "upstream_invalid_response")
    assert watch.growth < 16 * LIMIT


def test_a_line_beyond_the_limit_ends_a_stream(gateway, streaming_door):
    with Watch(gateway) as watch:
        response = gateway.ask(streaming_door, "then-long-line", stream=True)
    said = streaming_door.said_in(response.content)
    assert (bool(said.text), bool(said.failure)) == (True, True)
    assert watch.growth < 16 * LIMIT
    where = {"model": "then-long-line", "door": streaming_door.name}
    row = gateway.rows(1, **where)[-1]
    assert row["outcome"] == "upstream_error"
    assert row["error_code"] == "upstream_invalid_response"


def test_vectors_beyond_the_limit_are_refused(gateway):
    for door in (doors.EMBEDDINGS, doors.OLLAMA_EMBED):
        with Watch(gateway) as watch:
            response = gateway.ask(door, "huge")
        door.check_refused(response, 502, "upstream_invalid_response")
        assert watch.growth < 16 * LIMIT
