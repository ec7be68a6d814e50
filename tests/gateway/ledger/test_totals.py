"""What calls came to: from sums where they are computed, from the ledger beside."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.ledger import summaries, totals
from gateway.ledger.flusher import Flusher
from gateway.ledger.sums import Totals, together
from gateway.ledger.upkeep import Upkeep
from gateway.models import UsageRecord, UsageSummary
from tests.at_once import at_once

NOW = datetime(2026, 3, 12, 15, 20, tzinfo=UTC)
NAMES = ("provider", "model", "caller_kind", "caller")


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """The time it is; a test may set another."""
    moment = [NOW]
    monkeypatch.setattr("gateway.ledger.totals.timezone.now", lambda: moment[0])
    return moment


@pytest.fixture(scope="module")
def summed_up():
    """The sums of `calls`, once there are any: adding up takes a second."""
    return []


@pytest.fixture
def calls(record, summed_up):
    """Calls of the last two days and many of the last hours, all summed up."""
    chance = random.Random(3)
    for minutes in [*[120] * 60, *[2 * 24 * 60] * 60]:
        failed = chance.random() < 0.2
        record(
            started_at=NOW - timedelta(minutes=chance.randrange(minutes)),
            provider=chance.choice(["openai", "claude"]),
            model=chance.choice(["a", "b", "c"]),
            caller=chance.choice(["bot", "ci"]),
            caller_kind=chance.choice(["agent", "workspace"]),
            key_hint=chance.choice(["ra_…1", "ra_…2"]),
            status=502 if failed else 200,
            outcome="upstream_error" if failed else "ok",
            input_tokens=None if failed else chance.randrange(1000),
            output_tokens=None if failed else chance.randrange(1000),
            cost=chance.choice([None, Decimal(chance.randrange(100)) / 8]),
        )
    if not summed_up:
        summaries.refresh(summaries.unfinished())
        summed_up += UsageSummary.objects.values()
    else:
        UsageSummary.objects.bulk_create(
            UsageSummary(**{**row, "id": None}) for row in summed_up
        )


def counted(start, by, names):
    """Return what `since` should, call by call."""
    found = {}
    for row in UsageRecord.objects.filter(started_at__gte=start, **names):
        key = tuple(getattr(row, name) for name in by)
        one = Totals(
            1, row.failed, row.input_tokens or 0, row.output_tokens or 0, row.cost
        )
        found[key] = together([found.get(key, Totals()), one])
    return found


@at_once(
    "start",
    [
        NOW.replace(minute=0) - timedelta(hours=23),
        NOW.replace(minute=0) - timedelta(hours=1),
        NOW.replace(minute=0),
        datetime(2026, 3, 11, tzinfo=UTC),
        datetime(2026, 3, 12, tzinfo=UTC),
    ],
)
@at_once(
    ("by", "names"),
    [
        ((), {}),
        (("provider",), {}),
        (("model",), {"provider": "claude"}),
        (("caller",), {"caller_kind": "agent"}),
        (("key_hint",), {"caller": "bot"}),
        (("provider",), {"key_hint": "ra_…1"}),
        ((), {"caller": "bot", "caller_kind": "agent"}),
        (NAMES, {}),
    ],
)
def test_totals_are_those_of_the_calls(calls, start, by, names):
    found = totals.since(start, *by, **names)
    assert found == counted(start, by, names)
    assert found


@pytest.mark.parametrize("hours", [2, 23, 30, 50])
@pytest.mark.parametrize("length", [timedelta(minutes=30), timedelta(hours=25)])
def test_a_time_that_is_over_is_told_to_the_second(calls, hours, length):
    start = NOW.replace(minute=0) - timedelta(hours=hours)
    end = start + length
    later = UsageRecord.objects.filter(started_at__gte=end)
    found = totals.between(start, end, "model")
    later.delete()
    assert found == counted(start, ("model",), {})


@pytest.mark.parametrize(
    "moment", [datetime(2026, 3, 12, h, 5, tzinfo=UTC) for h in range(3)]
)
def test_a_day_that_began_just_now(calls, now, moment):
    now[0] = moment
    UsageRecord.objects.filter(started_at__gt=moment).delete()
    UsageSummary.objects.all().delete()
    summaries.refresh(summaries.unfinished())
    for start in (moment.replace(hour=0, minute=0), datetime(2026, 3, 11, tzinfo=UTC)):
        assert totals.since(start, "model") == counted(start, ("model",), {})


def test_calls_that_ended_just_now_need_no_summary(record):
    record(started_at=NOW - timedelta(minutes=70))
    record(started_at=NOW)
    assert totals.last_day()[()].requests == 2


def test_the_last_day_is_this_hour_and_the_23_before(record):
    record(started_at=NOW - timedelta(hours=23, minutes=20))
    record(started_at=NOW - timedelta(hours=23, minutes=21))
    summaries.refresh(summaries.unfinished())
    assert totals.last_day()[()].requests == 1


@pytest.mark.parametrize(
    ("hours", "queries"), [(23, 2), (0, 1), (15, 2), (39, 3), (60, 4)]
)
def test_it_takes_few_queries(calls, django_assert_num_queries, hours, queries):
    with django_assert_num_queries(queries):
        totals.since(NOW.replace(minute=0) - timedelta(hours=hours), "provider")


def test_an_hour_without_calls_takes_one_query(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        summaries.refresh_hour(NOW.replace(minute=0))


def test_sums_that_grow_are_those_that_are_counted_anew(
    now, calls, record, tmp_path, monkeypatch
):
    # On a busy machine an hour before may be left for the next time.
    monkeypatch.setattr("gateway.ledger.upkeep.PATIENCE_SECONDS", 60)
    upkeep = Upkeep(Flusher(tmp_path))
    upkeep._summarise()
    for minutes, key in [(3, "a"), (25, "b"), (90, "c"), (0, "a")]:
        now[0] += timedelta(minutes=17)
        record(
            started_at=now[0] - timedelta(minutes=minutes), key_hint=key, input_tokens=5
        )
        upkeep._flusher.touched_hours = {
            int((now[0].timestamp() - 60 * m) // 3600) for m in (0, minutes)
        }
        upkeep._summarise()
        grown = stored_sums()
        summaries.refresh(summaries.unfinished())
        assert grown == stored_sums()


def stored_sums():
    """Return the sums of all hours."""
    hours = UsageSummary.objects.filter(span="hour", level="each")
    return sorted(summaries.stored(hours), key=str)
