"""The server as a process, and an upstream that it calls."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.clusters import Cluster
from tests.e2e.processes import Server
from tests.e2e.replay import Replay
from tests.redis_server import RedisServer


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all that stands beside this file: it starts real servers.

    The tests of a module share one: run them with xdist's `--dist loadfile`.
    """
    item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as a first run leaves it; servers start with a copy, sooner.

    One for all processes of xdist: whose turn is first makes it.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    first = Server(folder / "installation")
    made = folder / "installation" / "made"
    with (folder / "installation.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            made.parent.mkdir(exist_ok=True)
            first.start()
            assert first.stop() == 0
            made.touch()
    return first.data


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, installation: Path
) -> Iterator[Callable[..., Server]]:
    """Start servers: `server(registry, secrets, workers=1, LOG_LEVEL="DEBUG", ...)`.

    Each has data of its own, and the registry before it starts. They are stopped after
    the module's last test; a traceback in what one printed fails the module.
    """
    made: list[Server] = []

    def start(
        registry: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        *,
        workers: int = 1,
        **environ: str,
    ) -> Server:
        folder = tmp_path_factory.mktemp("server")
        each = Server(folder, workers, **environ)
        each.adopt(installation)
        if registry is not None:
            each.apply(registry, **(secrets or {}))
        made.append(each)
        return each.start()

    yield start
    for each in made:
        each.begin_to_stop()
    codes = [each.stop() for each in made]
    for each in made:
        assert not each.failures, each.log
    assert not any(codes), codes


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    """An upstream that answers as scripted."""
    with Replay() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running PostgreSQL."""
    # pytest's own folders are closed to the account that PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        made = Cluster(Path(folder))
        made.start()
        yield made
        made.stop()


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisServer]:
    """A running Redis."""
    # The path of a socket is short.
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        made = RedisServer(Path(folder))
        yield made
        made.stop()
