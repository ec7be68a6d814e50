"""What charts say: scales, times below the bars, what each bar stands for."""

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from gateway.console import charts, figures
from gateway.console.usage import periods
from gateway.ledger.sums import Sums

NOW = datetime(2026, 11, 29, 9, 46, tzinfo=UTC)
HOURS = periods.of_range("24h", NOW)
SUMS = Sums(
    NOW,
    "openai",
    "gpt",
    "agent",
    "bot",
    "k",
    "chat",
    11,
    2,
    9000,
    300,
    Decimal("0.18"),
    11,
    {},
    {},
)
PERIODS = [
    *(periods.of_range(name, NOW) for name in periods.RANGES),
    *(
        periods.of_days(
            date(2026, 11, 29) - timedelta(days=days - 1), date(2026, 11, 29)
        )
        for days in (1, 2, 3, 7, 14, 15, 31, 62, 63, 100, 200, 366)
    ),
]


def drawn(cells, period=HOURS):
    found = charts.drawn(cells, period.starts, period.bar, ["gpt", "Others"])
    return {chart.key: chart for chart in found}


@pytest.mark.parametrize("period", PERIODS, ids=lambda p: f"{len(p.starts)} {p.bar}")
def test_times_below_a_chart_are_few_and_even(period):
    marks = drawn({(0, 0): SUMS}, period)["requests"].marks
    assert 2 <= len(marks) <= charts.MANY_LABELS
    major = [mark for mark in marks if not mark.is_minor]
    assert 1 <= len(major) <= charts.FEW_LABELS
    for some in (marks, major):
        places = [float(mark.x.rstrip("%")) for mark in some]
        gaps = {round(b - a, 1) for a, b in itertools.pairwise(places)}
        assert len(gaps) <= 1


@pytest.mark.parametrize(
    "amount", [1, 2, 3, 7, 11, 99, 100, 101, 4999, 123_456, 10**9 + 1]
)
def test_no_bar_is_higher_than_its_scale(amount):
    chart = drawn({(3, 0): SUMS._replace(requests=amount)})["requests"]
    (block,) = chart.blocks
    assert block.y >= charts.TOP
    assert 2 <= len(chart.ticks) <= 5
    assert block.height > charts.HEIGHT / 3
    assert chart.ticks[-1].label == "0"


@pytest.mark.parametrize(
    "amount", ["0.0000012", "0.004", "0.18", "1", "7.3", "12345.6"]
)
def test_costs_have_a_scale_in_dollars(amount):
    chart = drawn({(3, 0): SUMS._replace(cost=Decimal(amount))})["cost"]
    labels = [tick.label for tick in chart.ticks]
    assert all(label.startswith("$") for label in labels)
    assert len(set(labels)) == len(labels)
    assert chart.blocks[0].y >= charts.TOP


def test_a_bar_tells_its_time_and_whose_it_is():
    cells = {(0, 0): SUMS, (0, charts.SERIES): SUMS._replace(requests=4)}
    chart = drawn(cells)["requests"]
    assert chart.hits[0].text == ("28 Nov, 10:00 to 11:00 UTC: 15\nOthers: 4\ngpt: 11")
    assert chart.hits[1].text == "28 Nov, 11:00 to 12:00 UTC: 0"
    assert (chart.total, chart.per) == ("15", "per hour")


@pytest.mark.parametrize(
    ("days", "words", "per"),
    [
        (62, "29 Sep 2026", "per day"),
        (100, "22 Aug to 23 Aug 2026", "per 2 days"),
    ],
)
def test_a_bar_of_days_is_called_by_them(days, words, per):
    last = date(2026, 11, 29)
    period = periods.of_days(last - timedelta(days=days - 1), last)
    chart = drawn({(0, 0): SUMS}, period)["requests"]
    assert chart.hits[0].text.startswith(f"{words}: 11")
    assert chart.per == per


def test_what_shows_nothing_is_not_drawn():
    assert set(drawn({(0, 0): SUMS._replace(failed=0, cost=None)})) == {
        "requests",
        "tokens",
    }


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        (112, 100, "+12 %"),
        (97, 100, "\N{MINUS SIGN}3 %"),
        (100, 100, "±0 %"),
        (5, 0, ""),
        (0, 5, "\N{MINUS SIGN}100 %"),
        (Decimal("2.5"), Decimal("0.01"), "+24,900 %"),
    ],
)
def test_a_change_reads_in_percent(now, before, shown):
    assert figures.change(now, before) == shown
