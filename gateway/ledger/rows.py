"""What a line of the spool becomes: a row of the ledger.

Rows go into SQLite past Django's cursor, whose rewriting of the placeholders takes 9 µs
a row, as much as half of what storing it does. What some rows have in common is handed
to SQLite once for them all: to have each of a row's 42 values copied is the other half
of it, and of most calls ten differ from those of the call before.
"""

import logging
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import chain, count
from math import modf
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, connection, models, transaction

from gateway.ledger import prices, quick_rows
from gateway.ledger.lines import Line, named
from gateway.ledger.quick_rows import FIELDS, Convert, has_failed
from gateway.models import UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

logger = logging.getLogger(__name__)

# Of every value that is neither a number nor a text Python's module asks how to adapt
# it, of None and bools, too, and makes two exceptions in vain: 1 µs for each.
sqlite3.register_adapter(type(None), lambda none: none)
sqlite3.register_adapter(bool, int)

# SQLite and its thread switch once per statement, not per row. How many there are of
# them is few, and so are the shapes of rows: each is a statement of its own, which a
# connection keeps compiled, 50 rows in up to 0.3 MB.
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

# What differs from call to call though all are alike, and what is common to calls that
# come one after the other though not all are alike.
_OWN = (
    "call_id",
    "request_id",
    "started_at",
    "finish_reason",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "routed_ms",
    "upstream_ms",
    "first_byte_ms",
    "duration_ms",
    "cost",
    "upstream_request_id",
)
_SELDOM_TOLD = (
    "end_user_id",
    "run_id",
    "upstream_status",
    "sent_again",
    "error_code",
    "error_message",
    "cache_write_tokens",
    "dropped",
    "downgraded",
    "calls",
)
Shape = frozenset[int]
"""The places of columns that each of some rows has a value of its own in."""
_ALL: Shape = frozenset(range(len(_NAMES)))
_SHAPES: tuple[Shape, ...] = (
    frozenset(map(_NAMES.index, _OWN)),
    _ALL - frozenset(map(_NAMES.index, _SELDOM_TOLD)),
    _ALL,
)

Columns = Sequence[Sequence[Any]]
"""Rows' values, as the database takes them, column by column."""
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
        columns, shapes = _columns_of(lines)
        with transaction.atomic(), connection.wrap_database_errors:
            if connection.vendor == "sqlite":
                _into_sqlite(columns, shapes)
            else:
                _copy(columns)
    except _NO_ROW:
        if len(lines) == 1:
            logger.exception("A usage row cannot be made.")
            return [*lines]
        return [refused for line in lines for refused in store([line], costs)]
    told = zip(columns[_PROVIDER], columns[_MODEL], columns[_COST], strict=True)
    for provider, model, cost in told:
        if cost is not None:
            key = (provider, model)
            costs[key] = costs.get(key, 0.0) + float(cost)
    return []


def _into_sqlite(columns: Columns, shapes: Sequence[Shape]) -> None:
    """Insert rows in the transaction; raises the database's own errors."""
    start, end = 0, len(columns[0])
    for size in ROWS_PER_STATEMENT:
        while end - start >= size:
            part = [column[start : start + size] for column in columns]
            shape = _shape_of(part, size, shapes)
            connection.connection.execute(_insert(size, shape), _told(part, shape))
            start += size


def _shape_of(columns: Columns, rows: int, shapes: Sequence[Shape]) -> Shape:
    """Return the first of `shapes` that so many rows have."""
    differing = {
        place for place, column in enumerate(columns) if column.count(column[0]) != rows
    }
    return next(shape for shape in shapes if differing <= shape)


def _told(columns: Columns, shape: Shape) -> list[Any]:
    """Return the values for `_insert`: what rows of a shape share, then each row's."""
    shared = [column[0] for place, column in enumerate(columns) if place not in shape]
    own = zip(*(columns[place] for place in sorted(shape)), strict=True)
    return [*shared, *chain.from_iterable(own)]


