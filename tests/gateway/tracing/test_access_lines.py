"""Lines of the log for calls that are over."""

import asyncio
import json
import logging

import pytest

from gateway.ledger.spool import Entry, Spool
from gateway.tracing.access import AccessLog
from gateway.tracing.spans import Trace
from runagents.serving.logs import JSONFormatter


@pytest.fixture
def log(caplog):
    """Return an access log that is wanted."""
    caplog.set_level(logging.INFO, "gateway.access")
    return AccessLog()


@pytest.fixture
def over(tmp_path):
    """Return a call that is over."""
    spool = Spool(tmp_path)

    def made(**fields):
        entry = Entry(spool, request_id="req_1", model="small", door="chat", **fields)
        entry.fields |= {"outcome": "ok", "status": 200, "duration_ms": 12}
        return entry

    yield made
    spool.close()


def told(caplog):
    """Return what the log's lines say."""
    lines = [JSONFormatter().format(each) for each in caplog.records]
    return [json.loads(line) for text in lines for line in text.split("\n")]


def test_a_line_tells_what_applies(log, over, caplog):
    entry = over(caller="agent", provider="")
    entry.trace = Trace("ab" * 16)
    log.note(entry)
    (line,) = told(caplog)
    assert line.pop("time").count(":") == 2
    assert line == {
        "level": "INFO",
        "logger": "gateway.access",
        "message": "small: ok",
        "request_id": "req_1",
        "call_id": entry.call_id,
        "trace_id": "ab" * 16,
        "caller": "agent",
        "door": "chat",
        "model": "small",
        "status": 200,
        "outcome": "ok",
        "duration_ms": 12,
    }


def test_some_at_once_are_one_record_and_a_line_each(log, over, caplog):
    async def call():
        for name in ("one", "two", "three"):
            log.note(over(caller=name))
        assert not caplog.records
        await asyncio.sleep(0.3)

    asyncio.run(call())
    assert len(caplog.records) == 1
    assert [line["caller"] for line in told(caplog)] == ["one", "two", "three"]


def test_what_waits_at_the_end_is_not_lost(log, over, caplog):
    async def call():
        log.note(over())
        log.flush()
        log.flush()

    asyncio.run(call())
    assert len(told(caplog)) == 1


@pytest.mark.parametrize(
    "name", ["a\nb", "a\x1b[2J", "a\x9b2J", "\u202eb", "a\u2028b", "é"]
)
def test_no_text_breaks_a_line_or_commands_a_terminal(log, over, caplog, name):
    log.note(over(caller=name))
    text = JSONFormatter().format(caplog.records[0])
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text)["caller"] == name


def test_nothing_is_made_where_nobody_reads_it(log, over, caplog):
    caplog.set_level(logging.WARNING, "gateway.access")
    log.note(over())
    log.flush()
    assert not caplog.records
