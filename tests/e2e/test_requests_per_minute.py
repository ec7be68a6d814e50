"""The limit is exact over all workers, and changes of the registry reach all of them.

The tests stand in the order in which they share one minute.
"""

import asyncio
import fcntl
import json
import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import aiohttp
import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import Server, chat, wait_until
from tests.e2e.raw import Crew
from tests.e2e.replay import Replay

LIMIT, CALLS, WINDOW = 60, 300, 60.0
WORKERS = 4
# Two seconds are promised; a busy machine may take more.
PATIENCE = 6.0
# Before the times in the file that keeps a limit (gateway/limits.py).
RING_HEADER_BYTES = 24


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Four workers, a provider with a limit and some to be changed."""
    dialects.install(replay)
    dialects.install(replay, "/limited")
    limited = f"{replay.url}/limited"
    names = ("lowered", "disabled", "renamed")
    return server(
        registries.registry(
            registries.openai("limited", limited, "limited", requests_per_minute=LIMIT),
            *(registries.openai(name, replay.url, name) for name in names),
        ),
        workers=WORKERS,
    )


class Burst(NamedTuple):
    """Many calls at once: when they began, and (status, headers) of each answer."""

    began: float
    answers: list[tuple[int, Any]]

    def count(self, status: int) -> int:
        """Return how many answers have a status."""
        return sum(found == status for found, _ in self.answers)


def burst(gateway: Server, count: int) -> Burst:
    """Send calls in parallel, each over a connection of its own."""

    async def call(session: aiohttp.ClientSession) -> tuple[int, Any]:
        async with session.post(gateway.chat_url, json=chat("limited")) as response:
            await response.read()
            return response.status, response.headers

    async def all_at_once() -> list[tuple[int, Any]]:
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as session:
            return await asyncio.gather(*(call(session) for _ in range(count)))

    began = time.monotonic()
    return Burst(began, asyncio.run(all_at_once()))


def admitted(replay: Replay) -> list[float]:
    """Return when calls reached the upstream that has a limit."""
    calls = [each for each in replay.calls if each.path.startswith("/limited")]
    return sorted(each.at for each in calls)


@pytest.fixture(scope="module")
def first(gateway: Server) -> Burst:
    """Five times the limit, at once."""
    return burst(gateway, CALLS)


@pytest.mark.proves("7.1")
def test_exactly_the_limit_passes_and_all_others_are_told_when(first, replay):
    assert first.count(200) == LIMIT
    assert first.count(429) == CALLS - LIMIT
    assert len(admitted(replay)) == LIMIT
    refused = [headers for status, headers in first.answers if status == 429]
    for headers in refused:
        assert WINDOW - 15 <= int(headers["retry-after"]) <= WINDOW


def test_who_is_refused_is_told_whose_limit_it_was(gateway, first):
    error = gateway.chat("limited").json()["error"]
    assert error["type"] == "rate_limit_error"
    assert "This gateway's limit of 60 requests per minute" in error["message"]


def test_a_restart_does_not_reset_the_limit(gateway, first, replay):
    assert gateway.stop() == 0
    gateway.start()
    assert time.monotonic() - first.began < WINDOW - 5
    assert [gateway.chat("limited").status_code for _ in range(8)] == [429] * 8
    assert len(admitted(replay)) == LIMIT


# --- changes, while the minute passes ---


@pytest.fixture(scope="module")
def workspace_key(gateway: Server, first: Burst) -> str:
    """A key of the HTTP API."""
    return gateway.key("operator", workspace=True)


@pytest.fixture(scope="module")
def crew(gateway: Server, workspace_key: str) -> Iterator[Crew]:
    """All four workers."""
    with Crew(gateway) as made:
        yield made


def statuses(crew: Crew, model: str, key: str = "") -> list[int]:
    """Ask every worker for a completion."""
    answers = crew.ask("POST", "/v1/chat/completions", chat(model), key)
    return [answer.status for answer in answers]


def listed(crew: Crew) -> list[set[str]]:
    """Return the models that each worker knows."""
    answers = [json.loads(answer.body) for answer in crew.ask("GET", "/v1/models")]
    return [{each["id"] for each in answer["data"]} for answer in answers]


def change(gateway: Server, key: str, method: str, path: str, body: Any = None) -> None:
    """Change something over the HTTP API."""
    response = httpx.request(
        method,
        f"{gateway.url}/api/v1/{path}",
        json=body,
        headers={"X-RunAgents-API-Key": key},
        trust_env=False,
        timeout=10,
    )
    assert response.is_success, response.text


def provider_object(replay: Replay, name: str, **options: Any) -> Any:
    """Return a provider as the HTTP API takes it."""
    return registries.openai(name, replay.url, name, **options)


def test_a_lowered_limit_holds_on_every_worker(gateway, workspace_key, replay, crew):
    assert statuses(crew, "lowered") == [200] * WORKERS
    lowered = provider_object(replay, "lowered", requests_per_minute=1)
    # A worker that lists the second model knows the limit as well.
    lowered["spec"]["models"].append("new")
    change(gateway, workspace_key, "POST", "model-providers", lowered)
    assert wait_until(lambda: all("new" in names for names in listed(crew)), PATIENCE)
    assert sorted(statuses(crew, "lowered")) == [200, 429, 429, 429]


def test_a_disabled_provider_is_gone_on_every_worker(
    gateway, workspace_key, replay, crew
):
    assert statuses(crew, "disabled") == [200] * WORKERS
    disabled = provider_object(replay, "disabled", enabled=False)
    change(gateway, workspace_key, "POST", "model-providers", disabled)
    gone = [404] * WORKERS
    assert wait_until(lambda: statuses(crew, "disabled") == gone, PATIENCE)


def test_a_deleted_provider_is_gone_on_every_worker(gateway, workspace_key, crew):
    assert statuses(crew, "renamed") == [200] * WORKERS
    change(gateway, workspace_key, "DELETE", "model-providers/renamed")
    gone = [404] * WORKERS
    assert wait_until(lambda: statuses(crew, "renamed") == gone, PATIENCE)


@pytest.mark.proves("2.3")
def test_a_key_holds_and_its_revocation_too_on_every_worker(gateway, crew):
    key = gateway.key("passing-by")
    assert 401 not in statuses(crew, "limited", key)
    gateway.manage("shell", "-v", "0", "-c", REVOKE)
    refused = [401] * WORKERS
    assert wait_until(lambda: statuses(crew, "limited", key) == refused, PATIENCE)


REVOKE = """
from runagents.agents.models import AgentKey
[key.delete() for key in AgentKey.objects.filter(agent__name="passing-by")]
"""


# --- the minute is over ---


def seconds_to_wait(gateway: Server) -> int:
    """Return what a call that is refused is told."""
    refused = gateway.chat("limited")
    assert refused.status_code == 429
    return int(refused.headers["retry-after"])


def let_pass(gateway: Server, seconds: int) -> None:
    """Move the times of all admissions back: `seconds` need not be waited for."""
    for path in (gateway.data / "limits").glob("*.ring"):
        with path.open("r+b") as ring:
            fcntl.flock(ring, fcntl.LOCK_EX)
            header = ring.read(RING_HEADER_BYTES)
            times = array("d", ring.read())
            ring.seek(len(header))
            ring.write(array("d", [time - seconds for time in times]))


def test_a_call_after_the_seconds_told_succeeds(gateway, first, replay):
    passed = max(0, seconds_to_wait(gateway) - 3)
    let_pass(gateway, passed)
    left = seconds_to_wait(gateway)
    assert left <= 3
    time.sleep(left)
    assert gateway.chat("limited").status_code == 200
    second = burst(gateway, CALLS)
    assert second.count(200) <= LIMIT - 1
    times = admitted(replay)
    assert LIMIT < len(times) <= 2 * LIMIT
    for earlier, later in zip(times, times[LIMIT:], strict=False):
        # The upstream sees a call a little after the gateway let it pass; on a busy
        # machine, later in the first burst than in the second.
        assert later - earlier > WINDOW - passed - 1.5
