"""What a line of the spool becomes: a row of the ledger.

Rows go into SQLite past Django's cursor, whose rewriting of the placeholders takes 9 µs
a row, as much as half of what storing it does.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, connection, models, transaction

from gateway.ledger import prices, quick_rows
from gateway.ledger.lines import Line, named
from gateway.ledger.quick_rows import FIELDS, Convert, has_failed
from gateway.models import UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

logger = logging.getLogger(__name__)

# SQLite and its thread switch once per statement, not per row. How many there are of
# them is few: each is a statement of its own, which a connection keeps compiled, 50
# rows in 0.3 MB.
ROWS_PER_STATEMENT = (50, 10, 1)
# PostgreSQL's table for rows on their way.
INCOMING = "usage_incoming"

# What the database refuses, and what a line of another version or of a disk that failed
# may come to: it must not come back for ever with all that stand behind it.
_NO_ROW = (
    DataError,
    IntegrityError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class _Column(NamedTuple):
    """A column of the ledger: `convert` is set where databases store its values in a
    form of their own, `longest` where texts are cut."""

    name: str
    default: object
    longest: int
    convert: Convert | None


_EPOCH = datetime(1970, 1, 1)

_NAMES = [field.attname for field in FIELDS]
_PROVIDER, _MODEL, _COST = map(_NAMES.index, ("provider", "model", "cost"))

Values = tuple[Any, ...]
"""A row's, in the order of the table's columns."""
Costs = dict[tuple[str, str], float]
"""Dollars that calls came to, by provider and model."""


def store(lines: Sequence[Line], costs: Costs) -> list[Line]:
    """Insert the rows; return those that cannot be, which hold up no other.

    What the others cost is added to `costs`. Raises django.db.Error when the database
    is away.
    """
    if not lines:
        return []
    try:
        stored = _rows(lines)
        with transaction.atomic(), connection.wrap_database_errors:
            _into_sqlite(stored) if connection.vendor == "sqlite" else _copy(stored)
    except _NO_ROW:
        if len(lines) == 1:
            logger.exception("A usage row cannot be made.")
            return [*lines]
        return [refused for line in lines for refused in store([line], costs)]
    for row in stored:
        if row[_COST] is not None:
            key = (row[_PROVIDER], row[_MODEL])
            costs[key] = costs.get(key, 0.0) + float(row[_COST])
    return []


def _into_sqlite(rows: list[Values]) -> None:
    """Insert rows in the transaction; raises the database's own errors."""
    start = 0
    for count in ROWS_PER_STATEMENT:
        while len(rows) - start >= count:
            values = list(chain.from_iterable(rows[start : start + count]))
            connection.connection.execute(_insert(count), values)
            start += count


def _copy(rows: list[Values]) -> None:
    """Insert rows into PostgreSQL in the transaction; raises its own errors.

    By way of a table of this connection's own, because COPY knows no ON CONFLICT: 12 µs
    of CPU a row here and 32 there, where an INSERT of many rows takes 155 and 75. It
    has no constraints, so that rows are judged where they go.
    https://www.postgresql.org/docs/current/sql-copy.html
    """
    table, columns = _table(), _columns_named()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {INCOMING} "  # noqa: S608  names
            f"ON COMMIT DELETE ROWS AS SELECT {columns} FROM {table} WITH NO DATA"
        )
        with cursor.copy(f"COPY {INCOMING} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table} ({columns}) "  # noqa: S608  names only
            f"SELECT {columns} FROM {INCOMING} ON CONFLICT (call_id) DO NOTHING"
        )


def _rows(lines: Sequence[Line]) -> list[Values]:
    """Return calls' values in the order of the columns, as the database takes them.

    Raises one of `_NO_ROW`.
    """
    arrays = [line for line in lines if isinstance(line, list)]
    found = quick_rows.values_of(arrays, _moment(), _money()) if arrays else None
    if found is None:
        return [_values(named(line)) for line in lines]
    if len(found) == len(lines):
        return found
    ready = iter(found)
    return [next(ready) if isinstance(line, list) else _values(line) for line in lines]


@cache
def _moment() -> Convert:
    """Return how the database takes seconds since 1970."""
    if connection.vendor == "sqlite":
        # As Django writes it, without asking for the zone: 0.8 µs instead of 3.5.
        return lambda seconds: str(_EPOCH + timedelta(seconds=seconds))
    adapted = connection.ops.adapt_datetimefield_value
    return lambda seconds: adapted(datetime.fromtimestamp(seconds, UTC))


@cache
def _money() -> Convert:
    """Return how the database takes a cost."""
    if connection.vendor == "sqlite":
        # What Django makes of it in the end: 0.3 µs instead of 5.
        return str
    field = UsageRecord._meta.get_field("cost")
    return partial(field.get_db_prep_save, connection=connection)


@cache
def _insert(rows: int) -> str:
    """Return SQLite's statement for that many rows.

    Plain SQL, because building model instances would cost more than the call they
    record; the column's name and order come from the model all the same.
    """
    places = f"({', '.join(['?'] * len(FIELDS))})"
    return (
        f"INSERT INTO {_table()} ({_columns_named()}) "  # noqa: S608  names only
        f"VALUES {', '.join([places] * rows)} ON CONFLICT (call_id) DO NOTHING"
    )


@cache
def _table() -> str:
    return connection.ops.quote_name(UsageRecord._meta.db_table)


@cache
def _columns_named() -> str:
    quote = connection.ops.quote_name
    return ", ".join(quote(str(field.column)) for field in FIELDS)


@cache
def _columns() -> list[_Column]:
    return [
        _Column(
            field.attname,
            None if field.null else field.get_default(),
            field.max_length or 0,
            _money() if isinstance(field, models.DecimalField) else None,
        )
        for field in FIELDS
    ]


def _values(line: JSON) -> Values:
    """Return a call's values in the order of the columns, as the database takes them.

    Texts are cut to their columns, and NUL, which PostgreSQL has no place for, is
    replaced.
    """
    line = {
        **line,
        "started_at": _moment()(line.get("started_at", 0.0)),
        "cost": prices.cost(line, line.get("prices")),
        "failed": has_failed(line.get("status"), line.get("outcome", "")),
    }
    values: list[Any] = []
    for name, default, longest, convert in _columns():
        value = line.get(name, default)
        kind = type(value)
        if kind is str:
            if "\x00" in value:
                value = value.replace("\x00", "\ufffd")
            if longest and len(value) > longest:
                value = value[:longest]
        elif kind is list or kind is dict:
            value = jsontext.dumps(value)
        elif convert is not None and value is not None:
            value = convert(value)
        values.append(value)
    return tuple(values)
