"""Every call that went upstream becomes one row, whatever happens in between."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection

from gateway.ledger import lines, rows
from gateway.ledger.flusher import REFUSED, Flusher
from gateway.ledger.spool import Entry, Spool
from gateway.ledger.usage import usage_fields
from gateway.models import UsageRecord
from gateway.wire import jsontext
from tests.at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = {
    "request_id": "req_1",
    "caller": "local",
    "caller_kind": "local",
    "provider": "openai",
    "provider_type": "openai",
    "endpoint": "https://api.openai.com",
    "model": "gpt-4o-mini",
    "upstream_model": "gpt-4o-mini",
}


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path)
    yield spool
    spool.close()


def test_a_call_becomes_one_row_with_its_cost(spool):
    entry = Entry(spool, **FIELDS)
    entry.began()
    entry.ended("ok", status=200, input_tokens=1000, output_tokens=1000)
    flusher = Flusher(spool.folder)
    flusher.flush()
    flusher.flush()
    row = UsageRecord.objects.get()
    assert (row.outcome, row.status, row.provider) == ("ok", 200, "openai")
    assert row.cost == Decimal("0.00075")


def test_a_price_of_the_administrator_replaces_the_list_price(spool):
    prices = {"input": "1", "output": "2", "cached_input": "0.5"}
    entry = Entry(spool, **FIELDS, prices=prices)
    entry.began()
    entry.ended("ok", input_tokens=1_000_000, output_tokens=500_000, cached_tokens=0)
    Flusher(spool.folder).flush()
    assert UsageRecord.objects.get().cost == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"upstream_model": "my-own-model"},
        {"endpoint": "http://127.0.0.1:8000/sandbox"},
    ],
)
def test_an_unknown_price_is_unknown(spool, fields):
    entry = Entry(spool, **{**FIELDS, **fields})
    entry.began()
    entry.ended("ok", input_tokens=10, output_tokens=10)
    Flusher(spool.folder).flush()
    assert UsageRecord.objects.get().cost is None


@pytest.mark.parametrize(
    ("model", "lasting", "cost"),
    [
        ("claude-opus-4-5", 0, "6.25"),
        ("claude-opus-4-5", 1_000_000, "10"),
        ("claude-opus-4-5", 400_000, "7.75"),
        # Its price depends on the length of the prompt.
        ("claude-sonnet-4-5", 100_000, "0.6"),
        ("claude-3-haiku-20240307", 9_000_000, "0.5"),
    ],
)
def test_an_hour_in_the_cache_costs_more_than_minutes(spool, model, lasting, cost):
    fields = {**FIELDS, "provider_type": "anthropic", "upstream_model": model}
    written = 100_000 if model == "claude-sonnet-4-5" else 1_000_000
    entry = Entry(spool, **fields)
    entry.began()
    usage = {
        "prompt_tokens": written,
        "completion_tokens": 0,
        "prompt_tokens_details": {"cache_write_tokens": written},
        "cache_creation": {"ephemeral_1h_input_tokens": lasting},
    }
    entry.ended("ok", **usage_fields(usage))
    Flusher(spool.folder).flush()
    assert UsageRecord.objects.get().cost == Decimal(cost)


def test_a_call_refused_before_sending_leaves_no_row(spool):
    Entry(spool, **FIELDS).ended("upstream_error", status=400)
    Flusher(spool.folder).flush()
    assert not UsageRecord.objects.exists()


def test_a_call_still_going_on_is_not_stored_yet(spool):
    entry = Entry(spool, **FIELDS)
    entry.began()
    flusher = Flusher(spool.folder)
    flusher.flush()
    assert not UsageRecord.objects.exists()
    entry.ended("ok")
    flusher.flush()
    assert UsageRecord.objects.get().outcome == "ok"


@pytest.mark.proves("8.1")
def test_a_killed_process_leaves_interrupted_rows(tmp_path):
    script = (
        "import os, signal, sys, pathlib\n"
        "from gateway.ledger.spool import Entry, Spool\n"
        "spool = Spool(pathlib.Path(sys.argv[1]))\n"
        f"done, cut = Entry(spool, **{FIELDS!r}), Entry(spool, **{FIELDS!r})\n"
        "done.began(); cut.began(); done.ended('ok')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    Flusher(tmp_path).flush()
    outcomes = UsageRecord.objects.values_list("outcome", flat=True)
    assert sorted(outcomes) == ["interrupted", "ok"]
    assert not list(tmp_path.glob("*.jsonl"))


@pytest.mark.proves("8.1")
def test_a_batch_read_twice_stores_nothing_twice(spool):
    entry = Entry(spool, **FIELDS)
    entry.began()
    entry.ended("ok")
    Flusher(spool.folder).flush()
    Flusher(spool.folder).flush()
    assert UsageRecord.objects.count() == 1


@pytest.mark.proves("8.1")
@pytest.mark.parametrize(
    "bad",
    [{"provider": None}, {"input_tokens": 10**30}, {"reasoning_tokens": 10**30}],
)
def test_a_row_the_database_refuses_does_not_hold_up_the_others(spool, bad):
    for fields in (bad, {}):
        entry = Entry(spool, **{**FIELDS, **fields})
        entry.began()
        entry.ended("ok")
    Flusher(spool.folder).flush()
    assert UsageRecord.objects.get().provider == "openai"


def test_a_refused_row_is_set_aside_without_its_bodies(spool):
    entry = Entry(spool, **{**FIELDS, "provider": None, "bodies": {"asked": "prompt"}})
    entry.began()
    entry.ended("ok")
    flusher = Flusher(spool.folder)
    flusher.flush()
    flusher.flush()
    (line,) = (spool.folder / REFUSED).read_text().splitlines()
    assert json.loads(line)["request_id"] == "req_1"
    assert "prompt" not in line
    assert (spool.folder / REFUSED).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "bad",
    [
        {"started_at": "yesterday"},
        {"started_at": 1e20},
        {"prices": 3},
        {"prices": {"input": "x", "output": "2"}},
        {"status": "x"},
        {"key_hint": ["x"]},
    ],
    ids=str,
)
def test_a_line_that_makes_no_row_holds_up_no_other(spool, bad):
    for name, fields in (("first", {}), ("bad", bad), ("last", {})):
        line = {"started_at": 1.0, **FIELDS, "request_id": name, **fields}
        spool.write({"begin": name, **line})
        spool.write({"end": name, "outcome": "ok", "input_tokens": 1, **fields})
    flusher = Flusher(spool.folder)
    flusher.flush()
    flusher.flush()
    stored = UsageRecord.objects.values_list("call_id", flat=True)
    assert {"first", "last"} <= set(stored)
    refused = spool.folder / REFUSED
    told = refused.read_text().splitlines() if refused.exists() else []
    assert len(told) + len(stored) == 3


def test_five_hundred_rows_around_a_refused_one_are_stored_once(spool):
    for number in range(510):
        fields = {"provider": None} if number == 255 else {}
        entry = Entry(spool, **{**FIELDS, "request_id": f"r{number}", **fields})
        entry.began()
        entry.ended("ok")
    Flusher(spool.folder).flush()
    Flusher(spool.folder).flush()
    stored = UsageRecord.objects.values_list("request_id", flat=True)
    assert sorted(stored) == sorted(f"r{n}" for n in range(510) if n != 255)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own way")
def test_however_many_rows_come_few_statements_store_them(spool):
    texts: set[str] = set()
    connection.ensure_connection()
    connection.connection.set_trace_callback(texts.add)
    for count in range(1, 70):
        for _ in range(count):
            entry = Entry(spool, **FIELDS)
            entry.began()
            entry.ended("ok")
        Flusher(spool.folder).flush()
    connection.connection.set_trace_callback(None)
    kinds = {text.count("(") for text in texts if text.startswith("INSERT")}
    assert UsageRecord.objects.count() == sum(range(1, 70))
    assert len(kinds) <= 3


@pytest.mark.parametrize("differing", [0, 1, 4, 30])
def test_rows_that_share_values_are_each_stored_with_its_own(spool, differing):
    """Whatever rows have in common, each comes back as it would if stored alone."""
    chance = random.Random(differing)
    texts = ("", "a", "b", "\u00e9\u4e2d")
    numbers = (None, 0, 1, 30_000)
    blank = {**lines.BLANK, **FIELDS, "started_at": 1_790_000_000.25}
    choices = {str: texts, bool: (False, True), list: ([], ["top_k"], ["seed"])}
    names = sorted(blank.keys() - {"call_id", "failed", "prices"})
    chance.shuffle(names)
    told = []
    for number in range(137):
        fields = {**blank, "call_id": f"c{number:03}"}
        for name in names[:differing]:
            kinds = choices.get(type(lines.BLANK[name]), numbers)
            kinds = ({}, {"n": 1}, {"n": 2}) if name == "details" else kinds
            kinds = (2.0, 2.5, 1e9 + 1e-6) if name == "started_at" else kinds
            fields[name] = chance.choice(kinds)
        told.append([fields[name] for name in lines.BLANK])
    assert rows.store(told, {}) == []
    together = sorted(UsageRecord.objects.values_list())
    UsageRecord.objects.all().delete()
    for row in told:
        assert rows.store([row], {}) == []
    alone = sorted(UsageRecord.objects.values_list())
    assert [row[1:] for row in together] == [row[1:] for row in alone]
    assert len(alone) == 137


def test_a_text_with_nul_or_too_long_is_stored_mended(spool):
    entry = Entry(spool, **{**FIELDS, "request_id": "a\x00b", "model": "m" * 9000})
    entry.began()
    entry.ended("ok")
    Flusher(spool.folder).flush()
    row = UsageRecord.objects.get()
    assert row.request_id == "a\ufffdb"
    assert len(row.model) == 512


def test_a_long_stream_survives_the_change_of_file(spool, monkeypatch):
    monkeypatch.setattr("gateway.ledger.spool.SEGMENT_BYTES", 1)
    long = Entry(spool, **FIELDS)
    long.began()
    flusher = Flusher(spool.folder)
    for _ in range(3):
        entry = Entry(spool, **FIELDS)
        entry.began()
        entry.ended("ok")
        flusher.flush()
    long.ended("client_closed")
    flusher.flush()
    assert UsageRecord.objects.count() == 4
    assert len(list(spool.folder.glob("*.jsonl"))) == 1


@pytest.mark.parametrize("columns", [[], ["of", "another", "version"]], ids=len)
def test_a_file_of_another_version_is_read(tmp_path, columns):
    """Older ones wrote an object for the end too, another may have other columns."""
    begin = {"begin": "one", "started_at": 1_790_000_000.5, **FIELDS}
    end = {"end": "one", "outcome": "ok", "status": 200, "input_tokens": 3}
    told = {"call_id": "two", **begin, **end, "model": "other", "new": 1}
    del told["begin"], told["end"]
    lines = [begin, end]
    if columns:
        lines = [{"columns": [*reversed(told)]}, [*reversed(told.values())], *lines]
    text = b"".join(jsontext.encode(line) + b"\n" for line in lines)
    (tmp_path / "1.abc-000001.jsonl").write_bytes(text)
    Flusher(tmp_path).flush()
    expected = {("one", "gpt-4o-mini", 200, 3)}
    if columns:
        expected.add(("two", "other", 200, 3))
    names = ("call_id", "model", "status", "input_tokens")
    assert set(UsageRecord.objects.values_list(*names)) == expected
    assert not list(tmp_path.glob("*.jsonl"))


def test_the_quick_way_gives_what_the_slow_one_does():
    chance = random.Random(5)
    moments = (0.0, 1_790_000_000.0, 1_790_000_000.5, 1e-7)
    odd = [
        {name: value}
        for name, default in lines.BLANK.items()
        for value in (None, "x\x00", "y" * 3000, 7, True, [1], {"a": None}, default)
    ]
    for fields in [*odd, *({"started_at": t} for t in moments), {}]:
        usage = {"input_tokens": chance.randrange(9), "output_tokens": 7}
        line = {"call_id": "c", "started_at": 2.5, **FIELDS, **usage, **fields}
        row = [line.get(name, value) for name, value in lines.BLANK.items()]
        assert outcome_of(row) == outcome_of(lines.named(row)), fields
    assert outcome_of(row) is not None


def outcome_of(line):
    """Return the values that a line comes to, or that there are none."""
    try:
        (values,) = rows_of([line])
    except rows._NO_ROW:
        return None
    return values


def rows_of(batch):
    columns, _ = rows._columns_of(batch)
    return list(zip(*columns, strict=True))


def test_rows_come_to_the_same_together_and_alone():
    usage = {"input_tokens": 3, "output_tokens": 7, "started_at": 2.5}
    array = [{**lines.BLANK, **FIELDS, **usage, "call_id": "a"}[n] for n in lines.BLANK]
    told = {**FIELDS, **usage, "call_id": "b"}
    odd = [*array]
    odd[lines.PLACES["error_message"]] = "y" * 3000
    for batch in ([array, told, array], [array, odd, array], [told], [odd]):
        assert rows_of(batch) == [outcome_of(line) for line in batch]
        assert None not in rows_of(batch)


MOMENTS = [
    *(0.0, 2.5, 1e-7, 1_790_000_000.1234565, 4e9 + 0.3, 1_790_000_000.9999999),
    *(-2.5, 1_790_000_000, 0.9999995, 1.0000005, 2**-21, 3 * 2**-21, 1e9 + 1e-6),
    *(1.79e9 + n * 0.0101010101 for n in range(200)),
]


@at_once("seconds", MOMENTS)
def test_the_database_takes_times_and_costs_as_django_hands_them_over(db, seconds):
    moment = datetime.fromtimestamp(seconds, UTC)
    told = connection.ops.adapt_datetimefield_value(moment)
    assert str(rows._moments([seconds])[0]) == str(told)
    field = UsageRecord._meta.get_field("cost")
    for cost in (Decimal("0.000015"), Decimal("1E-7"), Decimal("12.30000000")):
        told = field.get_db_prep_save(cost, connection)
        assert str(rows._money()(cost)) == str(told)


def test_a_line_has_the_columns_of_the_table_in_its_order():
    fields = [f for f in UsageRecord._meta.concrete_fields if not f.primary_key]
    table = {f.attname: None if f.null else f.get_default() for f in fields}
    assert lines.COLUMNS[: len(table)] == tuple(table)
    assert lines.BLANK.items() >= {**table, "started_at": 0.0}.items()


def test_a_full_disk_leaves_no_file_without_its_head(tmp_path, monkeypatch):
    with monkeypatch.context() as full:
        full.setattr("gateway.ledger.spool.os.write", lambda file, text: 0)
        spool = Spool(tmp_path)
        spool.write({})
        assert (spool.dropped, list(tmp_path.iterdir())) == (1, [])
    entry = Entry(spool, **FIELDS)
    entry.began()
    entry.ended("ok")
    spool.close()
    Flusher(tmp_path).flush()
    assert UsageRecord.objects.get().outcome == "ok"


@pytest.mark.proves("8.3")
def test_a_full_disk_costs_lines_not_requests(tmp_path):
    (tmp_path / "spool").write_text("a file where the folder should be")
    spool = Spool(tmp_path / "spool")
    entry = Entry(spool, **FIELDS)
    entry.began()
    entry.ended("ok")
    assert spool.dropped == 2


def test_a_line_cut_short_spoils_no_other(spool, monkeypatch):
    write = os.write
    spool.write({})
    with monkeypatch.context() as full:
        full.setattr(
            "gateway.ledger.spool.os.write", lambda file, b: write(file, b[:20])
        )
        spool.write({"begin": "lost", "caller": "x"})
    entry = Entry(spool, **{**FIELDS, "request_id": "kept"})
    entry.began()
    entry.ended("ok", status=200)
    assert spool.dropped == 1
    Flusher(spool.folder).flush()
    assert [row.request_id for row in UsageRecord.objects.all()] == ["kept"]
