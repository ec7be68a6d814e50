"""The clients that the tests' own environment has, with every kind of provider."""

from collections.abc import Callable

import pytest

from tests.clients import page, providers, running
from tests.clients.installing import HERE, locked
from tests.clients.providers import PROVIDERS, Gateway
from tests.clients.table import CLIENTS, REASONS, Client
from tests.e2e.conftest import installation, replay, server
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

__all__ = ["installation", "replay", "server"]

LOCKED = [client for client in CLIENTS if client.is_locked]
CHAT = CLIENTS[0]


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Gateway:
    """A gateway with every provider."""
    providers.install(replay)
    made = server(providers.registry(replay))
    return Gateway(made.url, made.key("clients"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "client", LOCKED, ids=[" ".join((c.door, *c.script)) for c in LOCKED]
)
def test_a_client_gets_what_it_asks_of_every_provider(gateway, client):
    failures = running.run(client, gateway, locked())
    assert not page.unexplained(client, failures)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_has_a_script(client):
    assert (HERE / client.kind / client.script[0]).exists()
    assert set(client.tasks) <= running.EXPECTED.keys()


def test_reasons_are_of_clients_and_providers_that_there_are():
    names = {provider.name for provider in PROVIDERS}
    known = {(c.script[0], n, t) for c in CLIENTS for n in names for t in c.tasks}
    assert set(REASONS) <= known


def told(task: str, **outcome: object) -> dict[str, object]:
    return {"provider": "ollama", "task": task, **outcome}


def test_a_task_fails_by_what_it_got_by_an_error_and_by_silence():
    lines = [
        told("plain", got=running.SAID),
        told("streamed", got=[running.SAID]),
        told("tools", error="APIError: no"),
        told("structured", got={"city": "Paris", "degrees": 18}),
    ]
    failures = running.judge(CHAT, lines, "it broke")["ollama"]
    assert failures == {
        "streamed": f"got {[running.SAID]!r}",
        "tools": "APIError: no",
        "streamed_tools": "nothing: it broke",
    }


def test_the_table_says_what_failed_and_leaves_the_rest_of_the_page():
    client = Client("`name`", "door", "python", ("script.py",))
    failures: running.Failures = {each.name: {} for each in PROVIDERS[1:]}
    failures["ollama"]["tools"] = "no"
    lines = page.table({client: failures})
    assert lines[-1].startswith("| `name` | door | \N{EN DASH} | \N{CHECK MARK} |")
    assert lines[-1].endswith("| **FAIL**: tools |")
    once = page.with_table("# Conformance\n", lines)
    assert page.with_table(once, lines) == once
    assert page.kept(once).startswith(page.TITLE)
