"""Draws sums of calls as stacked bars: each bar a time, each colour a series.

Across, places are shares of the width, so that texts are not stretched with a chart;
downwards they are pixels.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gateway.console import figures
from gateway.ledger.sums import Sums

SERIES = 6
"""Series with a colour of their own; the rest share one."""
HEIGHT = 180
TOP = 7
"""Half a line of text: what the label of the upper edge needs above it."""
MOST_STEPS = 4
GAP = 0.12
LEAST_HEIGHT = 0.6
FEW_LABELS, MANY_LABELS = 4, 8

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STRIDES = (
    *(timedelta(minutes=n) for n in (10, 20, 30)),
    *(HOUR * n for n in (1, 2, 3, 6, 12)),
    *(DAY * n for n in (1, 2, 4, 8, 16, 32, 64, 128)),
)

Cells = Mapping[tuple[int, int], Sums]
"""Sums by (bar, series)."""


class Block(NamedTuple):
    """A piece of a bar, in numbers or in texts such as 4.2%; `title` may be empty."""

    series: int
    x: Any
    y: float
    width: Any
    height: float
    title: str


class Tick(NamedTuple):
    """A line across, at `y`, and the value it stands for."""

    y: float
    label: str


class Mark(NamedTuple):
    """The time below a bar; one that `is_minor` is left out of a narrow chart."""

    x: str
    label: str
    is_minor: bool


class Hit(NamedTuple):
    """The place of a bar from top to bottom, and all that it stands for."""

    x: str
    width: str
    text: str


class Chart(NamedTuple):
    """One drawing; `ticks` begin at the top."""

    key: str
    title: Any
    total: str
    per: str
    ticks: list[Tick]
    marks: list[Mark]
    blocks: list[Block]
    hits: list[Hit]


class Value(NamedTuple):
    """What a chart shows of sums, and how its values read."""

    key: str
    title: Any
    of: Callable[[Sums], Any]
    told: Callable[[Any], str]


VALUES = (
    Value("requests", gettext_lazy("Requests"), lambda s: s.requests, figures.count),
    Value(
        "tokens",
        gettext_lazy("Tokens"),
        lambda s: s.input_tokens + s.output_tokens,
        figures.count,
    ),
    Value(
        "cost",
        gettext_lazy("Estimated cost"),
        lambda s: s.cost or Decimal(),
        figures.dollars,
    ),
    Value("errors", gettext_lazy("Failed requests"), lambda s: s.failed, figures.count),
)
"""The charts there are."""


def drawn(
    cells: Cells, starts: Sequence[datetime], bar: timedelta, names: Sequence[str]
) -> list[Chart]:
    """Return the charts of `cells` that show anything; a bar for each of `starts`.

    `names` are those of the series, the last of the rest.
    """
    marks = _marks(starts, bar)
    charts = []
    for value in VALUES:
        amounts = {cell: value.of(sums) for cell, sums in cells.items()}
        if any(amounts.values()):
            charts.append(_chart(value, amounts, starts, bar, names, marks))
    return charts


def _chart(
    value: Value,
    amounts: dict[tuple[int, int], Any],
    starts: Sequence[datetime],
    bar: timedelta,
    names: Sequence[str],
    marks: list[Mark],
) -> Chart:
    piles: dict[int, list[tuple[int, Any]]] = {}
    for (place, series), amount in sorted(amounts.items()):
        if amount:
            piles.setdefault(place, []).append((series, amount))
    heights = {place: sum(a for _s, a in pile) for place, pile in piles.items()}
    steps, step = _scale(max(heights.values()))
    blocks = [
        block
        for place, pile in piles.items()
        for block in _blocks(place, pile, steps * step, len(starts))
    ]
    hits = [
        Hit(
            _share(place, len(starts)),
            _share(1, len(starts)),
            _text(value, time(start, bar), piles.get(place, []), names),
        )
        for place, start in enumerate(starts)
    ]
    return Chart(
        value.key,
        value.title,
        value.told(sum(heights.values())),
        _per(bar),
        [
            Tick(TOP + HEIGHT * n / steps, _tick(value, step * (steps - n), step))
            for n in range(steps + 1)
        ],
        marks,
        blocks,
        hits,
    )


def _scale(top: Any) -> tuple[int, Decimal]:
    """Return how many steps of 1, 2 or 5 of some size reach `top`, and that size."""
    wanted = Decimal(top) / MOST_STEPS
    size = Decimal(10) ** wanted.adjusted()
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= wanted)
    if isinstance(top, int):
        step = max(step, Decimal(1))
    return math.ceil(Decimal(top) / step), step


def _tick(value: Value, amount: Decimal, step: Decimal) -> str:
    if value.told is not figures.dollars:
        return figures.short(float(amount))
    if amount >= 1000:
        return f"${figures.short(float(amount))}"
    places = max(0, -step.adjusted())
    return f"${amount:.{places}f}" if amount else "$0"


def _blocks(
    place: int, pile: list[tuple[int, Any]], top: Decimal, bars: int
) -> list[Block]:
    blocks, reached = [], 0.0
    for series, amount in pile:
        height = float(amount / top) * HEIGHT
        reached += height
        blocks.append(
            Block(
                series,
                _share(place + GAP, bars),
                round(TOP + HEIGHT - reached, 2),
                _share(1 - 2 * GAP, bars),
                round(max(height, LEAST_HEIGHT), 2),
                "",
            )
        )
    return blocks


def _share(part: float, whole: int) -> str:
    return f"{100 * part / whole:.3f}%"


def _text(
    value: Value, when: str, pile: list[tuple[int, Any]], names: Sequence[str]
) -> str:
    """Return a bar in words: when, how much, and of whom."""
    whole = sum(amount for _series, amount in pile)
    lines = [f"{when}: {value.told(whole)}"]
    for series, amount in reversed(pile):
        name = names[min(series, len(names) - 1)]
        lines.append(f"{name}: {value.told(amount)}")
    return "\n".join(lines)


def time(start: datetime, bar: timedelta) -> str:
    """Return the time of a bar in words, of UTC: 29 Nov, 14:00 to 15:00."""
    end = start + bar
    if bar == DAY:
        return date_format(start, "j M Y")
    if bar > DAY:
        last = end - DAY
        return _("%(first)s to %(last)s") % {
            "first": date_format(start, "j M"),
            "last": date_format(last, "j M Y"),
        }
    return _("%(day)s, %(first)s to %(last)s UTC") % {
        "day": date_format(start, "j M"),
        "first": f"{start:%H:%M}",
        "last": f"{end:%H:%M}",
    }


def _per(bar: timedelta) -> str:
    """Return the unit of a chart's bars."""
    if bar >= DAY:
        days = bar // DAY
        return _("per day") if days == 1 else _("per %d days") % days
    if bar >= HOUR:
        hours = bar // HOUR
        return _("per hour") if hours == 1 else _("per %d hours") % hours
    return _("per %d minutes") % (bar // timedelta(minutes=1))


def _marks(starts: Sequence[datetime], bar: timedelta) -> list[Mark]:
    """Return the times that stand below a chart, at even hours and days."""
    # Bars of several days are counted from the first.
    origin = starts[0] if bar > DAY else EPOCH
    strides = [bar * 2**n for n in range(8)] if bar > DAY else STRIDES
    since = [start - origin for start in starts]
    minor = _stride(since, [each for each in strides if not each % bar], MANY_LABELS)
    major = _stride(since, [each for each in strides if not each % minor], FEW_LABELS)
    return [
        Mark(
            _share(place + 0.5, len(starts)),
            _label(starts[place]),
            bool(passed % major),
        )
        for place, passed in enumerate(since)
        if not passed % minor
    ]


def _stride(
    since: Sequence[timedelta], strides: Sequence[timedelta], most: int
) -> timedelta:
    """Return the least of `strides` that gives `most` marks at the most."""
    for stride in strides:
        if sum(not passed % stride for passed in since) <= most:
            return stride
    return strides[-1]


def _label(start: datetime) -> str:
    """Return a time in few letters: the hour, or the day where one begins."""
    is_midnight = start.hour == start.minute == 0
    return date_format(start, "j M") if is_midnight else f"{start:%H:%M}"
