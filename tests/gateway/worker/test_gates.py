"""A provider that does not answer is left alone, and tried again by one call."""

import httpx
import pytest

from gateway.errors import GatewayError
from gateway.worker import gates as module
from gateway.worker.gates import Gates
from gateway.worker.registry import registry

URL = "/v1/chat/completions"


class Clock:
    """A monotonic clock that a test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch, settings):
    settings.UNAVAILABLE_AFTER = 5
    monkeypatch.setattr(module, "JITTER", (1.0, 1.0))
    return Clock()


@pytest.fixture
def called(provider, gateway):
    """The provider as calls see it."""
    provider("one")
    gateway()
    return registry.snapshot.targets["gpt-4o-mini"][0].provider


def lets_through(gates: Gates, provider) -> bool:
    try:
        gates.pass_through(provider, "m")
    except GatewayError as error:
        return (error.status, error.code) != (503, "provider_unavailable")
    return True


def down(gates: Gates, provider) -> None:
    for _ in range(5):
        gates.unreached(provider)


def test_five_failures_in_a_row_close_the_gate(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    for _ in range(4):
        gates.unreached(called)
    assert lets_through(gates, called)
    gates.answered(called, "m")
    for _ in range(4):
        gates.unreached(called)
    assert lets_through(gates, called)
    gates.unreached(called)
    assert not lets_through(gates, called)


@pytest.mark.proves("7.4")
def test_five_hundred_waiting_calls_are_one_trial_over_all_workers(
    tmp_path, clock, called
):
    workers = [Gates(tmp_path, clock) for _ in range(4)]
    for gates in workers:
        down(gates, called)
    clock.now += 5
    tried = [lets_through(gates, called) for _ in range(125) for gates in workers]
    assert sum(tried) == 1


@pytest.mark.proves("7.4")
def test_the_pause_doubles_up_to_a_minute(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    down(gates, called)
    tried = []
    for second in range(300):
        if lets_through(gates, called):
            tried.append(second)
            gates.unreached(called)
        clock.now += 1
    assert tried == [5, 15, 35, 75, 135, 195, 255]


def test_the_first_success_opens_the_gates_of_all_workers(tmp_path, clock, called):
    one, two = Gates(tmp_path, clock), Gates(tmp_path, clock)
    down(one, called)
    down(two, called)
    clock.now += 5
    assert lets_through(one, called)
    one.answered(called, "m")
    assert all(lets_through(gates, called) for gates in (one, two) for _ in range(9))


def test_an_edit_opens_the_gate_at_once(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    down(gates, called)
    called.row.version += 1
    assert lets_through(gates, called)


def test_a_time_from_before_a_restart_of_the_machine_is_past(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    down(gates, called)
    clock.now = 10.0
    assert lets_through(gates, called)


def test_a_model_that_fails_keeps_nobody_from_its_siblings(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    for _ in range(9):
        gates.failed(called, "models/broken")
    assert lets_through(gates, called)
    with pytest.raises(GatewayError):
        gates.pass_through(called, "models/broken")
    gates.answered(called, "m")
    with pytest.raises(GatewayError):
        gates.pass_through(called, "models/broken")


def test_who_fails_has_been_reached(tmp_path, clock, called):
    gates = Gates(tmp_path, clock)
    down(gates, called)
    clock.now += 5
    assert lets_through(gates, called)
    gates.failed(called, "m")
    assert lets_through(gates, called)


def test_a_provider_that_is_down_is_not_asked(
    provider, upstream, gateway, door, tmp_path, clock, monkeypatch
):
    monkeypatch.setattr(module.gates, "_folder", tmp_path)
    monkeypatch.setattr(module.gates, "_clock", clock)
    monkeypatch.setattr(module.gates, "failing", {})
    provider("one")
    broken, good = httpx.Response(500, json={}), httpx.Response(200, json=door.upstream)
    seen = upstream(lambda request: broken if len(seen) < 7 else good)
    client = gateway()
    said = [door.ask(client) for _ in range(8)]
    assert len(seen) == 5
    assert [each.status_code for each in said[5:]] == [503] * 3
    told = door.check_refused(said[-1], 503, "provider_unavailable")
    assert "one has not answered" in told
    assert said[-1].headers["retry-after"] == "5"
    clock.now += 5
    door.ask(client)
    assert door.ask(client).status_code == 503
    assert len(seen) == 6
    clock.now += 10
    door.check_answered(door.ask(client))
    assert module.gates.failing == {}