def _copy(columns: Columns) -> None:
    """Insert rows into PostgreSQL in the transaction; raises its own errors.

    By way of a table of this connection's own, because COPY knows no ON CONFLICT: 12 µs
    of CPU a row here and 32 there, where an INSERT of many rows takes 155 and 75. It
    has no constraints, so that rows are judged where they go.
    https://www.postgresql.org/docs/current/sql-copy.html
    """
    table, names = _table(), _columns_named()
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE IF NOT EXISTS {INCOMING} "  # noqa: S608  names
            f"ON COMMIT DELETE ROWS AS SELECT {names} FROM {table} WITH NO DATA"
        )
        with cursor.copy(f"COPY {INCOMING} ({names}) FROM STDIN") as copy:
            for row in zip(*columns, strict=True):
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table} ({names}) "  # noqa: S608  names only
            f"SELECT {names} FROM {INCOMING} ON CONFLICT (call_id) DO NOTHING"
        )


def _columns_of(lines: Sequence[Line]) -> tuple[Columns, Sequence[Shape]]:
    """Return calls' values by the table's columns, as the database takes them.

    And the shapes that they may be stored in: of values that are mended here none are
    shared, since some are equal and not the same (0 and 0.0). Raises one of `_NO_ROW`.
    """
    arrays = [line for line in lines if isinstance(line, list)]
    found = quick_rows.values_of(arrays, _moments, _money()) if arrays else None
    if found is not None and len(arrays) == len(lines):
        return found, _SHAPES
    if found is None:
        # A row that comes from memory may hold what JSON has another form of.
        lines = jsontext.decode(jsontext.encode(lines))
    ready = None if found is None else zip(*found, strict=True)
    rows: Iterable[Values] = (
        _values(named(line))
        if ready is None or not isinstance(line, list)
        else next(ready)
        for line in lines
    )
    return list(zip(*rows, strict=True)), _SHAPES[-1:]


def _moments(seconds: Sequence[float]) -> list[object]:
    """Return times since 1970 as the database takes them."""
    if connection.vendor == "sqlite":
        return _as_texts(seconds)
    adapted = connection.ops.adapt_datetimefield_value
    return [adapted(datetime.fromtimestamp(each, UTC)) for each in seconds]


def _as_texts(seconds: Sequence[float]) -> list[object]:
    """Return times as Django writes them into SQLite, without asking for the zone.

    A second is written once: 0.3 µs a time, where a `datetime` made and written takes 1
    and Django 3.5.
    """
    texts: list[object] = []
    last, text = None, ""
    for each in seconds:
        part, whole = modf(each)
        if whole != last:
            last, text = whole, f"{_EPOCH + timedelta(seconds=whole)}."
        micros = round(part * 1e6)
        if 0 < micros < 1_000_000:
            texts.append(text + str(1_000_000 + micros)[1:])
        else:
            texts.append(str(_EPOCH + timedelta(seconds=each)))
    return texts


@cache
def _money() -> Convert:
    """Return how the database takes a cost."""
    if connection.vendor == "sqlite":
        # What Django makes of it in the end: 0.3 µs instead of 5.
        return str
    field = UsageRecord._meta.get_field("cost")
    return partial(field.get_db_prep_save, connection=connection)


@cache
def _insert(rows: int, shape: Shape) -> str:
    """Return SQLite's statement for that many rows, whose values are `_told`.

    Plain SQL, because building model instances would cost more than the call they
    record; the column's name and order come from the model all the same.
    """
    shared = [place for place in range(len(FIELDS)) if place not in shape]
    numbers = {place: f"?{number}" for number, place in enumerate(shared, 1)}
    free = count(len(shared) + 1)
    each = (
        (numbers.get(place) or f"?{next(free)}" for place in range(len(FIELDS)))
        for _ in range(rows)
    )
    values = ", ".join(f"({', '.join(row)})" for row in each)
    return (
        f"INSERT INTO {_table()} ({_columns_named()}) "  # noqa: S608  names only
        f"VALUES {values} ON CONFLICT (call_id) DO NOTHING"
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
        "started_at": _moments([line.get("started_at", 0.0)])[0],
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
