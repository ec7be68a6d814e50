"""A worker tells its counts while calls go on."""

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.metrics import collection as module
from gateway.metrics.collection import Collection


@pytest.fixture
def collection(settings, tmp_path, monkeypatch):
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(module, "PUT_SECONDS", 0.01)
    return Collection()


@pytest.fixture
def replacing(monkeypatch) -> list[threading.Thread]:
    """Returns the threads that replaced a file."""
    threads: list[threading.Thread] = []
    replace = Path.replace

    def noted(self, target):
        threads.append(threading.current_thread())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", noted)
    return threads


def test_no_stream_waits_for_the_disk_that_metrics_go_to(collection, replacing):
    async def told() -> None:
        collection.start()
        async with asyncio.timeout(60):
            while len(replacing) < 3:
                await asyncio.sleep(0.01)
        await collection.stop()

    asyncio.run(told())
    assert threading.main_thread() not in replacing


def test_who_asks_while_others_tell_gets_all(collection, caplog):
    async def read() -> None:
        collection.start()
        told = await asyncio.gather(*[collection.read() for _ in range(20)])
        assert all(len(living) == 1 for _, living in told)
        await collection.stop()

    asyncio.run(read())
    assert not caplog.records
