"""What Prometheus is told by a server of two workers."""

import concurrent.futures
import os
import signal
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.processes import wait_until

pytestmark = pytest.mark.slow

CALL = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
CALLS = 24


STARTER = "from providers import starter; starter.add_playground_llm()"


@pytest.fixture(scope="module")
def watched(server):
    running = server(workers=2)
    running.manage("shell", "-v", "0", "-c", STARTER)
    return running


def _told(server, **headers):
    answer = httpx.get(f"{server.url}/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def _sum(told, name, **labels):
    return sum(
        value
        for (each, *pairs), value in told.items()
        if each == name and labels.items() <= dict(pairs).items()
    )


def _call(server, key, **more):
    headers = {"authorization": f"Bearer {key}", "connection": "close"}
    return httpx.post(
        f"{server.url}/v1/chat/completions", json={**CALL, **more}, headers=headers
    )


def test_calls_of_all_workers_are_counted_and_survive_one_that_is_killed(watched):
    key = watched.key("bot")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: _call(watched, key), range(CALLS)))
    assert {answer.status_code for answer in answers} == {200}
    assert _call(watched, key, model="nobody-has-this").status_code == 404

    def counted():
        return _sum(_told(watched), "runagents_calls_total", outcome="ok")

    assert wait_until(lambda: counted() == CALLS, 5)
    # Who leads is told with the next second's numbers.
    assert wait_until(lambda: _sum(_told(watched), "runagents_leader") == 1, 5)
    told = _told(watched)
    (provider,) = {
        dict(pairs)["provider"]
        for (name, *pairs) in told
        if name == "runagents_provider_status"
    }
    of_model = {"provider": provider, "model": "gpt-4o-mini"}
    assert _sum(told, "runagents_tokens_total", kind="input", **of_model) > 0
    duration = "runagents_call_duration_seconds"
    assert _sum(told, f"{duration}_count", **of_model) == CALLS
    assert _sum(told, f"{duration}_bucket", le="+Inf", **of_model) == CALLS
    refused = {"outcome": "refused", "cause": "model_not_found", "model": ""}
    assert _sum(told, "runagents_calls_total", **refused) == 1
    assert _sum(told, "runagents_agent_calls_total", agent="bot") == CALLS + 1
    assert _sum(told, "runagents_workers") == 2
    assert _sum(told, "runagents_calls_open") == 0
    assert _sum(told, "runagents_resident_memory_bytes") > 1 << 20

    killed = watched.worker_pids()[0]
    # What it has put on the shelf by now outlives it.
    time.sleep(1.5)
    os.kill(killed, signal.SIGKILL)
    assert wait_until(
        lambda: (
            _sum(_told(watched), "runagents_workers") == 2
            and killed not in watched.worker_pids()
        ),
        10,
    )
    assert counted() == CALLS


def test_a_newer_format_is_told_to_who_asks_for_it(watched):
    wanted = "application/openmetrics-text; version=1.0.0"
    answer = httpx.get(f"{watched.url}/metrics", headers={"accept": wanted})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_nobody_without_the_token_is_told_anything(server):
    environ = {"METRICS_TOKEN": "tok-" + "x" * 20}
    running = server(**environ)
    for header in ("", "Bearer wrong", "Basic " + environ["METRICS_TOKEN"]):
        answer = httpx.get(f"{running.url}/metrics", headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "METRICS_TOKEN" in answer.json()["error"]["message"]
        assert environ["METRICS_TOKEN"] not in answer.text
    right = f"Bearer {environ['METRICS_TOKEN']}"
    assert _told(running, authorization=right)


def test_behind_a_proxy_this_machine_is_nobody_in_particular(server):
    running = server(PUBLIC_URL="https://models.test")
    answer = httpx.get(f"{running.url}/metrics")
    assert answer.status_code == 401
    assert "until METRICS_TOKEN is set" in answer.json()["error"]["message"]
