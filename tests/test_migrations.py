"""What migrations may do without a look: versions go on beside newer tables.

Hosts are upgraded one after the other, and the first migrates. The former version knows
nothing of it and goes on to add, change and delete rows.
"""

from collections.abc import Iterator

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models.fields.related import ForeignKey

FIRST = {
    "providers": "0006_provider_renames",
    "gateway": "0013_kept_items",
    "runagents": "0004_sign_in_links",
    "agents": "0005_doors",
}
"""The tables of the first version of which hosts run beside a later one."""

REVIEWED: dict[str, str] = {}
"""App and name of a migration that somebody has looked at -> why it does no harm."""

HARMLESS = (
    migrations.AddIndex,
    migrations.RemoveIndex,
    migrations.AlterModelOptions,
    migrations.AlterModelManagers,
)


def _later() -> Iterator[tuple[str, Operation]]:
    """Return the operations of later migrations that nobody has looked at."""
    for (app, name), migration in MigrationLoader(None).disk_migrations.items():
        is_later = app in FIRST and name > FIRST[app]
        if is_later and f"{app}.{name}" not in REVIEWED:
            for operation in migration.operations:
                yield f"{app}.{name}", operation


def harm(operation: Operation) -> str:
    """Return what an operation does to the version before it; empty if nothing."""
    if isinstance(operation, HARMLESS):
        return ""
    if isinstance(operation, migrations.CreateModel):
        bound = [field for _, field in operation.fields if _holds_on(field)]
        return "rows it refers to cannot be deleted any more" if bound else ""
    if isinstance(operation, migrations.AddField):
        field = operation.field
        if isinstance(field, models.ManyToManyField):
            return ""
        if field.null or field.has_db_default():
            return ""
        return f"a row without {operation.name} cannot be added any more"
    return f"{type(operation).__name__} wants a look"


def _holds_on(field: object) -> bool:
    return isinstance(field, ForeignKey) and field.db_constraint


def test_no_migration_stops_the_version_before_it():
    found = [
        f"{name}: {why}" for name, operation in _later() if (why := harm(operation))
    ]
    assert found == []


def test_what_is_reviewed_is_there():
    there = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    assert {*REVIEWED, *(f"{app}.{name}" for app, name in FIRST.items())} <= there


def bound(*, constraint: bool) -> ForeignKey:
    """A reference to a row of another table."""
    return ForeignKey("Other", models.CASCADE, db_constraint=constraint)


@pytest.mark.parametrize(
    ("operation", "is_harmless"),
    [
        (migrations.AddField("Row", "x", models.IntegerField(null=True)), True),
        (migrations.AddField("Row", "x", models.IntegerField(db_default=1)), True),
        # Django takes its default away again, once the rows there are have it.
        (migrations.AddField("Row", "x", models.IntegerField(default=1)), False),
        (migrations.RemoveField("Row", "x"), False),
        (migrations.RenameField("Row", "x", "y"), False),
        (migrations.AlterField("Row", "x", models.IntegerField()), False),
        (migrations.RunSQL("SELECT 1"), False),
        (migrations.DeleteModel("Row"), False),
        (migrations.CreateModel("Row", [("to", bound(constraint=True))]), False),
        (migrations.CreateModel("Row", [("to", bound(constraint=False))]), True),
    ],
)
def test_what_needs_a_look_is_known(operation, is_harmless):
    assert (harm(operation) == "") is is_harmless
