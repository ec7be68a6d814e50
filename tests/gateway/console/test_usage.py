"""The Usage page: sums of the ledger, computed ahead, whatever their number."""

import csv
import random
import re
from bisect import bisect_left
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone

from gateway.console.usage import periods
from gateway.console.usage import report as usage_report
from gateway.ledger import summaries, sums, totals
from gateway.ledger.flusher import Flusher
from gateway.ledger.spool import Entry, Spool
from gateway.ledger.upkeep import Upkeep, delete_old
from gateway.models import CallBody, UsageRecord, UsageSummary
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey
from tests.at_once import at_once

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


def text_of(response):
    """Return the whole of a file that comes in pieces."""

    async def read():
        return b"".join([piece async for piece in response.streaming_content])

    return async_to_sync(read)().decode()


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
    assert [line.told.name for line in report.lines] == ["gpt-4o-mini", "o3"]
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
    # session, user, known names, refusals; of the ledger: sums and two histograms; of
    # summaries: the busiest, theirs, all
    with django_assert_num_queries(4 + 3):
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
    assert logged_in_client.get("/usage/?range=x").context["period"].name == "24h"


def test_the_file_has_the_same_figures(logged_in_client, record):
    record(cost=Decimal("0.25"))
    record(model="=cmd()", status=500, outcome="upstream_error")
    summarise()
    response = logged_in_client.get("/usage/usage.csv?range=24h")
    text = text_of(response)
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["model"] for row in rows} == {"gpt-4o-mini", "'=cmd()"}
    assert sum(int(row["requests"]) for row in rows) == 2
    assert "attachment" in response["Content-Disposition"]


@pytest.mark.parametrize("name", RANGES)
def test_the_file_tells_all_names_apart(logged_in_client, record, name):
    for number in range(4):
        kind = ("agent", "workspace")[number % 2]
        record(model=f"m{number // 2}", caller="ci", caller_kind=kind, cost=None)
    summarise()
    response = logged_in_client.get(f"/usage/usage.csv?range={name}")
    head, *lines = text_of(response).splitlines()
    assert head.split(",")[: 1 + len(sums.NAMES)] == ["starts_at", *sums.NAMES]
    assert [line.split(",", 1)[1] for line in lines] == [
        f"openai,m{number},{kind},ci,,chat,1,0,10,5,"
        for number in range(2)
        for kind in ("agent", "workspace")
    ]


def test_the_seventh_model_shares_a_colour(logged_in_client, record):
    for number in range(9):
        record(model=f"m{number}")
    summarise()
    page = logged_in_client.get("/usage/").content.decode()
    assert "All other models" in page
    assert "series-7" not in page


def test_bars_end_with_the_present_and_cover_the_range():
    now = datetime(2026, 3, 1, 13, 37, tzinfo=UTC)
    begins = periods.of_range("7d", now).starts
    assert len(begins) == 28
    assert begins[-1] <= now < begins[-1] + timedelta(hours=6)


def test_summing_up_twice_changes_nothing(record):
    record()
    summarise()
    summarise()
    hour = UsageSummary.objects.get(span="hour", level="callers")
    assert (hour.requests, hour.input_tokens) == (1, 10)
    assert UsageSummary.objects.get(span="day", level="models").requests == 1


def test_a_late_row_is_added_to_its_hour(record):
    record(minutes_ago=130)
    summarise()
    row = record(minutes_ago=130)
    summaries.refresh([summaries.hour_of(row.started_at)])
    assert (
        sum(s.requests for s in UsageSummary.objects.filter(span="day", level="models"))
        == 2
    )


def test_a_long_backlog_does_not_hold_up_the_flusher(spool, record, monkeypatch):
    monkeypatch.setattr("gateway.ledger.upkeep.PATIENCE_SECONDS", -1)
    record(minutes_ago=200)
    record()
    upkeep = Upkeep(Flusher(spool.folder))
    upkeep._summarise()
    assert UsageSummary.objects.filter(span="hour", level="models").count() == 1
    for _ in range(5):
        upkeep._summarise()
    assert UsageSummary.objects.filter(span="hour", level="models").count() == 2


def test_percentiles_are_close_to_exact():
    generator = random.Random(7)
    values = sorted(int(generator.lognormvariate(7, 1)) for _ in range(5000))
    histogram = Counter(bisect_left(sums.BOUNDS, v) for v in values)
    for share in (0.5, 0.95):
        exact = values[int(share * len(values))]
        assert sums.percentile(histogram, share) == pytest.approx(exact, rel=0.1)
    assert sums.percentile({}, 0.5) is None


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
    assert UsageSummary.objects.get(span="hour", level="each", caller="bot").failed == 1
    assert UsageSummary.objects.get(span="day", level="models").failed == 1


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


SUMS = sums.Sums(
    datetime(2026, 3, 1, 13, tzinfo=UTC),
    "openai",
    "gpt-4o-mini",
    "agent",
    "bot",
    "ra_…9f3c",
    "chat",
    3,
    1,
    900,
    300,
    Decimal("0.5"),
    2,
    {30: 1, 31: 1},
    {20: 1},
)


