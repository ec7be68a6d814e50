"""One call's course in five stages, as the page of a request tells and draws it."""

from typing import NamedTuple

from django.utils.translation import gettext as _

from gateway.console.charts import Block
from gateway.models import UsageRecord

WIDTH = 1000
HEIGHT = 12
# A stage that took next to nothing is still seen.
NARROWEST = 6


class Stage(NamedTuple):
    """A stage and when it was reached, in milliseconds since the call's receipt.

    `at_ms` is None where it was not reached or not recorded; `took_ms` counts from the
    last stage before it whose time is known. `series` is its colour in the bar.
    """

    key: str
    series: int
    at_ms: int | None
    took_ms: int | None


def stages(record: UsageRecord) -> list[Stage]:
    """Return received, routed, upstream, first byte and done, in this order."""
    times = (
        ("routed", 6, record.routed_ms),
        ("upstream", 2, record.upstream_ms),
        ("first_byte", 0, record.first_byte_ms),
        ("done", 1, record.duration_ms),
    )
    found = [Stage("received", 6, 0, None)]
    before = 0
    for key, series, at_ms in times:
        if at_ms is None:
            found.append(Stage(key, series, None, None))
            continue
        found.append(Stage(key, series, at_ms, max(0, at_ms - before)))
        before = max(before, at_ms)
    return found


def bar(course: list[Stage]) -> list[Block]:
    """Return the stages side by side, each as wide as it took its time."""
    labels = {
        "routed": _("until a provider was chosen"),
        "upstream": _("until the request was sent"),
        "first_byte": _("until the first byte"),
        "done": _("until the end"),
    }
    parts = [stage for stage in course if stage.took_ms is not None]
    total = sum(stage.took_ms or 0 for stage in parts)
    if not total:
        return []
    widths = [max(NARROWEST, WIDTH * (s.took_ms or 0) / total) for s in parts]
    scale = WIDTH / sum(widths)
    blocks, x = [], 0.0
    for stage, width in zip(parts, widths, strict=True):
        title = f"{stage.took_ms} ms {labels[stage.key]}"
        wide = round(width * scale, 1)
        blocks.append(Block(stage.series, round(x, 1), 0, wide, HEIGHT, title))
        x += width * scale
    return blocks
