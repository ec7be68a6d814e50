"""The Usage page: sums of the ledger, computed ahead, whatever their number."""

import csv
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from gateway.console import usage_report
from gateway.ledger import summaries
from gateway.ledger.flusher import Flusher
from gateway.ledger.spool import Entry, Spool
from gateway.ledger.upkeep import Upkeep, delete_old
from gateway.models import CallBody, UsageRecord, UsageSummary
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey

RANGES = ["1h", "24h", "7d", "30d"]
CALL = {
    "request_id": "req_1",
    "caller": "bot",
    "caller_kind": "agent",
    "provider": "openai",
    "provider_type": "openai",
    "endpoint": "https://api.openai.com",
    "model": "gpt-4o-mini",
    "upstream_model": "gpt-4o-mini",
}


def summarise():
    summaries.refresh(summaries.unfinished())


@pytest.mark.parametrize("name", RANGES)
def test_a_range_shows_what_its_calls_came_to(logged_in_client, record, name):
    record(duration_ms=1000, cost=Decimal("0.5"))
    record(duration_ms=1000, cost=None, model="o3", stream=True, first_byte_ms=300)
    record(status=502, outcome="upstream_error")
    summarise()
    response = logged_in_client.get(f"/usage/?range={name}")
    report = response.context["report"]
    assert (report.total.requests, report.total.failed) == (3, 1)
    assert (report.total.input_tokens, report.total.output_tokens) == (30, 15)
    assert (report.total.cost, report.total.priced) == (Decimal("0.5"), 1)
    assert report.p50 == pytest.approx(1000, rel=0.25)
    assert report.first_token == pytest.approx(300, rel=0.25)
    assert [m.sums.model for m in report.models] == ["gpt-4o-mini", "o3"]
    page = response.content.decode()
    assert "<rect" in page
    assert "33.3 % failed" in page


@pytest.mark.parametrize("name", RANGES)
def test_the_page_needs_a_fixed_number_of_queries(
    logged_in_client, record, django_assert_num_queries, name
):
    for number in range(40):
        record(minutes_ago=number, model=f"m{number}", caller=f"c{number % 3}")
    summarise()
    # session, user, known names; the range
    with django_assert_num_queries(3 + (3 if name == "1h" else 1)):
        logged_in_client.get(f"/usage/?range={name}")


def test_figures_are_narrowed(logged_in_client, record):
    record()
    record(provider="claude", caller="other")
    summarise()
    response = logged_in_client.get("/usage/?provider=claude&caller=other")
    assert response.context["report"].total.requests == 1
    assert b"No request matches." in logged_in_client.get("/usage/?model=x").content


def test_an_empty_ledger_leads_on(logged_in_client, db):
    page = logged_in_client.get("/usage/").content.decode()
    assert "No requests in this range." in page
    assert "/playground/" in page


def test_a_made_up_range_shows_the_usual_one(logged_in_client, record):
    assert logged_in_client.get("/usage/?range=x").context["range"] == "24h"


def test_the_file_has_the_same_figures(logged_in_client, record):
    record(cost=Decimal("0.25"))
    record(model="=cmd()", status=500, outcome="upstream_error")
    summarise()
    response = logged_in_client.get("/usage/usage.csv?range=24h")
    text = b"".join(response.streaming_content).decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["model"] for row in rows} == {"gpt-4o-mini", "'=cmd()"}
    assert sum(int(row["requests"]) for row in rows) == 2
    assert "attachment" in response["Content-Disposition"]


def test_the_seventh_model_shares_a_colour(logged_in_client, record):
    for number in range(9):
        record(model=f"m{number}")
    summarise()
    page = logged_in_client.get("/usage/").content.decode()
    assert "Other models" in page
    assert "series-7" not in page


def test_bars_end_with_the_present_and_cover_the_range():
    now = datetime(2026, 3, 1, 13, 37, tzinfo=UTC)
    begins = usage_report.starts("7d", now)
    assert len(begins) == 28
    assert begins[-1] <= now < begins[-1] + timedelta(hours=6)


def test_summing_up_twice_changes_nothing(record):
    record()
    summarise()
    summarise()
    hour = UsageSummary.objects.get(span="hour", caller="support-bot")
    assert (hour.requests, hour.input_tokens) == (1, 10)
    assert UsageSummary.objects.get(span="day", caller="").requests == 1


def test_a_late_row_is_added_to_its_hour(record):
    record(minutes_ago=130)
    summarise()
    row = record(minutes_ago=130)
    summaries.refresh([summaries.hour_of(row.started_at)])
    assert (
        sum(s.requests for s in UsageSummary.objects.filter(span="day", caller="")) == 2
    )