def test_a_part_taken_away_leaves_the_rest():
    whole = sums.together([SUMS, SUMS._replace(requests=4, cost=None, priced=0)])
    assert sums.without(whole, SUMS) == SUMS._replace(requests=4, cost=None, priced=0)
    rest = sums.without(whole, SUMS._replace(cost=Decimal("0.2"), priced=1))
    assert rest.cost == Decimal("0.3")


@pytest.mark.parametrize("name", RANGES)
def test_the_busiest_models_have_a_line_and_the_rest_share_one(
    logged_in_client, record, monkeypatch, name
):
    monkeypatch.setattr(usage_report, "LINES", 7)
    for number in range(9):
        for call in range(10 - number):
            record(
                provider=f"p{call % 2}",
                model=f"m{number}",
                caller=f"c{call}",
                duration_ms=1000,
                cost=Decimal("0.25") if number < 8 else None,
                **({"status": 502, "outcome": "upstream_error"} if number > 6 else {}),
            )
    summarise()
    response = logged_in_client.get(f"/usage/?range={name}")
    report = response.context["report"]
    requests = {line.told.name: line.sums.requests for line in report.lines}
    assert requests == {
        **{f"m{n}": 10 - n for n in range(7)},
        "All other models": 5,
    }
    *_told, rest = report.lines
    assert (rest.sums.failed, rest.sums.cost, rest.sums.priced) == (
        5,
        Decimal("0.75"),
        3,
    )
    assert (report.total.requests, report.total.failed) == (54, 5)
    assert report.total.cost == Decimal("0.25") * 52 + 0
    assert sum(sums.requests for _start, sums in report.bars) == 54
    assert b"All other models" in response.content


def test_the_rest_is_narrowed_too(logged_in_client, record, monkeypatch):
    monkeypatch.setattr(usage_report, "LINES", 1)
    record(model="a")
    record(model="a")
    record(model="b", provider="other")
    record(model="c")
    summarise()
    page = logged_in_client.get("/usage/?provider=openai&range=24h")
    report = page.context["report"]
    assert [line.sums.requests for line in report.lines] == [2, 1]


def test_an_empty_month_offers_no_longer_range(logged_in_client, db):
    assert "Look at 30 days" in logged_in_client.get("/usage/").content.decode()
    page = logged_in_client.get("/usage/?range=30d").content.decode()
    assert "Look at 30 days" not in page


def test_refused_calls_are_told_apart_from_what_providers_did(logged_in_client, record):
    record()
    refused = {"outcome": "refused", "status": 401, "provider": "", "caller": ""}
    record(**refused, error_code="invalid_api_key", model="")
    record(**refused, error_code="invalid_api_key", model="", calls=41)
    record(**{**refused, "status": 404}, error_code="model_not_found", model="gpt-9")
    summaries.refresh(summaries.unfinished())
    for name in ("1h", "24h"):
        response = logged_in_client.get(f"/usage/?range={name}")
        page, figures = response.content.decode(), response.context["report"]
        assert figures.total.requests == 1
        assert figures.total.failed == 0
        assert re.search(r"invalid_api_key.{1,400}42\s*</td>", page, re.DOTALL)
    assert totals.last_day()[()].requests == 1
    narrowed = logged_in_client.get("/usage/?model=gpt-9").content.decode()
    assert "model_not_found" in narrowed
    assert "invalid_api_key" not in narrowed


BY = ["model", "provider", "caller", "key", "door"]


@pytest.fixture
def keys(record):
    """Calls of one agent with two keys, and of a workspace key, over two providers."""
    names = {"model": "a", "provider": "p", "caller": "bot"}
    for _number in range(3):
        record(**names, key_hint="ra_ag_…1111")
    record(**{**names, "model": "b"}, key_hint="ra_ag_…2222", door="messages")
    key = {"caller": "ci", "caller_kind": "workspace", "key_hint": "ra_ws_…3333"}
    record(model="b", provider="q", **key)
    summarise()


@at_once("name", RANGES)
@at_once(
    ("by", "expected"),
    [
        ("model", {"a": 3, "b": 2}),
        ("provider", {"p": 4, "q": 1}),
        ("caller", {"bot": 4, "ci": 1}),
        ("key", {"ra_ag_…1111": 3, "ra_ag_…2222": 1, "ra_ws_…3333": 1}),
        ("door", {"Chat": 4, "Messages": 1}),
    ],
)
def test_usage_is_told_apart(logged_in_client, keys, name, by, expected):
    report = logged_in_client.get(f"/usage/?range={name}&by={by}").context["report"]
    found = {str(line.told.name): line.sums.requests for line in report.lines}
    assert found == expected
    assert report.total.requests == 5


