"""In which order the Models list stands."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Case, Count, F, IntegerField, QuerySet, Value, When
from django.utils.translation import gettext as _

from providers.models import ModelProvider

Status = ModelProvider.Status

# What somebody must see to comes first.
_STATUSES = (Status.FAILED, Status.UNAVAILABLE, Status.PENDING, Status.AVAILABLE)
_BY_STATUS = Case(
    When(enabled=False, then=Value(len(_STATUSES))),
    *(When(status=status, then=Value(n)) for n, status in enumerate(_STATUSES)),
    output_field=IntegerField(),
)
# What each order's first link gives: these come most first, the others least first.
_MOST_FIRST = ("models", "requests")


class Heading(NamedTuple):
    """A heading that sorts: `sort` is what its link asks for."""

    key: str
    label: str
    sort: str
    aria: str


def headings(order: str) -> dict[str, Heading]:
    """Return what sorts the list, by key; the one in use leads the other way round."""
    labels = {
        "name": _("Provider"),
        "type": _("Type"),
        "models": _("Models"),
        "status": _("Status"),
        "requests": _("Requests, 24 h"),
    }
    return {key: _heading(key, label, order) for key, label in labels.items()}


def _heading(key: str, label: str, order: str) -> Heading:
    is_most_first = (key in _MOST_FIRST) != order.startswith("-")
    in_use = order.removeprefix("-") == key
    direction = "descending" if is_most_first else "ascending"
    return Heading(
        key,
        label,
        f"-{key}" if order == key else key,
        direction if in_use else "",
    )


def in_order(
    rows: QuerySet[ModelProvider], order: str, traffic: Mapping[str, Any]
) -> Sequence[int] | QuerySet[ModelProvider, Any]:
    """Return the ids of `rows` as `order` says, of equals the first name first.

    `traffic` is provider name -> what has its `requests`.
    """
    key, is_reversed = order.removeprefix("-"), order.startswith("-")
    if key == "requests":
        return _by_requests(rows, traffic, most_first=not is_reversed)
    column = {
        "name": F("name"),
        "type": F("provider_type"),
        "status": _BY_STATUS,
        "models": Count("provider_models"),
    }[key]
    is_descending = (key in _MOST_FIRST) != is_reversed
    rows = rows.annotate(rank=column).order_by("-rank" if is_descending else "rank")
    return rows.order_by(*rows.query.order_by, "name").values_list("pk", flat=True)


def _by_requests(
    rows: QuerySet[ModelProvider], traffic: Mapping[str, Any], *, most_first: bool
) -> Sequence[int]:
    """Return the ids by requests; the ledger knows names and is not joined."""

    def rank(row: tuple[int, str]) -> int:
        count: int = traffic[row[1]].requests if row[1] in traffic else 0
        return -count if most_first else count

    found = rows.order_by("name").values_list("pk", "name")
    return [pk for pk, _name in sorted(found, key=rank)]