def test_a_long_backlog_does_not_hold_up_the_flusher(spool, record, monkeypatch):
    monkeypatch.setattr("gateway.ledger.upkeep.PATIENCE_SECONDS", -1)
    record(minutes_ago=200)
    record()
    upkeep = Upkeep(Flusher(spool.folder))
    upkeep._summarise()
    assert UsageSummary.objects.filter(span="hour", caller="").count() == 1
    for _ in range(5):
        upkeep._summarise()
    assert UsageSummary.objects.filter(span="hour", caller="").count() == 2


def test_percentiles_are_close_to_exact():
    generator = random.Random(7)
    values = sorted(int(generator.lognormvariate(7, 1)) for _ in range(5000))
    histogram = Counter(summaries.bucket_of(v) for v in values)
    for share in (0.5, 0.95):
        exact = values[int(share * len(values))]
        assert summaries.percentile(histogram, share) == pytest.approx(exact, rel=0.1)
    assert summaries.percentile({}, 0.5) is None


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def flush(spool):
    flusher = Flusher(spool.folder)
    flusher.flush()
    Upkeep(flusher).run()


def test_what_is_flushed_is_summed_up(spool, db):
    entry = Entry(spool, **CALL)
    entry.began()
    entry.ended("upstream_error", status=502)
    flush(spool)
    assert UsageRecord.objects.get().failed
    assert UsageSummary.objects.get(span="hour", caller="bot").failed == 1
    assert UsageSummary.objects.get(span="day", caller="").failed == 1


def test_a_key_s_last_use_is_kept(spool, db):
    agent = Agent.objects.create(name="bot")
    AgentKey.issue(agent)
    WorkspaceKey.issue("ci")
    for kind, name, key in (
        ("agent", "bot", AgentKey.objects.get()),
        ("workspace", "ci", WorkspaceKey.objects.get()),
    ):
        hint = f"{key.prefix}_…{key.last4}"
        names = {"caller": name, "caller_kind": kind, "key_hint": hint}
        entry = Entry(spool, **{**CALL, **names})
        entry.began()
        entry.ended("ok")
    flush(spool)
    for key in (AgentKey.objects.get(), WorkspaceKey.objects.get()):
        assert timezone.now() - key.last_used_at < timedelta(minutes=1)


def test_old_rows_are_deleted(record, settings):
    settings.USAGE_RETENTION_DAYS, settings.BODY_RETENTION_DAYS = 2, 1
    record(minutes_ago=3 * 24 * 60)
    kept = record()
    now = timezone.now()
    for call_id, days in (("old", 2), ("new", 0)):
        CallBody.objects.create(
            call_id=call_id, stored_at=now - timedelta(days=days), asked="", sent=""
        )
    delete_old()
    assert list(UsageRecord.objects.all()) == [kept]
    assert [body.call_id for body in CallBody.objects.all()] == ["new"]


@pytest.mark.slow
def at_all(starts, span, sums):
    """Store the same sums for every start: once, and then copied by the database."""
    first, *others = starts
    summaries._replace(span, [each._replace(starts_at=first) for each in sums])
    names = [field.column for field in UsageSummary._meta.concrete_fields]
    table, columns = UsageSummary._meta.db_table, ", ".join(names[1:])
    copied = columns.replace("starts_at", "%s")
    stamp = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} ({columns}) SELECT {copied} FROM {table}"
            " WHERE span = %s AND starts_at = %s",
            [(stamp(start), span, stamp(first)) for start in others],
        )


def test_a_million_calls_in_thirty_days_are_a_quick_page(logged_in_client, db):
    now = summaries.hour_of(timezone.now())
    hours = [now - timedelta(hours=number) for number in range(30 * 24)]
    rows = [
        summaries.Sums(
            now,
            f"p{each % 5}",
            f"m{each % 10}",
            f"c{each}",
            14,
            1,
            9000,
            3000,
            Decimal("0.01"),
            14,
            ({30: 5, 31: 6, 33: 3}),
            ({20: 5}),
        )
        for each in range(100)
    ]
    rows += summaries.merged([row._replace(caller="") for row in rows], now)
    at_all(hours, "hour", rows)
    for span, keep in (("6h", 6), ("day", 24)):
        counted = Counter(h.replace(hour=h.hour // keep * keep) for h in hours)
        for number in set(counted.values()):
            starts = [start for start in counted if counted[start] == number]
            at_all(starts, span, summaries.merged(rows * number, now))
    assert UsageSummary.objects.filter(span="hour").count() == len(hours) * len(rows)
    for name in RANGES[1:]:
        logged_in_client.get("/usage/")
        times = []
        for _ in range(3):
            started = time.process_time()
            response = logged_in_client.get(f"/usage/?range={name}")
            times.append(time.process_time() - started)
        assert response.context["report"].total.requests > 30_000
        assert min(times) < 0.3, name


def test_an_empty_month_offers_no_longer_range(logged_in_client, db):
    assert "Look at 30 days" in logged_in_client.get("/usage/").content.decode()
    page = logged_in_client.get("/usage/?range=30d").content.decode()
    assert "Look at 30 days" not in page