@pytest.mark.parametrize("name", RANGES)
def test_one_key_is_looked_at_alone(logged_in_client, keys, name):
    address = f"/usage/?range={name}&by=model&key=ra_ag_…1111"
    report = logged_in_client.get(address).context["report"]
    assert [(line.told.name, line.sums.requests) for line in report.lines] == [("a", 3)]


@pytest.mark.parametrize("name", RANGES)
def test_one_door_is_looked_at_alone(logged_in_client, keys, name):
    response = logged_in_client.get(f"/usage/?range={name}&by=model&door=messages")
    lines = response.context["report"].lines
    assert [(line.told.name, line.sums.requests) for line in lines] == [("b", 1)]
    assert "door=messages" in response.context["requests_query"]


def test_links_keep_what_is_filtered(logged_in_client, keys):
    page = logged_in_client.get("/usage/?range=7d&by=provider&caller=bot").content
    page = page.decode()
    assert "?by=model&amp;range=7d&amp;caller=bot&amp;provider=p" in page
    assert "/requests/?span=7d&amp;caller=bot&amp;provider=p" in page
    assert "?by=key&amp;range=7d&amp;caller=bot" in page
    assert "?by=provider&amp;caller=bot&amp;range=30d" in page
    assert "usage.csv?by=provider&amp;range=7d&amp;caller=bot" in page


@pytest.mark.parametrize("by", BY)
def test_a_busy_dimension_takes_no_more_queries(
    logged_in_client, record, django_assert_num_queries, by
):
    for n in range(30):
        record(model=f"m{n}", provider=f"p{n}", caller=f"c{n}", key_hint=f"k{n}")
    summarise()
    with django_assert_num_queries(4 + 3):
        logged_in_client.get(f"/usage/?range=7d&by={by}&caller=c3")


def test_keys_without_number_share_a_row(record, monkeypatch):
    monkeypatch.setattr(sums, "KEYS_TOLD", 2)
    for number in range(5):
        for _call in range(5 - number):
            row = record(key_hint=f"k{number}")
    summarise()
    rows = UsageSummary.objects.filter(level="callers", span="hour")
    told = {each.key_hint: each.requests for each in rows}
    assert told == {"k0": 5, "k1": 4, "*": 6}
    # Other keys are the busiest now: nothing is counted twice.
    for _call in range(9):
        record(key_hint="k4", started_at=row.started_at)
    summarise()
    for span in ("hour", "6h", "day"):
        rows = UsageSummary.objects.filter(level="each", span=span)
        assert sum(each.requests for each in rows) == 24
        assert {each.key_hint for each in rows} == {"k4", "k0", "*"}


DAYS_BACK = 20


@pytest.mark.parametrize(
    ("days", "bars", "hours"), [(1, 24, 1), (2, 48, 1), (14, 56, 6), (21, 21, 24)]
)
def test_days_of_one_s_own_are_looked_at(logged_in_client, record, days, bars, hours):
    today = datetime.now(UTC).date()
    until = today - timedelta(days=1)
    since = until - timedelta(days=days - 1)
    noon = datetime(until.year, until.month, until.day, 12, tzinfo=UTC)
    for moment in (noon, noon - timedelta(days=days - 1), noon + timedelta(days=1)):
        record(started_at=moment)
    record(started_at=noon - timedelta(days=days))
    summaries.refresh(
        summaries.hour_of(each)
        for each in UsageRecord.objects.values_list("started_at", flat=True)
    )
    response = logged_in_client.get(f"/usage/?since={since}&until={until}")
    assert response.context["report"].total.requests == 2
    period = response.context["period"]
    assert (len(period.starts), period.bar) == (bars, timedelta(hours=hours))
    assert "UTC" in response.content.decode()
    file = text_of(
        logged_in_client.get(f"/usage/usage.csv?since={since}&until={until}")
    )
    lines = list(csv.DictReader(file.splitlines()))
    assert sum(int(line["requests"]) for line in lines) == 2


def test_bars_of_a_year_are_few():
    period = periods.of_days(datetime(2026, 1, 1), datetime(2026, 12, 31))
    assert len(period.starts) <= periods.MOST_BARS
    assert period.starts[-1] <= datetime(2026, 12, 31, tzinfo=UTC) < period.end


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("until=2026-03-01", "Say from which day."),
        ("since=2026-03-02&until=2026-03-01", "comes before the first"),
        ("since=2024-03-01&until=2026-03-01", "At most 366 days"),
        ("since=yesterday", "Enter a valid date"),
        ("since=0001-01-01", "At most 366 days"),
    ],
)
def test_days_that_make_no_time_are_told(logged_in_client, db, query, words):
    response = logged_in_client.get(f"/usage/?{query}")
    assert words in response.content.decode()
    assert response.context["period"].name == "24h"


@pytest.mark.parametrize(
    "query", ["since=9999-12-31", "since=9999-12-31&until=9999-12-31"]
)
def test_days_to_come_are_empty(logged_in_client, db, query):
    assert (
        "No requests in this range."
        in logged_in_client.get(f"/usage/?{query}").content.decode()
    )
