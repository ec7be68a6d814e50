"""The limit is exact over all workers, and changes of the registry reach all of them.

The tests stand in the order in which they share one minute. It does not pass by itself:
they move the times in the file that keeps the limit.
"""

import asyncio
import fcntl
import json
import struct
import time
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import aiohttp
import httpx
import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, PLAIN, Server, chat, wait_until
from tests.e2e.raw import Crew
from tests.e2e.replay import Replay

LIMIT, CALLS, WINDOW = 60, 300, 60.0
WORKERS = 4
# Before the times in the file that keeps a limit (gateway/limits/host.py).
RING_HEADER = struct.Struct("<8sQQ")


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
    """Many calls at once: how long they took, and (status, headers) of each answer."""

    seconds: float
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
    answers = asyncio.run(all_at_once())
    return Burst(time.monotonic() - began, answers)


def admitted(replay: Replay) -> int:
    """Return how many calls reached the upstream that has a limit."""
    return sum(each.path.startswith("/limited") for each in replay.calls)


@contextmanager
def admissions(gateway: Server) -> "Iterator[array[float]]":
    """The times of the calls that were admitted, oldest first, to be read or moved.

    In the file that keeps the limit: the one with the most of them.
    """
    rings = (gateway.data / "limits").glob("*.ring")
    sizes = {RING_HEADER.unpack_from(each.read_bytes())[2]: each for each in rings}
    count = max(sizes)
    with sizes[count].open("r+b") as ring:
        fcntl.flock(ring, fcntl.LOCK_EX)
        ring.seek(RING_HEADER.size)
        times = array("d", ring.read(8 * count))
        yield times
        ring.seek(RING_HEADER.size)
        ring.write(times)


def let_pass(gateway: Server, seconds: float) -> None:
    """Move the times of all admissions back: `seconds` need not be waited for."""
    with admissions(gateway) as times:
        times[:] = array("d", [each - seconds for each in times])


def begin_again(gateway: Server) -> None:
    """Let the minute be as young as it can be, however long a slow machine took."""
    with admissions(gateway) as times:
        past = time.monotonic() - times[-1]
    let_pass(gateway, -past)


@pytest.fixture(scope="module")
def first(gateway: Server) -> Burst:
    """Five times the limit, at once."""
    return burst(gateway, CALLS)


@pytest.mark.proves("7.1")
def test_exactly_the_limit_passes_and_all_others_are_told_when(first, replay):
    assert first.count(200) == LIMIT
    assert first.count(429) == CALLS - LIMIT
    assert admitted(replay) == LIMIT
    refused = [headers for status, headers in first.answers if status == 429]
    for headers in refused:
        assert WINDOW - first.seconds <= int(headers["retry-after"]) <= WINDOW


def test_who_is_refused_is_told_whose_limit_it_was(gateway, first):
    begin_again(gateway)
    error = gateway.chat("limited").json()["error"]
    assert error["type"] == "rate_limit_error"
    assert "This gateway's limit of 60 requests per minute" in error["message"]


def test_a_restart_does_not_reset_the_limit(gateway, first, replay):
    assert gateway.stop() == 0
    gateway.start()
    begin_again(gateway)
    assert [gateway.chat("limited").status_code for _ in range(8)] == [429] * 8
    assert admitted(replay) == LIMIT


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
        timeout=PATIENCE,
        **PLAIN,
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


def test_a_call_after_the_seconds_told_succeeds(gateway, first, replay):
    begin_again(gateway)
    told = seconds_to_wait(gateway)
    let_pass(gateway, told // 2)
    assert seconds_to_wait(gateway) <= told - told // 2
    let_pass(gateway, told - told // 2)
    assert gateway.chat("limited").status_code == 200
    second = burst(gateway, CALLS)
    assert second.count(200) <= LIMIT - 1
    with admissions(gateway) as times:
        assert LIMIT < len(times) == admitted(replay) <= 2 * LIMIT
        for earlier, later in zip(times, times[LIMIT:], strict=False):
            assert later - earlier >= WINDOW
