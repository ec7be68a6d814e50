"""What an operator asks first: what runs here, what it lacks, what is late."""

import shutil
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Count
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from gateway.metrics import vitals
from gateway.metrics.shelf import Shelf
from gateway.worker.runtime import runtime
from gateway.worker.troubles import LIMITS
from providers import database
from providers.models import ModelList, ModelProvider
from providers.network import expiry
from runagents import __version__
from runagents.backups.last import last
from runagents.settings_pages import releases

OK, WARN, BAD, PLAIN = "ok", "warn", "bad", "info"
OLD_BACKUP = timedelta(days=2)
LATE_SECONDS = 15
CLOCKS_APART_SECONDS = 2
LEAST_FREE = 0.1
LEAST_FREE_BYTES = 1 << 30
REDIS_PATIENCE_SECONDS = 1.0
MOST_NAMED = 5


class Fact(NamedTuple):
    """One thing: what it is, how it stands in a word or two, and what to know of it."""

    label: Any
    value: Any
    state: str = PLAIN
    note: Any = ""


def groups() -> list[tuple[Any, list[Fact]]]:
    """Return all facts by subject; what cannot be asked is a fact of its own."""
    _counts, workers = Shelf(settings.DATA_DIR / "metrics").read()
    return [
        (_("Program"), [_version(), _workers(workers), _backup(), _disk()]),
        (_("Database"), [_database(), _migrations(), _clock()]),
        (_("Usage on its way"), [_leader(workers), _lag(workers), _spool(workers)]),
        (_("Others"), [_redis(), _providers(), _model_lists(), *_certificates()]),
    ]


# --- the program ---


def _version() -> Fact:
    newer = releases.newer()
    if newer:
        told = _("Version %(newer)s is out: docs/operating.md says how to upgrade.")
        return Fact(_("Version"), __version__, WARN, told % {"newer": newer})
    note = "" if settings.RELEASE_NOTICE else _("RELEASE_NOTICE is off: nobody asks.")
    return Fact(_("Version"), __version__, PLAIN, note)


def _workers(workers: list[dict[str, Any]]) -> Fact:
    calls = sum(each.get("calls_open", 0) for each in workers)
    note = ngettext("%d call open on this host", "%d calls open on this host", calls)
    return Fact(_("Workers"), len(workers), OK if workers else WARN, note % calls)


def _backup() -> Fact:
    label = _("Last backup")
    if database.file_path() is None:
        unseen = _("Of PostgreSQL by its own tools, which this page does not see.")
        return Fact(label, _("Not known here"), PLAIN, unseen)
    made = last()
    if made is None:
        return Fact(label, _("None"), WARN, _("`manage.py backup` makes one."))
    told = {"file": made.file, "size": filesizeformat(made.size)}
    note = _("%(file)s, %(size)s, with the key files") % told
    if not made.is_whole:
        note = _("%(file)s, %(size)s, not encrypted, without the key files") % told
    is_new = timezone.now() - made.made_at < OLD_BACKUP
    state = OK if is_new and made.is_whole else WARN
    return Fact(label, _day(made.made_at), state, note)


def _day(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "Y-m-d H:i")


def _disk() -> Fact:
    found = shutil.disk_usage(settings.DATA_DIR)
    is_short = found.free < min(LEAST_FREE * found.total, LEAST_FREE_BYTES)
    note = _("of %(total)s, where %(folder)s is") % {
        "total": filesizeformat(found.total),
        "folder": settings.DATA_DIR,
    }
    state = BAD if is_short else OK
    return Fact(_("Disk free"), filesizeformat(found.free), state, note)


# --- the database ---


def _database() -> Fact:
    begun = time.perf_counter()
    version = _asked(_VERSIONS)
    took = (time.perf_counter() - begun) * 1000
    if version is None:
        return Fact(connection.display_name, _("Does not answer"), BAD)
    size = filesizeformat(_size())
    name = f"{connection.display_name} {str(version).partition(' ')[0]}"
    note = _("%(size)s; answered in %(ms).1f ms") % {"size": size, "ms": took}
    return Fact(name, _("Answers"), OK, note)


_VERSIONS = {"sqlite": "SELECT sqlite_version()", "postgresql": "SHOW server_version"}
_SIZES = {"postgresql": "SELECT pg_database_size(current_database())"}
_CLOCKS = {"postgresql": "SELECT clock_timestamp()"}


def _asked(statements: dict[str, str]) -> Any:
    """Return what the database says to its own statement; None where it does not."""
    statement = statements.get(connection.vendor)
    if statement is None:
        return None
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0]
    except DatabaseError:
        return None


