"""By what calls are told apart and narrowed: one row makes a tab, a filter and links.

Another one is a column of the ledger and of its summaries (ledger/sums.py, and the
levels in ledger/summaries.py), and a row here.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from gateway.console import doors
from gateway.ledger.sums import OTHER_KEYS, Sums
from gateway.models import CallerKind


class Told(NamedTuple):
    """How a page calls what it tells apart, and what it adds in small."""

    name: Any
    note: Any = ""


class Dimension(NamedTuple):
    """What calls are told apart by.

    `columns` are those of sums.NAMES that do so; `filters` are names in addresses with
    their columns, which narrow to one of them; `rest` stands for all without a line.
    """

    name: str
    label: Any
    title: Any
    columns: tuple[str, ...]
    filters: dict[str, str]
    rest: Any
    told: Callable[[Sums], Told]

    def key(self, sums: Sums) -> tuple[str, ...]:
        """Return what tells `sums` apart from others."""
        return tuple(getattr(sums, column) for column in self.columns)

    def narrowed(self, sums: Sums) -> dict[str, str]:
        """Return the query of addresses that narrows to what `sums` are of."""
        return {name: getattr(sums, column) for name, column in self.filters.items()}


def _caller(sums: Sums) -> Told:
    kind = sums.caller_kind
    return Told(sums.caller, CallerKind(kind).label if kind in CallerKind else "")


def _key(sums: Sums) -> Told:
    if not sums.key_hint:
        return Told(sums.caller, _("No key"))
    hint = _("Other keys") if sums.key_hint == OTHER_KEYS else sums.key_hint
    return Told(hint, sums.caller)


DIMENSIONS: dict[str, Dimension] = {
    each.name: each
    for each in (
        Dimension(
            "model",
            _("Model"),
            _("By model"),
            ("model",),
            {"model": "model"},
            _("All other models"),
            lambda sums: Told(sums.model),
        ),
        Dimension(
            "provider",
            _("Provider"),
            _("By provider"),
            ("provider",),
            {"provider": "provider"},
            _("All other providers"),
            lambda sums: Told(sums.provider),
        ),
        Dimension(
            "caller",
            _("Agent or key"),
            _("By agent"),
            ("caller_kind", "caller"),
            {"caller": "caller"},
            _("All others"),
            _caller,
        ),
        Dimension(
            "key",
            _("Key"),
            _("By key"),
            ("caller_kind", "caller", "key_hint"),
            {"caller": "caller", "key": "key_hint"},
            _("All other keys"),
            _key,
        ),
        Dimension(
            "door",
            _("Door"),
            _("By door"),
            ("door",),
            {"door": "door"},
            _("All other doors"),
            lambda sums: Told(doors.label(sums.door)),
        ),
    )
}
DEFAULT = "model"
FILTERS: dict[str, str] = {
    name: column
    for each in DIMENSIONS.values()
    for name, column in each.filters.items()
}
"""Names in addresses and the columns that they narrow."""
