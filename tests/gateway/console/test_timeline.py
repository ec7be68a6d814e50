"""The stages of a call: recorded on the way, stored with its row, told in order."""

import time

import httpx
import pytest

from gateway.console.requests import timeline
from gateway.ledger.flusher import Flusher
from gateway.ledger.spool import Entry
from gateway.models import UsageRecord
from gateway.worker.runtime import runtime

URL = "/v1/chat/completions"
STREAM = [
    b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n',
    b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_call_leaves_its_stages_in_two_lines(
    provider, upstream, gateway, chat, completion, ledger, stream
):
    provider()
    upstream(stream=STREAM) if stream else upstream(json=completion)
    gateway().post(URL, json={**chat, "stream": stream})
    (row,) = ledger()
    times = [
        row[name]
        for name in ("routed_ms", "upstream_ms", "first_byte_ms", "duration_ms")
    ]
    assert times == sorted(times)
    (file,) = runtime.spool.folder.glob("*.jsonl")
    # The first line of a file names the columns.
    assert len(file.read_bytes().splitlines()) == 1 + 2


def test_the_stages_are_stored_with_the_row(
    provider, upstream, gateway, chat, completion
):
    provider()

    def slowly(request: httpx.Request) -> httpx.Response:
        time.sleep(0.03)
        return httpx.Response(200, json=completion)

    upstream(slowly)
    gateway().post(URL, json=chat)
    Flusher(runtime.spool.folder).flush()
    row = UsageRecord.objects.get()
    assert 0 <= row.routed_ms <= row.upstream_ms <= row.first_byte_ms - 29


def test_another_try_counts_from_where_it_was_made(
    provider, upstream, gateway, chat, completion, ledger
):
    provider("first", priority=1)
    provider("second", priority=2, endpoint="http://127.0.0.1:8")

    def one_is_away(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            time.sleep(0.03)
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=completion)

    upstream(one_is_away)
    assert gateway().post(URL, json=chat).status_code == 200
    (row,) = ledger()
    assert row["provider"] == "second"
    assert 30 <= row["routed_ms"] <= row["upstream_ms"]


def test_times_count_from_the_receipt(tmp_path, ledger):
    entry = Entry(runtime.spool, time.monotonic() - 2)
    entry.began()
    entry.ended("ok")
    (row,) = ledger()
    assert row["duration_ms"] >= 2000
    assert 1.9 < time.time() - row["started_at"] < 10


def reached(**times: int | None) -> list[tuple[str, int | None, int | None]]:
    """The stages of a row with these times: name, when, how long."""
    return [
        (stage.key, stage.at_ms, stage.took_ms)
        for stage in timeline.stages(UsageRecord(**times))
    ]


def test_each_stage_took_what_lies_between():
    found = reached(routed_ms=1, upstream_ms=4, first_byte_ms=460, duration_ms=1240)
    assert found == [
        ("received", 0, None),
        ("routed", 1, 1),
        ("upstream", 4, 3),
        ("first_byte", 460, 456),
        ("done", 1240, 780),
    ]


def test_a_row_from_before_these_columns_tells_what_it_has():
    assert reached(first_byte_ms=460, duration_ms=1240) == [
        ("received", 0, None),
        ("routed", None, None),
        ("upstream", None, None),
        ("first_byte", 460, 460),
        ("done", 1240, 780),
    ]


@pytest.mark.parametrize(
    "times",
    [
        {"routed_ms": 0, "upstream_ms": 0, "first_byte_ms": 5, "duration_ms": 90000},
        {"routed_ms": 1, "upstream_ms": 2, "duration_ms": 31},
        {"duration_ms": 7},
    ],
)
def test_the_bar_is_full_and_every_part_is_seen(times):
    blocks = timeline.bar(timeline.stages(UsageRecord(**times)))
    assert sum(block.width for block in blocks) == pytest.approx(timeline.WIDTH, abs=1)
    assert min(block.width for block in blocks) > timeline.NARROWEST / 2
    assert blocks[0].x == 0


def test_a_call_that_never_ended_has_no_bar():
    assert timeline.bar(timeline.stages(UsageRecord())) == []
