"""What `serve` asks before it goes on: does the database have all tables."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from runagents.management.migrated import _wanted, is_migrated


def test_a_database_whose_migrations_were_run_is_migrated(db):
    assert is_migrated(connection)


def test_the_migrations_are_those_that_django_finds():
    assert _wanted() == MigrationLoader(None).disk_migrations.keys()


@pytest.mark.parametrize("app", ["auth", "providers", "gateway"])
def test_a_database_is_not_migrated_while_one_is_missing(db, app):
    last = max(name for label, name in _wanted() if label == app)
    MigrationRecorder(connection).record_unapplied(app, last)
    assert not is_migrated(connection)
