"""What a line of the spool becomes: a row of the ledger, and one of the bodies kept."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from django.db import DataError, IntegrityError, connection, models, transaction

from gateway.ledger import bodies_log, prices
from gateway.ledger.joined_frames import joined
from gateway.models import CallBody, UsageRecord
from gateway.wire import jsontext
from gateway.wire.jsontext import JSON

logger = logging.getLogger(__name__)

# SQLite and its thread switch once per statement, not per row; PostgreSQL takes no more
# than 65,535 values in one.
ROWS_PER_STATEMENT = 50

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

_FIELDS: "list[models.Field[Any, Any]]" = [
    field for field in UsageRecord._meta.concrete_fields if not field.primary_key
]


class _Column(NamedTuple):
    """A column of the ledger: `convert` is set where databases store its values in a
    form of their own, `longest` where texts are cut."""

    name: str
    default: object
    longest: int
    convert: Callable[[Any], object] | None


def store(lines: list[JSON]) -> list[JSON]:
    """Insert the rows; return those that cannot be, which hold up no other.

    Raises django.db.Error when the database is away.
    """
    if not lines:
        return []
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for start in range(0, len(lines), ROWS_PER_STATEMENT):
                some = lines[start : start + ROWS_PER_STATEMENT]
                values = [value for line in some for value in _values(line)]
                cursor.execute(_insert(len(some)), values)
    except _NO_ROW:
        if len(lines) == 1:
            logger.exception("A usage row cannot be made.")
            return lines
        return [refused for line in lines for refused in store([line])]
    return []


def store_bodies(lines: list[JSON]) -> None:
    """Keep what was asked and sent, for those calls that carry it."""
    rows = [
        CallBody(
            call_id=line["call_id"],
            stored_at=datetime.now(UTC),
            asked=bodies_log.kept(line["bodies"].get("asked")),
            sent=bodies_log.kept(line["bodies"].get("sent")),
            sent_path=str(line["bodies"].get("path", ""))[:2048],
            received=bodies_log.kept(_parsed(line["received"]))
            if "received" in line
            else "",
            answered=_answer(line),
        )
        for line in lines
        if isinstance(line.get("bodies"), dict)
    ]
    if rows:
        CallBody.objects.bulk_create(rows, ignore_conflicts=True)


def _answer(line: JSON) -> str:
    """Return what the client got as the text to keep, empty where there was nothing."""
    if "answered" in line:
        return bodies_log.kept(line["answered"])
    if frames := line.get("frames"):
        return bodies_log.kept(joined(str(frames)))
    return ""


def _parsed(text: Any) -> Any:
    """Return the JSON that `text` is, or the text."""
    try:
        return jsontext.decode(str(text).encode())
    except jsontext.JSONError:
        return text


def _has_failed(line: JSON) -> bool:
    """Tell whether a call failed: not a success, nor left by the client itself."""
    if (line.get("status") or 0) >= 400:
        return True
    return line.get("outcome") not in (
        UsageRecord.Outcome.OK,
        UsageRecord.Outcome.CLIENT_CLOSED,
    )


@lru_cache(maxsize=ROWS_PER_STATEMENT)
def _insert(rows: int) -> str:
    """Return the statement for that many rows.

    Plain SQL, because building model instances would cost more than the call they
    record; the column's name and order come from the model all the same.
    """
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _FIELDS)
    places = f"({', '.join(['%s'] * len(_FIELDS))})"
    table, key = quote(UsageRecord._meta.db_table), quote("call_id")
    return (
        f"INSERT INTO {table} ({columns}) "  # noqa: S608  names only
        f"VALUES {', '.join([places] * rows)} ON CONFLICT ({key}) DO NOTHING"
    )


@cache
def _columns() -> list[_Column]:
    return [
        _Column(
            field.attname,
            None if field.null else field.get_default(),
            field.max_length or 0,
            _converter(field),
        )
        for field in _FIELDS
    ]


def _converter(
    field: "models.Field[Any, Any]",
) -> Callable[[Any], object] | None:
    """Return how the database takes values of `field`, None where just as they are."""
    match field:
        case models.DateTimeField():
            return connection.ops.adapt_datetimefield_value
        case models.DecimalField():
            return partial(field.get_db_prep_save, connection=connection)
        case _:
            return None


def _values(line: JSON) -> list[Any]:
    """Return a call's values in the order of the columns, as the database takes them.

    Texts are cut to their columns, and NUL, which PostgreSQL has no place for, is
    replaced.
    """
    line = {
        **line,
        "started_at": datetime.fromtimestamp(line.get("started_at", 0.0), UTC),
        "cost": prices.cost(line, line.get("prices")),
        "failed": _has_failed(line),
    }
    values = []
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
    return values
