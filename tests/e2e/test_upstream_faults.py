"""Whatever an upstream does: the right status or frame, and a worker in good health."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.e2e import faulty, registries
from tests.e2e.faulty import FRAMES, HEAVY, MIB, STREAMED, WHOLE
from tests.e2e.processes import Server
from tests.e2e.raw import Watch
from tests.faults import (
    FaultServer,
    refused_port,
)


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultServer]:
    """The upstream that misbehaves."""
    with FaultServer() as server:
        faulty.install(server)
        yield server


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], upstream: FaultServer) -> Iterator[Server]:
    """A server with a provider and a model for each fault."""
    with refused_port() as port:
        yield server(registries.registry(*faulty.providers(upstream, port)))


@pytest.fixture(autouse=True)
def worker_survives(gateway: Server) -> Iterator[None]:
    """The same process serves before and after each fault."""
    before = gateway.worker_pids()
    yield
    assert gateway.worker_pids() == before
    assert gateway.chat("good").status_code == 200


def frames(text: str) -> list[dict | str]:
    """Return the data of each event; `[DONE]` as it stands."""
    found = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    return [each if each == "[DONE]" else json.loads(each) for each in found]


@pytest.mark.proves("5.1")
@pytest.mark.parametrize(("fault", "answer"), WHOLE.items(), ids=WHOLE.keys())
def test_a_fault_of_a_whole_answer(gateway, fault, answer):
    response = gateway.chat(fault)
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == answer
    assert fault in error["message"]
    assert "127.0.0.1" not in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert ("retry-after" in response.headers) == (answer[0] in {429, 503})


@pytest.mark.proves("5.1")
@pytest.mark.parametrize(("fault", "answer"), STREAMED.items(), ids=STREAMED.keys())
def test_a_fault_before_a_streams_first_event(gateway, fault, answer):
    response = gateway.chat(fault, stream=True)
    assert (response.status_code, response.json()["error"]["code"]) == answer
    assert response.headers["content-type"] == "application/json"


@pytest.mark.proves("5.2")
@pytest.mark.parametrize(("fault", "code"), FRAMES.items(), ids=FRAMES.keys())
def test_a_fault_in_mid_stream_is_told_in_the_last_frame(gateway, fault, code):
    response = gateway.chat(fault, stream=True)
    assert response.status_code == 200
    *chunks, last = frames(response.text)
    assert (last["error"]["code"] or last["error"]["type"]) == code
    assert (
        "".join(c["choices"][0]["delta"]["content"] for c in chunks).strip("word ")
        == ""
    )
    assert not any(chunk["choices"][0]["finish_reason"] for chunk in chunks)


def test_a_fault_in_mid_stream_is_in_the_row(gateway):
    for fault in FRAMES:
        gateway.chat(fault, stream=True)
    for fault, code in FRAMES.items():
        row = gateway.rows(1, model=fault)[-1]
        assert (row["outcome"], row["error_code"]) == ("upstream_error", code)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("fault", "answer"), HEAVY.items(), ids=HEAVY.keys())
def test_an_answer_without_measure_costs_little(gateway, fault, answer, stream):
    with Watch(gateway) as watch:
        response = gateway.chat(fault, stream=stream)
    assert (response.status_code, response.json()["error"]["code"]) == answer
    assert watch.growth < 128 * MIB


def test_a_long_line_that_is_no_chunk_leaves_a_stream_cut_off(gateway):
    with Watch(gateway) as watch:
        response = gateway.chat("then-long-line", stream=True)
    *chunks, last = frames(response.text)
    assert chunks
    assert last["error"]["code"] == "upstream_stream_truncated"
    assert watch.growth < 64 * MIB


def test_every_fault_has_a_row(gateway, upstream):
    reached = [each.json for each in upstream.requests if each.method == "POST"]
    asked = {(each["model"], each.get("stream", False)) for each in reached}
    for model, stream in asked:
        assert gateway.rows(1, model=model, stream=stream), model
    rows = gateway.rows()
    assert len({row["call_id"] for row in rows}) == len(rows)
