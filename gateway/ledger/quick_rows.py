"""The values of nearly every row, found in a few passes at C speed.

A line is an array in the table's order (ledger/lines.py), so all that is left is to
find out the cost and to make sure that the database takes the rest as it is: 5 µs a
row, where looking at each value by its name (ledger/rows.py) takes 11. What does not
pass is left to that way, which mends or refuses it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from operator import gt, itemgetter
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
_PLAIN = {int, float, bool, type(None)}
_TEXTS = [field for field in FIELDS if isinstance(field, models.CharField)]
_texts = itemgetter(*(PLACES[field.attname] for field in _TEXTS))
_longest = [field.max_length or 0 for field in _TEXTS]
_others = itemgetter(
    *(
        PLACES[field.attname]
        for field in FIELDS
        if not isinstance(field, models.CharField | models.JSONField)
    )
)
_LISTS = [PLACES[f.attname] for f in FIELDS if isinstance(f, models.JSONField)]
_STARTED, _COST = PLACES["started_at"], PLACES["cost"]
_FAILED, _STATUS, _OUTCOME = PLACES["failed"], PLACES["status"], PLACES["outcome"]
_INPUT, _OUTPUT = PLACES["input_tokens"], PLACES["output_tokens"]
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
_priced = itemgetter(*(PLACES[name] for name in _PRICED))
_FINE = (UsageRecord.Outcome.OK.value, UsageRecord.Outcome.CLIENT_CLOSED.value)

Convert = Callable[[Any], object]


def has_failed(status: int | None, outcome: str) -> bool:
    """Tell whether a call failed: not a success, nor left by the client itself."""
    return (status or 0) >= 400 or outcome not in _FINE


def values_of(row: Row, moment: Convert, money: Convert) -> list[Any] | None:
    """Return what the database takes for a row, None where something is to be mended.

    `moment` and `money` turn a datetime and a Decimal into its form. Raises
    LookupError, ArithmeticError, TypeError or ValueError for what is no row.
    """
    if not _PLAIN.issuperset(map(type, _others(row))) or not _fit(_texts(row)):
        return None
    values = row[:_WIDTH]
    for place in _LISTS:
        if type(row[place]) is not list and type(row[place]) is not dict:
            return None
        values[place] = jsontext.dumps(row[place])
    values[_STARTED] = moment(datetime.fromtimestamp(values[_STARTED], UTC))
    values[_FAILED] = has_failed(values[_STATUS], values[_OUTCOME])
    if values[_INPUT] is not None and values[_OUTPUT] is not None:
        call = dict(zip(_PRICED, _priced(row), strict=True))
        if (cost := prices.cost(call, row[_PRICES])) is not None:
            values[_COST] = money(cost)
    return values


def _fit(texts: tuple[Any, ...]) -> bool:
    """Tell whether texts are none but texts, and go into their columns."""
    try:
        whole = "".join(texts)
    except TypeError:
        return False
    # PostgreSQL has no place for NUL.
    return "\x00" not in whole and not any(map(gt, map(len, texts), _longest))
