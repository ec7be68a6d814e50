"""Rotation moves every secret to the first key and touches nothing else."""

import base64
import io
import os
import signal
import sqlite3
from contextlib import closing

import pytest
from django.core.management import call_command
from django.db import connection

from providers import sealing
from providers.models import ModelProvider, OAuthToken, Secret
from tests.e2e import warm


def new_key():
    return base64.b64encode(os.urandom(32)).decode()


def rotate():
    out, err = io.StringIO(), io.StringIO()
    call_command("rotatesecrets", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def all_columns(*, without):
    """Every value of both tables as stored, except the columns in `without`."""
    found = []
    for model in (Secret, OAuthToken, ModelProvider):
        names = [f.column for f in model._meta.concrete_fields if f.name not in without]
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {', '.join(names)} FROM {model._meta.db_table} ORDER BY id"
            )
            found.append(cursor.fetchall())
    return found


@pytest.fixture
def stored(provider, settings):
    """Two providers with secrets, one of them with an OAuth token; the key is old."""
    old = new_key()
    settings.ENCRYPTION_KEYS = [old]
    provider("one")
    two = provider("two", auth_type="oauth2", token_url="http://127.0.0.1:9/token")
    token = OAuthToken(provider=two)
    token.store({"access_token": "canary"})
    token.save()
    settings.ENCRYPTION_KEYS = [new_key(), old]
    return settings


def test_everything_sealed_moves_to_the_first_key(stored):
    out, err = rotate()
    assert "providers.Secret.sealed: 2 rotated" in out
    assert "providers.OAuthToken.sealed: 1 rotated" in out
    assert "Total: 3 rotated, 0 already current, 0 unreadable" in out
    assert err == ""
    stored.ENCRYPTION_KEYS = stored.ENCRYPTION_KEYS[:1]
    assert ModelProvider.objects.get(name="one").credentials()
    assert OAuthToken.objects.get().reveal() == {"access_token": "canary"}


@pytest.mark.proves("4.4")
def test_no_other_column_changes(stored):
    before = all_columns(without={"sealed"})
    rotate()
    assert all_columns(without={"sealed"}) == before


def test_a_second_run_writes_nothing(stored):
    rotate()
    before = all_columns(without=set())
    out, _ = rotate()
    assert "Total: 0 rotated, 3 already current" in out
    assert all_columns(without=set()) == before


def test_an_unreadable_row_is_named_and_left_alone(stored):
    broken = Secret.objects.get(name="one-secret")
    Secret.objects.filter(pk=broken.pk).update(sealed="v1:00000000:AAAA")
    out, err = rotate()
    assert "Total: 2 rotated, 0 already current, 1 unreadable" in out
    assert f"providers.Secret {broken.pk}:" in err
    broken.refresh_from_db()
    assert broken.sealed == "v1:00000000:AAAA"


def test_a_row_bound_to_other_origins_is_left_alone(stored):
    row = Secret.objects.get(name="one-secret")
    Secret.objects.filter(pk=row.pk).update(origins=["http://127.0.0.2:9"])
    out, _ = rotate()
    assert "1 unreadable" in out
    assert not sealing.is_current(Secret.objects.get(pk=row.pk).sealed)


def test_no_secret_is_printed(stored):
    assert "canary" not in "".join(rotate())
    assert "sk-upstream" not in "".join(rotate())


@pytest.mark.proves("4.4")
@pytest.mark.slow
def test_a_killed_run_is_finished_by_the_next(tmp_path):
    old, new = new_key(), new_key()
    environment = {
        "PATH": os.environ["PATH"],
        "RUNAGENTS_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path}/rotation.sqlite3",
    }

    def manage(*arguments, keys, text=""):
        variables = {**environment, "ENCRYPTION_KEYS": ",".join(keys)}
        done = warm.run(list(arguments), variables, text)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def moved():
        with closing(sqlite3.connect(tmp_path / "rotation.sqlite3")) as database:
            rows = database.execute("SELECT sealed FROM providers_secret").fetchall()
        ids = [row[0].split(":")[1] for row in rows]
        return len(ids) - ids.count(max(set(ids), key=ids.count)), len(set(ids))

    manage("migrate", "-v0", keys=[old])
    fill = (
        "from providers.models import Secret\n"
        "for n in range(100):\n"
        "    s = Secret(name=f's{n}')\n"
        "    s.store({'api_key': f'canary-{n}'}, ['https://x.example:443'])\n"
        "    s.save()\n"
    )
    manage("shell", keys=[old], text=fill)

    # It is killed by whoever writes the 51st row.
    die = (
        "import os, signal\n"
        "from django.core.management import call_command\n"
        "from django.db import connection\n"
        "written = []\n"
        "def execute(go_on, sql, *rest):\n"
        "    if sql.startswith('UPDATE'):\n"
        "        written.append(sql)\n"
        "        if len(written) > 50:\n"
        "            os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return go_on(sql, *rest)\n"
        "with connection.execute_wrapper(execute):\n"
        "    call_command('rotatesecrets')\n"
    )
    both = {**environment, "ENCRYPTION_KEYS": f"{new},{old}"}
    assert warm.run(["shell"], both, die).returncode == -signal.SIGKILL
    assert moved() == (50, 2)  # half under the new key, half under the old

    assert "0 unreadable" in manage("rotatesecrets", keys=[new, old])
    assert moved() == (0, 1)
    told = manage("rotatesecrets", keys=[new])
    assert "Total: 0 rotated, 100 already current" in told
