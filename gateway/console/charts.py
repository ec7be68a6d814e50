"""Draws sums of calls as stacked bars: each bar a time, each colour a model."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from gateway.ledger.sums import Sums

SERIES = 6
"""Models with a colour of their own; the rest share one."""
WIDTH, HEIGHT = 720, 180

Cells = Mapping[tuple[int, int], Sums]
"""Sums by (bar, series)."""


class Block(NamedTuple):
    """One piece of a bar: where it is drawn, whose it is and how much."""

    series: int
    x: float
    y: float
    width: float
    height: float
    title: str


class Chart(NamedTuple):
    """One drawing; `top` is the value at its upper edge."""

    key: str
    title: Any
    top: Any
    total: Any
    blocks: list[Block]


VALUES: tuple[tuple[str, Any, Callable[[Sums], Any]], ...] = (
    ("requests", _("Requests"), lambda sums: sums.requests),
    ("tokens", _("Tokens"), lambda sums: sums.input_tokens + sums.output_tokens),
    ("cost", _("Estimated cost"), lambda sums: sums.cost or Decimal()),
    ("errors", _("Failed requests"), lambda sums: sums.failed),
)
"""The charts there are: key, title and what they show of sums."""


def drawn(cells: Cells, bars: int) -> list[Chart]:
    """Return the charts of `cells` that show anything, `bars` bars wide."""
    charts = [_chart(key, title, cells, bars, value) for key, title, value in VALUES]
    return [chart for chart in charts if chart.total]


def _chart(
    key: str, title: Any, cells: Cells, bars: int, value: Callable[[Sums], Any]
) -> Chart:
    values = {place: value(each) for place, each in cells.items()}
    heights: dict[int, Any] = {}
    for (bar, _series), amount in values.items():
        heights[bar] = heights.get(bar, 0) + amount
    top = max(heights.values(), default=0)
    width = WIDTH / bars
    blocks: list[Block] = []
    reached: dict[int, float] = {}
    for (bar, series), amount in sorted(values.items()):
        if not amount or not top:
            continue
        height = float(amount / top) * HEIGHT
        reached[bar] = reached.get(bar, 0.0) + height
        name = cells[bar, series].model if series < SERIES else _("Other models")
        blocks.append(
            Block(
                series,
                round(bar * width + width * 0.12, 2),
                round(HEIGHT - reached[bar], 2),
                round(width * 0.76, 2),
                round(max(height, 0.6), 2),
                f"{name}: {amount:,.4f}"
                if isinstance(amount, Decimal)
                else f"{name}: {amount:,}",
            )
        )
    return Chart(key, title, top, sum(heights.values()), blocks)
