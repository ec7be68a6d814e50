"""What a process hands to its own flusher is what the flusher would have read."""

import os
import random
from contextlib import suppress
from functools import partial
from types import SimpleNamespace

import pytest
from django.db import DatabaseError

from gateway.errors import GatewayError
from gateway.ledger import flusher as flushing
from gateway.ledger import fresh as keeping
from gateway.ledger import rows
from gateway.ledger.flusher import Flusher
from gateway.ledger.spool import Entry, Spool
from gateway.models import CallBody, CallerKind, UsageRecord

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {"caller": "bot", "caller_kind": "agent", "provider": "p", "model": "m"}
ODD = (
    {},
    {"dropped": ("top_k",), "downgraded": ()},
    {"details": {"n": 1, "why": ("a", "b")}},
    {"caller_kind": CallerKind.AGENT, "outcome_was": 1},
    {"error_message": "x\x00" + "y" * 3000},
    {"prices": {"input": "1", "output": "2"}, "input_tokens": 3, "output_tokens": 4},
    {"input_tokens": True, "status": 2.0},
    {"provider": None},
    {"bodies": {"asked": {"model": "m"}}},
)


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def call(spool, **fields):
    entry = Entry(spool, **{**FIELDS, **fields})
    entry.began()
    entry.ended("ok", status=200)


def unread(*_):
    raise AssertionError("a file was read")


def stored():
    return sorted(row[1:] for row in UsageRecord.objects.values_list())


def test_what_was_just_written_is_not_read(spool, monkeypatch):
    flusher = Flusher(spool.folder)
    call(spool, request_id="before")
    long = Entry(spool, **FIELDS, request_id="long")
    long.began()
    assert flusher.flush(spool.take()) == 1
    monkeypatch.setattr(flushing, "_read", unread)
    call(spool, request_id="next")
    assert flusher.flush(spool.take()) == 1
    long.ended("client_closed")
    assert flusher.flush(spool.take()) == 1
    assert flusher.flush(spool.take()) == 0
    told = UsageRecord.objects.order_by("pk").values_list("request_id", "outcome")
    assert [*told] == [("before", "ok"), ("next", "ok"), ("long", "client_closed")]


@pytest.mark.parametrize("outcome", UsageRecord.Outcome)
def test_a_row_is_stored_as_it_is_however_its_call_ended(spool, monkeypatch, outcome):
    """Streams tell their end by a member of the enumeration."""
    flusher = Flusher(spool.folder)
    call(spool, request_id="before")
    assert flusher.flush(spool.take()) == 1
    monkeypatch.setattr(rows, "_values", None)  # the way of rows that are mended
    entry = Entry(spool, **FIELDS, request_id="next")
    entry.began()
    entry.ended(outcome, status=200)
    assert flusher.flush(spool.take()) == 1
    assert UsageRecord.objects.get(request_id="next").outcome == outcome


def test_what_is_not_taken_is_not_kept(spool):
    call(spool)
    assert spool._fresh is None
    spool.take()
    for _ in range(keeping.MOST + 1):
        assert spool._fresh is not None
        call(spool)
    assert spool._fresh is None
    assert Flusher(spool.folder).flush(spool.take()) == keeping.MOST + 2


def test_who_flushes_is_called_where_many_wait(spool):
    called = []
    spool.call_flusher = lambda: called.append(1)
    call(spool)
    spool.take()
    for _ in range(keeping.MANY - 1):
        call(spool)
    assert not called
    call(spool)
    assert called


@pytest.mark.proves("8.1")
def test_what_comes_before_a_file_is_left_is_stored_though_it_was_not_handed_over(
    spool, monkeypatch
):
    flusher = Flusher(spool.folder)
    flusher.flush(spool.take())
    call(spool, request_id="before")
    taken = spool.take()
    call(spool, request_id="meanwhile")
    monkeypatch.setattr("gateway.ledger.spool.SEGMENT_BYTES", 1)
    call(spool, request_id="in the next file")
    flusher.flush(taken)
    flusher.flush(spool.take())
    told = UsageRecord.objects.values_list("request_id", flat=True)
    assert {*told} == {"before", "meanwhile", "in the next file"}


