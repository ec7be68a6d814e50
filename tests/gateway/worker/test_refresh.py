"""The snapshot stays, recovers and is never left stale in silence."""

import asyncio
import logging
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from gateway.worker.chores import keep
from gateway.worker.registry import Registry
from gateway.worker.snapshot import Snapshot
from providers.database import notices
from providers.models import ModelProvider, OAuthToken


class _Away:
    """Stands in for a database that is away while `down` is set."""

    down = True

    def __call__(self, execute, *arguments: object) -> object:
        if self.down:
            raise OperationalError("the server closed the connection")
        return execute(*arguments)


def test_the_snapshot_outlives_the_database_and_follows_it_again(provider):
    row = provider()
    own = Registry()
    own.load()
    away = _Away()
    with connection.execute_wrapper(away):
        with pytest.raises(OperationalError):
            own.load()
        assert "gpt-4o-mini" in own.snapshot.targets
        away.down = False
        row.enabled = False
        row.save()
        own.load()
    assert own.snapshot.targets == {}


def test_a_start_without_a_database_is_not_ready_but_no_failure(provider):
    provider()
    own, away = Registry(), _Away()
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        own.load()
    assert not own.is_loaded
    own.load()
    assert own.is_loaded


@pytest.mark.parametrize(
    "changed",
    [
        {"authorization_url": "https://login.example.com/authorize"},
        {"token_url": "https://login.example.com/other"},
        {"scopes": "other"},
        {"endpoint": "http://127.0.0.1:10"},
    ],
    ids=str,
)
def test_a_changed_way_to_sign_in_is_used_from_the_next_call_on(provider, changed):
    row = provider(auth_type="none")
    fields = {"auth_type": "oauth2", "token_url": "https://login.example.com/token"}
    own = Registry()

    def auth() -> object:
        own.load()
        return own.snapshot.targets["gpt-4o-mini"][0].provider.auth

    def save(**values: str) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        row.save()

    save(**fields)
    before = auth()
    save(priority="7")
    assert auth() is before
    save(**changed)
    assert auth() is not before


def test_who_connects_again_is_used_from_the_next_call_on(provider):
    row = provider(
        auth_type="oauth2",
        token_url="https://login.example.com/token",
        authorization_url="https://login.example.com/authorize",
    )
    own = Registry()

    def auth() -> object:
        own.load()
        return own.snapshot.targets["gpt-4o-mini"][0].provider.auth

    token = OAuthToken(provider=row)
    token.store({"access_token": "one"})
    token.save()
    before = auth()
    token.store({"access_token": "refreshed"})
    token.save()
    assert auth() is before
    token.connected_at = timezone.now()
    token.save()
    assert auth() is not before


def test_a_row_of_an_unknown_type_leaves_the_others_in_service(provider):
    provider("good", models=("fine",))
    bad = provider("bad", models=("odd",))
    ModelProvider.objects.filter(pk=bad.pk).update(provider_type="future")
    own = Registry()
    own.load()
    assert set(own.snapshot.targets) == {"fine"}


def test_a_chore_that_fails_is_told_and_begins_anew(caplog):
    runs = []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise KeyError("broken")
        await asyncio.Event().wait()

    async def main() -> None:
        task = keep("test", work, pause=0)
        while len(runs) < 2:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert "The chore test failed." in caplog.text
    assert "KeyError" in caplog.text


def test_models_of_one_provider_keep_its_place(provider):
    provider("late", priority=5, models=("shared", "z"))
    provider("early", priority=1, models=("a", "shared"))
    own = Registry()
    own.load()
    names = [target.provider.name for target in own.snapshot.targets["shared"]]
    assert names == ["early", "late"]
    assert isinstance(own.snapshot, Snapshot)


def test_a_change_that_is_told_is_read_at_once(monkeypatch):
    """What is told wakes the poll; the next one by the clock would be in an hour."""
    told: list[Callable[[], None]] = []
    reads: asyncio.Queue[None] = asyncio.Queue()

    async def listen(heard: Callable[[], None]) -> None:
        told.append(heard)
        await asyncio.sleep(3600)

    async def refresh(own: Registry) -> bool:
        reads.put_nowait(None)
        return True

    monkeypatch.setattr(notices, "are_told", lambda: True)
    monkeypatch.setattr(notices, "listen", listen)
    monkeypatch.setattr(Registry, "refresh", refresh)
    monkeypatch.setattr("gateway.worker.registry.POLL_SECONDS", 3600.0)

    async def tell_twice() -> None:
        own = Registry()
        await own.start()
        try:
            await asyncio.wait_for(reads.get(), 60)
            for _ in range(2):
                told[0]()
                await asyncio.wait_for(reads.get(), 60)
        finally:
            await own.stop()

    asyncio.run(tell_twice())


@pytest.mark.parametrize("takes", [0.05, 3600])
def test_a_machine_that_stood_still_is_no_database_that_does_not_answer(
    monkeypatch, takes
):
    """Whoever waits for what is new has as much patience as before, and no more."""

    async def refresh(own: Registry) -> bool:
        await asyncio.sleep(takes if own._tasks else 0)
        return True

    monkeypatch.setattr(Registry, "refresh", refresh)
    monkeypatch.setattr(notices, "are_told", lambda: False)
    monkeypatch.setattr("gateway.worker.registry.PATIENCE_SECONDS", 0.2)

    async def ask_and_stand_still() -> bool:
        own = Registry()
        await own.start()
        try:
            asked = asyncio.create_task(own.catch_up())
            await asyncio.sleep(0.01)
            time.sleep(0.3)
            return await asyncio.wait_for(asked, 10)
        finally:
            await own.stop()

    assert asyncio.run(ask_and_stand_still()) is (takes < 1)
