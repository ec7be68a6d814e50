"""What Prometheus is told by a server of two workers."""

import concurrent.futures
import os
import signal

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.processes import PATIENCE, wait_until
from tests.e2e.raw import Crew, until_all_know

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
    answer = server.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    return _parsed(answer.text)


def _parsed(text):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
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
        f"{server.url}/v1/chat/completions",
        json={**CALL, **more},
        headers=headers,
        timeout=PATIENCE,
    )


def _figures(told):
    """What is told of the calls below and of the server, where it is known before."""
    of_model = {"provider": _provider(told), "model": CALL["model"]}
    duration = "runagents_call_duration_seconds"
    refused = {"outcome": "refused", "cause": "model_not_found", "model": ""}
    return {
        "ok": _sum(told, "runagents_calls_total", outcome="ok"),
        "timed": _sum(told, f"{duration}_count", **of_model),
        "in a bucket": _sum(told, f"{duration}_bucket", le="+Inf", **of_model),
        "refused": _sum(told, "runagents_calls_total", **refused),
        "of the agent": _sum(told, "runagents_agent_calls_total", agent="bot"),
        "open": _sum(told, "runagents_calls_open"),
        "workers": _sum(told, "runagents_workers"),
        "leaders": _sum(told, "runagents_leader"),
    }


EXPECTED = {
    **dict.fromkeys(("ok", "timed", "in a bucket"), CALLS),
    "refused": 1,
    "of the agent": CALLS + 1,
    "open": 0,
    "workers": 2,
    "leaders": 1,
}


def _provider(told):
    names = {
        dict(pairs)["provider"]
        for (name, *pairs) in told
        if name == "runagents_provider_status"
    }
    (name,) = names
    return name


def test_calls_of_all_workers_are_counted_and_survive_one_that_is_killed(watched):
    key = watched.key("bot")
    until_all_know(watched, key, CALL["model"])
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: _call(watched, key), range(CALLS)))
    assert {answer.status_code for answer in answers} == {200}
    assert _call(watched, key, model="nobody-has-this").status_code == 404

    # Each tells its own as they are now, and the other's as they were when that was
    # asked or had a second to tell.
    with Crew(watched) as crew:
        told = []

        def is_counted_by_both():
            answers = crew.ask("GET", "/metrics")
            told[:] = [_parsed(each.body.decode()) for each in answers]
            return [_figures(each) for each in told] == [EXPECTED, EXPECTED]

        assert wait_until(is_counted_by_both, 30), [_figures(each) for each in told]
    of_model = {"provider": _provider(told[0]), "model": CALL["model"]}
    assert _sum(told[0], "runagents_tokens_total", kind="input", **of_model) > 0
    assert _sum(told[0], "runagents_resident_memory_bytes") > 1 << 20

    # What it has told the other outlives it.
    killed = watched.worker_pids()[0]
    os.kill(killed, signal.SIGKILL)
    assert wait_until(
        lambda: (
            _sum(_told(watched), "runagents_workers") == 2
            and killed not in watched.worker_pids()
        ),
        30,
    )
    assert _figures(_told(watched))["ok"] == CALLS


def test_a_newer_format_is_told_to_who_asks_for_it(watched):
    wanted = "application/openmetrics-text; version=1.0.0"
    answer = watched.get("/metrics", headers={"accept": wanted})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_nobody_without_the_token_is_told_anything(server):
    environ = {"METRICS_TOKEN": "tok-" + "x" * 20}
    running = server(**environ)
    for header in ("", "Bearer wrong", "Basic " + environ["METRICS_TOKEN"]):
        answer = running.get("/metrics", headers={"authorization": header})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "METRICS_TOKEN" in answer.json()["error"]["message"]
        assert environ["METRICS_TOKEN"] not in answer.text
    right = f"Bearer {environ['METRICS_TOKEN']}"
    assert _told(running, authorization=right)


def test_behind_a_proxy_this_machine_is_nobody_in_particular(server):
    running = server(PUBLIC_URL="https://models.test")
    answer = running.get("/metrics")
    assert answer.status_code == 401
    assert "until METRICS_TOKEN is set" in answer.json()["error"]["message"]
