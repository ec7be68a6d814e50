"""The values of nearly all rows, found column by column at C speed.

A line is an array in the table's order (ledger/lines.py), so all that is left is to
find out the cost and to make sure that the database takes the rest as it is: 2 µs a
row where 500 come together, where looking at each value by its name (ledger/rows.py)
takes 11. Rows of which one does not pass are left to that way, which mends or refuses.
"""

from collections.abc import Callable, Sequence, Set
from itertools import starmap
from typing import Any

from django.db import models

from gateway.ledger import prices
from gateway.ledger.lines import PLACES, Row
from gateway.models import UsageRecord
from gateway.wire import jsontext

FIELDS: "list[models.Field[Any, Any]]" = [
    field for field in UsageRecord._meta.concrete_fields if not field.primary_key
]
"""The columns of the table, in the order of `lines.COLUMNS`."""

_WIDTH = len(FIELDS)
_PLAIN: Set[type] = {int, float, bool, type(None)}
_CONTAINERS: Set[type] = {list, tuple, dict}
_TEXT: Set[type] = {str}
_SHARED: Set[type] = {str, type(None)}
_TEXTS = [
    (PLACES[field.attname], field.max_length or 0)
    for field in FIELDS
    if isinstance(field, models.CharField)
]
_LISTS = [PLACES[f.attname] for f in FIELDS if isinstance(f, models.JSONField)]
_OTHERS = [
    PLACES[field.attname]
    for field in FIELDS
    if not isinstance(field, models.CharField | models.JSONField)
]
_STARTED, _COST = PLACES["started_at"], PLACES["cost"]
_FAILED, _STATUS, _OUTCOME = PLACES["failed"], PLACES["status"], PLACES["outcome"]
_PRICES = PLACES["prices"]
_PRICED = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "provider_type",
    "endpoint",
    "upstream_model",
)
_PRICED_PLACES = [PLACES[name] for name in _PRICED]
_PROVIDER_TYPE, _ENDPOINT = PLACES["provider_type"], PLACES["endpoint"]
_FINE = frozenset(
    {UsageRecord.Outcome.OK.value, UsageRecord.Outcome.CLIENT_CLOSED.value}
)
_EMPTY: dict[type, str] = {list: "[]", tuple: "[]", dict: "{}"}

Convert = Callable[[Any], object]
ConvertAll = Callable[[Sequence[Any]], Sequence[object]]


def has_failed(status: int | None, outcome: str) -> bool:
    """Tell whether a call failed: not a success, nor left by the client itself."""
    return (status or 0) >= 400 or outcome not in _FINE


def values_of(
    rows: Sequence[Row], moments: ConvertAll, money: Convert
) -> list[Sequence[Any]] | None:
    """Return what the database takes for rows, None where one is to be mended.

    Column by column. `moments` and `money` turn seconds since 1970 and a Decimal into
    its form. Raises LookupError, ArithmeticError, TypeError or ValueError where one is
    no row.
    """
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    few = [_few(column) for column in columns]
    if not (
        all(_are(_PLAIN, few[place]) for place in _OTHERS)
        and all(_are(_CONTAINERS, few[place]) for place in _LISTS)
        and all(_fit(few[place], longest) for place, longest in _TEXTS)
    ):
        return None
    for place, values in enumerate(few):
        if len(values) < len(rows):
            # Who looks for what rows have in common then sees it at a glance; and what
            # only equals a text, as an enumeration's member does, has become one.
            columns[place] = [*values] * len(rows)
    for place in _LISTS:
        columns[place] = _as_texts(columns[place])
    columns[_STARTED] = moments(columns[_STARTED])
    columns[_FAILED] = _failed(columns[_STATUS], columns[_OUTCOME])
    columns[_COST] = _costs(columns, money)
    return columns[:_WIDTH]


def _few(values: Sequence[Any]) -> Sequence[Any]:
    """Return the first value alone where all are equal, of those that may be shared."""
    return values[:1] if type(values[0]) in _SHARED and _are_one(values) else values


def _are_one(values: Sequence[Any]) -> bool:
    """Tell whether all values equal the first, as in nearly every column they do."""
    return values.count(values[0]) == len(values)


def _are(kinds: Set[type], values: Sequence[Any]) -> bool:
    """Tell whether all values are of such kinds, and of none derived from them."""
    return kinds >= set(map(type, values))


def _costs(columns: Sequence[Sequence[Any]], money: Convert) -> list[object]:
    """Return what each row cost, as the database takes it; what it told if unknown."""
    costs: list[object] = list(columns[_COST])
    sold_by = set(zip(columns[_PROVIDER_TYPE], columns[_ENDPOINT], strict=True))
    if not any(columns[_PRICES]) and not any(starmap(prices.list_of, sold_by)):
        return costs
    priced = zip(*(columns[place] for place in _PRICED_PLACES), strict=True)
    for number, (values, own) in enumerate(zip(priced, columns[_PRICES], strict=True)):
        cost = prices.cost(dict(zip(_PRICED, values, strict=True)), own)
        if cost is not None:
            costs[number] = money(cost)
    return costs


def _failed(statuses: Sequence[Any], outcomes: Sequence[Any]) -> list[bool]:
    """Tell of each row whether it failed; at once where none did."""
    if _FINE.issuperset(outcomes) and max(filter(None, statuses), default=0) < 400:
        return [False] * len(outcomes)
    return list(map(has_failed, statuses, outcomes))


def _as_texts(values: Sequence[Any]) -> list[str]:
    """Return lists and objects as JSON; nearly all are empty."""
    if any(values):
        return list(map(jsontext.dumps, values))
    if _are_one(values):
        return [_EMPTY[type(values[0])]] * len(values)
    return list(map(_EMPTY.__getitem__, map(type, values)))


def _fit(texts: Sequence[Any], longest: int) -> bool:
    """Tell whether texts are none but texts, and go into their column."""
    if not _are(_TEXT, texts):
        return False
    # PostgreSQL has no place for NUL.
    return "\x00" not in "".join(texts) and max(map(len, texts)) <= longest
