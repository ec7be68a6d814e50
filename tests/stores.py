"""The tests of database and limits on PostgreSQL and Redis: `python -m tests.stores`.

`pytest` alone keeps everything in SQLite and on this host. Here tests that touch the
database or limits run on servers of their own: each case of those that are about what
is asked of the two, and the first case of every other. What is marked slow is left out:
it says itself what its servers run on, as test_postgresql.py and test_two_hosts.py.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.clusters import Cluster
from tests.redis_server import RedisServer

FOLDER = Path(__file__).parent
LIMITS = FOLDER / "gateway/limits"
# What is asked of the stores differs there from case to case.
WITH_EVERY_CASE = (
    LIMITS,
    *(FOLDER / "gateway" / name for name in ("console", "ledger", "worker")),
)
# Whole folders of slow tests, and of tests that need no store: not even read.
LEFT_OUT = [FOLDER / name for name in ("browser", "conformance", "e2e", "recordings")]
LEFT_OPEN = "<psycopg.Connection object"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Pass by what would be left out anyway."""
    return True if collection_path in LEFT_OUT else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out what touches neither store, and what says the same of them again."""
    seen: set[str] = set()
    kept, left = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        is_new = name not in seen or _is_below(item, WITH_EVERY_CASE)
        (kept if _touches_a_store(item) and is_new else left).append(item)
        seen.add(name)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def _touches_a_store(item: pytest.Item) -> bool:
    if item.get_closest_marker("slow"):
        return False
    asks = {"db", "transactional_db"} & set(getattr(item, "fixturenames", ()))
    marked = item.get_closest_marker("django_db") is not None
    return bool(asks) or marked or _is_below(item, (LIMITS,))


def _is_below(item: pytest.Item, folders: tuple[Path, ...]) -> bool:
    return any(each in item.path.parents for each in folders)


def main(arguments: list[str]) -> int:
    """Run pytest on servers of its own; returns its exit code."""
    with ExitStack() as stack:
        # PostgreSQL's account has to reach its folder.
        folders = [
            Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"{name}-")))
            for name in ("postgresql", "redis")
        ]
        cluster, redis = Cluster(folders[0]), RedisServer(folders[1])
        stack.callback(redis.stop)
        cluster.start()
        stack.callback(cluster.stop)
        command = [sys.executable, "-m", "pytest", "-p", "tests.stores", *arguments]
        # Threads that tests left hold connections: databases go with their server.
        command += ["--reuse-db", "-W", f"ignore:{LEFT_OPEN}:ResourceWarning"]
        where = {"DATABASE_URL": cluster.url, "REDIS_URL": redis.url}
        return subprocess.run(command, env={**os.environ, **where}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