def _size() -> int:
    file = database.file_path()
    if file is None:
        return int(_asked(_SIZES) or 0)
    parts = (file, Path(f"{file}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _migrations() -> Fact:
    label = _("Changes of tables")
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not pending:
        return Fact(label, _("None waits"), OK, _("The tables are this version's."))
    names = ", ".join(f"{each.app_label}.{each.name}" for each, _back in pending)
    return Fact(label, len(pending), BAD, _("Run `migrate`: %s") % names)


def _clock() -> Fact:
    label = _("Clock")
    theirs = _asked(_CLOCKS)
    if theirs is None:
        return Fact(label, _("This machine's"), PLAIN, _day(timezone.now()))
    apart = abs((timezone.now() - theirs).total_seconds())
    state = OK if apart < CLOCKS_APART_SECONDS else BAD
    note = _("from the clock of the database")
    return Fact(label, _("%.1f s") % apart, state, note)


# --- usage ---


def _leader(workers: list[dict[str, Any]]) -> Fact:
    leading = [each.get("pid") for each in workers if each.get("is_leader")]
    if not leading:
        return Fact(_("Leader"), _("None"), BAD, _("Nobody stores usage on this host."))
    note = _("stores usage and checks providers")
    return Fact(_("Leader"), _("Process %s") % leading[0], OK, note)


def _lag(workers: list[dict[str, Any]]) -> Fact:
    label = _("Stored last")
    lags = [w.get("stored_ago_seconds", 0) for w in workers if w.get("is_leader")]
    if not lags:
        return Fact(label, _("Not known"), WARN)
    is_late = min(lags) > LATE_SECONDS
    note = _("what waits is stored each second")
    return Fact(label, _("%.0f s ago") % min(lags), BAD if is_late else OK, note)


def _spool(workers: list[dict[str, Any]]) -> Fact:
    dropped = sum(each.get("usage_lines_dropped", 0) for each in workers)
    size = filesizeformat(vitals.spool_bytes())
    if dropped:
        note = ngettext(
            "%d line was lost: the disk had no room.",
            "%d lines were lost: the disk had no room.",
            dropped,
        )
        return Fact(_("Spool"), size, BAD, note % dropped)
    return Fact(_("Spool"), size, OK, _("No line was lost."))


# --- others ---


def _redis() -> Fact:
    if not settings.REDIS_URL:
        return Fact(_("Redis"), _("Not used"), PLAIN, _("Limits hold on this host."))
    # By name, because its client takes 8 MB that most servers need not have.
    from redis import Redis, RedisError

    patience = REDIS_PATIENCE_SECONDS
    with Redis.from_url(
        settings.REDIS_URL, socket_timeout=patience, socket_connect_timeout=patience
    ) as client:
        begun = time.perf_counter()
        try:
            client.ping()
        except RedisError as error:
            return Fact(_("Redis"), _("Does not answer"), BAD, type(error).__name__)
    if why := runtime.board.seen().get(LIMITS):
        return Fact(_("Redis"), _("Answers, but does not count"), BAD, why)
    took = (time.perf_counter() - begun) * 1000
    return Fact(_("Redis"), _("Answers"), OK, _("in %.1f ms") % took)


def _certificates() -> list[Fact]:
    """Return the client certificates that end soon, if any does."""
    return [
        Fact(
            _("Client certificate"),
            _("Expired") if each.is_over else _("Expires soon"),
            BAD if each.is_over else WARN,
            _("%(whose)s: until %(when)s")
            % {
                "whose": each.provider or "UPSTREAM_CLIENT_CERTIFICATE",
                "when": _day(each.ends_at),
            },
        )
        for each in expiry.ending_soon()
    ]


def _providers() -> Fact:
    rows = ModelProvider.objects.filter(enabled=True).order_by("status")
    counts = rows.values_list("status").annotate(count=Count("pk"))
    found = {ModelProvider.Status(status).label: count for status, count in counts}
    ill = {"unavailable", "failed"} & {status for status, _count in counts}
    words = ", ".join(f"{count} {label}" for label, count in found.items())
    return Fact(_("Providers"), sum(found.values()), WARN if ill else OK, words)


def _model_lists() -> Fact:
    label, waiting = _("Model lists"), ModelList.waiting()
    if not waiting:
        return Fact(label, _("As registered"), OK, _("looked at once a day"))
    number = sum(waiting.values())
    names = ", ".join([*waiting][:MOST_NAMED])
    if len(waiting) > MOST_NAMED:
        names += ", …"
    note = ngettext(
        "waits for a decision under Models: %s",
        "wait for a decision under Models: %s",
        number,
    )
    return Fact(label, number, PLAIN, note % names)
