"""The database file taken away and replaced under a running server."""

import os
import shutil
from collections.abc import Callable

import pytest

from tests.e2e import dialects, registries
from tests.e2e.processes import PATIENCE, Server, wait_until
from tests.e2e.raw import until_all_know
from tests.e2e.replay import Replay


@pytest.fixture
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Two workers that know one model."""
    dialects.install(replay)
    return server(
        registries.registry(registries.openai("first", replay.url, "fine")), workers=2
    )


def test_a_restored_database_is_followed_and_a_missing_one_is_a_503(gateway):
    file = gateway.data / "runagents.sqlite3"
    old = gateway.key("old")
    copy = gateway.data / "copy.sqlite3"
    assert "encryption_key" in gateway.manage("backup", str(copy))
    late = gateway.key("late")
    # Who has not read a key cannot judge it without a database.
    until_all_know(gateway, late, "fine")
    assert _status(gateway, late) == 200

    gateway.expected = "unable to open database file"
    taken = gateway.data / "taken.sqlite3"
    os.rename(file, taken)
    assert wait_until(lambda: gateway.get("/login/").status_code == 503, PATIENCE)
    assert not file.exists()
    assert gateway.chat("fine", headers=_key(late)).status_code == 200

    for name in ("-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)
    shutil.copy(copy, file.with_suffix(".new"))
    os.rename(file.with_suffix(".new"), file)
    assert wait_until(lambda: gateway.get("/login/").status_code == 200, PATIENCE)
    assert wait_until(
        lambda: {_status(gateway, late) for _ in range(8)} == {401}, PATIENCE
    )
    assert {_status(gateway, old) for _ in range(8)} == {200}
    # Calls made while it was away are stored in the new one.
    assert len(gateway.rows(8 + 1)) >= 8 + 1
    assert gateway.failures == []


def _key(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _status(gateway: Server, key: str) -> int:
    return gateway.chat("fine", headers=_key(key)).status_code