@pytest.mark.proves("8.1")
def test_what_calls_cost_is_counted_once_where_the_database_fails_amid_them(
    spool, monkeypatch
):
    monkeypatch.setattr(flushing, "BATCH", 4)
    flusher, store, times = Flusher(spool.folder), rows.store, []

    def fails_once(lines, costs):
        times.append(1)
        if len(times) == 2:
            raise DatabaseError
        return store(lines, costs)

    call(spool)
    flusher.flush(spool.take())
    used = {"input_tokens": 1_000_000, "output_tokens": 0}
    for _ in range(6):
        call(spool, prices={"input": "1", "output": "2"}, **used)
    monkeypatch.setattr("gateway.ledger.flusher.rows.store", fails_once)
    for _ in range(2):
        with suppress(DatabaseError):
            flusher.flush(spool.take())
    assert UsageRecord.objects.count() == 7
    assert flusher.costs == {("p", "m"): 6.0}


@pytest.mark.proves("8.1")
@pytest.mark.parametrize("seed", range(12))
def test_whatever_happens_the_rows_are_those_of_the_file(tmp_path, monkeypatch, seed):
    """Calls in any order, files that change, disks and databases that fail."""
    clock = SimpleNamespace(time=lambda: 1.79e9 + 0.5, monotonic=lambda: 7.0)
    monkeypatch.setattr("gateway.ledger.spool.time", clock)
    monkeypatch.setattr("gateway.ledger.spool.SEGMENT_BYTES", 2500 + 500 * seed)
    monkeypatch.setattr(flushing, "BATCH", 4)
    monkeypatch.setattr("gateway.ledger.spool.MOST", 9)
    outcomes = []
    for hands_over in (True, False):
        spool = Spool(tmp_path / f"{hands_over}")
        files = happen(spool, monkeypatch, seed, hands_over)
        bodies = sorted(CallBody.objects.values_list("call_id"))
        outcomes.append((stored(), bodies, files))
        UsageRecord.objects.all().delete()
        CallBody.objects.all().delete()
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][0]) > 50


def happen(spool, monkeypatch, seed, hands_over):
    """Let things happen by chance, the same for the same seed; then flush.

    Returns how many files were left while two calls still went on.
    """
    chance, flusher, going = random.Random(seed), Flusher(spool.folder), []
    store = rows.store

    def flush(calls=0):
        taken = spool.take() if hands_over else ()
        # Its thread begins a moment later.
        for meanwhile in range(calls):
            entry = Entry(spool, **FIELDS, request_id="meanwhile")
            entry.call_id = f"{number:020}.{meanwhile:03}"
            entry.began()
            entry.ended("ok")
        flusher.flush(taken)

    def fails(lines, costs):
        store(lines[:2], costs)
        raise DatabaseError

    for number in range(250):
        match chance.randrange(20):
            case 0 | 1 | 2 | 3:
                flush(chance.randrange(5))
            case 4:
                with monkeypatch.context() as away, suppress(DatabaseError):
                    away.setattr("gateway.ledger.flusher.rows.store", fails)
                    flush()
            case 5:
                spool.write({})
            case 6:
                with monkeypatch.context() as full:
                    cut = partial(cut_short, os.write, chance.randrange(40))
                    full.setattr("gateway.ledger.spool.os.write", cut)
                    spool.write({"begin": "cut", "caller": "x"})
            case 7:
                entry = Entry(spool, **FIELDS)
                entry.call_id = f"{number:024}"
                entry.refused(GatewayError(404, "not_found_error", "No."))
            case 8 | 9 | 10 | 11 | 12 | 13 if going:
                entry = going.pop(chance.randrange(len(going)))
                entry.ended("ok", status=200, **chance.choice(({}, {"frames": "x"})))
            case _:
                told = {**FIELDS, **chance.choice(ODD), "request_id": f"r{number}"}
                entry = Entry(spool, **told)
                entry.call_id = f"{number:024}"
                entry.began()
                going.append(entry)
    for entry in going[2:]:
        entry.ended("ok")
    flush()
    flush()
    files = len(list(spool.folder.glob("*.jsonl")))
    spool.close()
    flusher.flush()
    assert not list(spool.folder.glob("*.jsonl"))
    return files


def cut_short(write, most, file, text):
    return write(file, text[:most])
