"""What a worker is in trouble with is known to all of the host, and then forgotten."""

import asyncio
import errno
import os

import pytest

from gateway.ledger.spool import Spool
from gateway.limits.host import HostLimiter
from gateway.limits.shared import SharedLimiter
from gateway.worker import registry, troubles
from gateway.worker.registry import Registry
from gateway.worker.runtime import runtime
from gateway.worker.troubles import LIMITS, REGISTRY, USAGE, Board


@pytest.fixture
def boards(tmp_path, monkeypatch):
    """Those of two workers."""
    made = []
    for number in (71, 72):
        monkeypatch.setattr("gateway.worker.troubles.os.getpid", lambda n=number: n)
        made.append(Board(tmp_path))
        made[-1].open()
    return made


def _full(*_arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_worker_sees_what_another_is_in_trouble_with(boards):
    first, second = boards
    first.show({USAGE: "No space left on device"})
    assert second.seen() == {USAGE: "No space left on device"}
    second.show({LIMITS: "ConnectionError"})
    assert first.seen().keys() == {USAGE, LIMITS}
    first.show({})
    assert second.seen() == {LIMITS: "ConnectionError"}


def test_the_file_keeps_its_size_whatever_is_told(boards, tmp_path):
    first, second = boards
    long = "ü" * 300
    first.show({USAGE: long, LIMITS: long, REGISTRY: long})
    assert {path.stat().st_size for path in tmp_path.iterdir()} == {troubles.SIZE}
    assert second.seen().keys() == {USAGE, LIMITS, REGISTRY}


def test_what_a_dead_worker_told_is_thrown_away(boards, tmp_path):
    first, second = boards
    first.show({USAGE: "No space left on device"})
    os.close(first._file)
    assert second.seen() == {}
    assert [path.name for path in tmp_path.iterdir()] == ["72.json"]


@pytest.mark.proves("9.4")
def test_a_worker_without_a_place_knows_its_own(tmp_path, caplog):
    (tmp_path / "file").touch()
    board = Board(tmp_path / "file" / "troubles")
    board.open()
    board.show({USAGE: "Not a directory"})
    assert board.seen() == {USAGE: "Not a directory"}
    assert "not told to others" in caplog.text


def test_usage_is_recorded_again_without_a_call(tmp_path, monkeypatch):
    spool = Spool(tmp_path)
    with monkeypatch.context() as full:
        full.setattr("gateway.ledger.spool.os.write", _full)
        spool.write({"begin": "lost"})
        spool.recover()
        assert spool.trouble == "No space left on device"
        assert spool.dropped == 1
    spool.recover()
    assert spool.trouble == ""


def test_redis_is_away_until_it_gives_a_sign_of_life(tmp_path, monkeypatch):
    async def work():
        url = f"unix://{tmp_path}/redis.sock"
        limiter = SharedLimiter(url, HostLimiter(tmp_path), budget=30)
        assert await limiter.wait_time("p", 1) == 0
        await limiter.recover()
        before = limiter.trouble

        async def ask(*words):
            assert words[0] == b"EVALSHA"
            return b"0"

        monkeypatch.setattr(limiter._line, "ask", ask)
        await limiter.recover()
        after = limiter.trouble
        await limiter.aclose()
        return before, after

    assert asyncio.run(work()) == ("ConnectionError", "")


def test_an_old_snapshot_is_told_with_its_age(monkeypatch, db):
    own = Registry()
    assert own.trouble == "", "nothing was read yet"
    own.load()
    assert own.trouble == ""
    clock = own._confirmed_at
    monkeypatch.setattr(registry.time, "monotonic", lambda: clock + 42)
    assert own.trouble == "42 s"
    monkeypatch.setattr(registry.time, "monotonic", lambda: clock + 9000)
    assert own.trouble == "2.5 h"


def test_the_chore_tells_and_takes_back(tmp_path, monkeypatch):
    spool = Spool(tmp_path / "spool")
    monkeypatch.setattr(runtime, "spool", spool)
    monkeypatch.setattr(runtime, "board", Board(tmp_path / "troubles"))
    with monkeypatch.context() as full:
        full.setattr("gateway.ledger.spool.os.write", _full)
        spool.write({"begin": "lost"})
        asyncio.run(runtime.tell_troubles())
    assert runtime.board.seen() == {USAGE: "No space left on device"}
    asyncio.run(runtime.tell_troubles())
    assert runtime.board.seen() == {}


def test_the_console_says_what_helps_until_it_is_over(
    logged_in_client, tmp_path, monkeypatch
):
    board = Board(tmp_path)
    monkeypatch.setattr(runtime, "board", board)
    board.show({USAGE: "No space left on device", LIMITS: "X", REGISTRY: "42 s"})
    page = logged_in_client.get("/models/").content.decode()
    assert "Usage cannot be recorded (No space left on device)" in page
    assert "RUNAGENTS_DATA_DIR" in page
    assert "REDIS_URL" in page
    assert "DATABASE_URL" in page
    board.show({})
    page = logged_in_client.get("/models/").content.decode()
    assert "cannot be recorded" not in page
