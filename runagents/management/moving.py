"""An installation's data on its way from one database to another, table by table.

Rows keep their ids and everything else. Each batch is stored together with how far it
went, so that a move that broke off goes on where it was.
"""

from collections.abc import Callable, Iterator
from typing import Any

from django.apps import apps
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

SOURCE = DEFAULT_DB_ALIAS
TARGET = "target"
BATCH = 1_000
# Rows that `migrate` makes by itself in an empty database.
OWN_ROWS = {"django_content_type", "auth_permission", "django_migrations"}
PROGRESS = "runagents_move"

Table = type[models.Model]


class Refused(Exception):
    """The move cannot be made; the text says why."""


def tables() -> list[Table]:
    """Return the models of all tables, each behind those that it refers to."""
    left = {
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    }
    ordered: list[Table] = []
    while left:
        free = [each for each in left if not (_referred(each) & left - {each})]
        ordered += sorted(free, key=lambda each: each._meta.db_table)
        left -= set(free)
    return ordered


def _referred(model: Table) -> set[Table]:
    fields = model._meta.local_fields
    return {f.related_model for f in fields if f.related_model}


def move(tell: Callable[[str], None]) -> dict[str, int]:
    """Copy all rows from SOURCE to TARGET, which is migrated; return how many by table.

    Goes on with a move that broke off. Raises Refused, and django.db.Error where one
    of the two is away.
    """
    if not has_begun():
        _begin()
    counts = {}
    for model in tables():
        for copied in _copy(model):
            tell(f"{model._meta.db_table}: {copied:,} rows")
        counts[model._meta.db_table] = _compared(model)
    _end()
    return counts


def has_begun() -> bool:
    """Tell whether a move to TARGET broke off; raises django.db.Error."""
    return PROGRESS in connections[TARGET].introspection.table_names()


def _begin() -> None:
    """Empty what `migrate` filled, and keep a note of how far the move is."""
    full = [
        model._meta.db_table
        for model in tables()
        if model._meta.db_table not in OWN_ROWS
        and model._base_manager.using(TARGET).exists()
    ]
    if full:
        raise Refused(
            f"The database to move to holds data of its own ({', '.join(full)}). Name "
            "an empty one."
        )
    quoted = ", ".join(_quoted(model._meta.db_table) for model in tables())
    with transaction.atomic(TARGET), connections[TARGET].cursor() as cursor:
        cursor.execute(f"TRUNCATE {quoted}")
        cursor.execute(f"CREATE TABLE {PROGRESS} (name text PRIMARY KEY, last text)")


def _copy(model: Table) -> Iterator[int]:
    """Copy a table's rows, in the order of their keys; yield how many by now."""
    fields = model._meta.local_concrete_fields
    rows = model._base_manager.using(SOURCE).order_by("pk")
    last, copied = _last(model), 0
    while True:
        left = rows if last is None else rows.filter(pk__gt=last)
        batch = list(left[:BATCH])
        if not batch:
            return
        last = str(batch[-1].pk)
        copied += len(batch)
        with transaction.atomic(TARGET):
            # As they are: `save` and `bulk_create` would set the times of now.
            target: Any = model._base_manager.using(TARGET)
            target._insert(batch, fields=fields, using=TARGET, raw=True)
            _note(model, last)
        yield copied


def _last(model: Table) -> str | None:
    """Return the key of the last row that was copied, None before the first."""
    with connections[TARGET].cursor() as cursor:
        cursor.execute(
            f"SELECT last FROM {PROGRESS} WHERE name = %s",  # noqa: S608  a constant
            [model._meta.db_table],
        )
        found = cursor.fetchone()
    return str(found[0]) if found else None


def _note(model: Table, last: str) -> None:
    with connections[TARGET].cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {PROGRESS} VALUES (%s, %s) "  # noqa: S608  a constant
            "ON CONFLICT (name) DO UPDATE SET last = excluded.last",
            [model._meta.db_table, last],
        )


def _compared(model: Table) -> int:
    """Return how many rows a table has in both; raises Refused where they differ."""
    here, there = (model._base_manager.using(each).count() for each in (SOURCE, TARGET))
    if here != there:
        raise Refused(
            f"{model._meta.db_table} has {here:,} rows here and {there:,} there: it "
            "was changed while it was moved. Begin anew with an empty database."
        )
    return here


def _end() -> None:
    """Let new rows be numbered behind those that came, and drop the note."""
    connection = connections[TARGET]
    statements = connection.ops.sequence_reset_sql(no_style(), tables())
    with transaction.atomic(TARGET), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        cursor.execute(f"DROP TABLE {PROGRESS}")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _quoted(name: str) -> str:
    return connections[TARGET].ops.quote_name(name)
