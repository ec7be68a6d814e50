"""The audit log: who changed what, when and from where, never to which value.

Changes of rows are noticed by Django's signals, whichever way they came: browser,
admin, `/api/v1` or `manage.py`. A row of the log is written beside the change, in the
same transaction: what is rolled back leaves none.
"""

import os
import pwd
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from providers.models import OAuthToken
from runagents.accounts.throttle import client_address
from runagents.audit.subjects import SUBJECTS
from runagents.models import AuditEntry

Action = AuditEntry.Action


class Operation:
    """One request being answered: its rows of the log belong together."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.uid = uuid.uuid4().hex


_operation: ContextVar[Operation | None] = ContextVar("operation", default=None)


def current() -> Operation | None:
    """Return what is going on, for a stream that goes on when its view is done."""
    return _operation.get()


@contextmanager
def during(operation: Operation | None) -> Iterator[None]:
    """Book what changes within the block to whoever sent the operation's request."""
    before = _operation.get()
    _operation.set(operation)
    try:
        yield
    finally:
        # Not by a token: a stream may be closed in another context than it began in.
        _operation.set(before)


def record(
    action: str,
    kind: str,
    label: str,
    fields: list[str] | None = None,
    *,
    key: str = "",
    actor: str | None = None,
) -> None:
    """Write a row of the log; what one request does to one thing becomes one row."""
    operation = _operation.get()
    if key and operation is not None and action != Action.DELETE:
        same = AuditEntry.objects.filter(
            operation=operation.uid, kind=kind, object_key=key
        ).exclude(action=Action.DELETE)
        if found := same.first():
            found.fields = sorted({*found.fields, *(fields or ())})
            found.label = label[: AuditEntry.LABEL_LENGTH]
            found.save(update_fields=["fields", "label"])
            return
    AuditEntry.objects.create(
        actor=(_actor() if actor is None else actor)[: AuditEntry.ACTOR_LENGTH],
        address=client_address(operation.request) if operation is not None else "",
        action=action,
        kind=kind,
        label=label[: AuditEntry.LABEL_LENGTH],
        object_key=key,
        fields=fields or [],
        operation=operation.uid if operation is not None else "",
    )


def _actor() -> str:
    """Return who acts: an API key, a user, a command and its account, or the server."""
    operation = _operation.get()
    if operation is None:
        return _process()
    key = getattr(operation.request, "workspace_key", None)
    if key is not None:
        return f"API key {key}"
    user = getattr(operation.request, "user", None)
    name: str = user.get_username() if user is not None else ""
    return name


def _process() -> str:
    name = os.path.basename(sys.argv[0])
    if name not in {"manage.py", "runagents"} or len(sys.argv) < 2:
        return "server"
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    return f"{name} {sys.argv[1]} ({account})"


def outdated() -> QuerySet[AuditEntry]:
    """Return the rows that are older than the log is kept."""
    begins = timezone.now() - timedelta(days=settings.AUDIT_RETENTION_DAYS)
    return AuditEntry.objects.filter(at__lt=begins)


# --- changes of rows ---


def note_before(
    sender: type[models.Model], instance: Any, raw: bool, **told: Any
) -> None:
    """Find out, before a row is saved, which of its fields change."""
    update_fields = told.get("update_fields")
    before = None
    if instance.pk is not None and not raw:
        rows = sender._base_manager.filter(pk=instance.pk)
        before = rows.values(*(f.attname for f in _columns(sender))).first()
    instance._audited = _changed(sender, instance, before, update_fields)


def note_saved(sender: type[models.Model], instance: Any, **told: Any) -> None:
    """Write down a row that was made or changed; one that stayed as it was is not."""
    fields: list[str] = instance.__dict__.pop("_audited", [])
    if told["raw"] or not (fields or told["created"]):
        return
    if sender is OAuthToken and _operation.get() is None:
        return  # Refreshed by the gateway, as tokens are all the time.
    action = Action.ADD if told["created"] else Action.CHANGE
    if not told["created"] and "revoked_at" in fields:
        action = Action.REVOKE
    elif not told["created"] and "key" in fields:
        action = Action.ROTATE
    _record_row(action, sender, instance, fields)


def note_deleted(sender: type[models.Model], instance: Any, **told: Any) -> None:
    """Write down a row that was deleted."""
    _record_row(Action.DELETE, sender, instance, [])


def _record_row(
    action: str, sender: type[models.Model], instance: Any, fields: list[str]
) -> None:
    subject = SUBJECTS[sender]
    record(action, subject.kind, subject.label(instance), fields, key=str(instance.pk))


def _columns(sender: type[models.Model]) -> "list[models.Field[Any, Any]]":
    return [f for f in sender._meta.concrete_fields if not f.primary_key]


def _changed(
    sender: type[models.Model],
    instance: Any,
    before: dict[str, Any] | None,
    update_fields: Any,
) -> list[str]:
    """Return the words for the fields whose values differ from what is stored.

    For a new row, those that say more than their defaults.
    """
    words = set()
    for field in _columns(sender):
        if update_fields is not None and not {field.name, field.attname} & set(
            update_fields
        ):
            continue
        value = field.to_python(getattr(instance, field.attname))
        old = before[field.attname] if before is not None else field.get_default()
        if value != old:
            words.add(SUBJECTS[sender].names.get(field.name, field.name))
    return sorted(words - {""})


# --- log-ins and exports ---


def note_login(sender: Any, request: HttpRequest, user: Any, **told: Any) -> None:
    """Write down a log-in."""
    record(Action.LOG_IN, "user", str(user), actor=str(user))


def note_logout(sender: Any, request: HttpRequest, user: Any, **told: Any) -> None:
    """Write down a log-out, unless nobody was logged in."""
    if user is not None:
        record(Action.LOG_OUT, "user", str(user), actor=str(user))


def note_failed_login(sender: Any, credentials: dict[str, Any], **told: Any) -> None:
    """Write down a failed log-in; a name only if it is one of ours.

    People type passwords into the wrong field.
    """
    name = str(credentials.get("username", ""))
    known = User.objects.filter(username=name).exists()
    record(Action.LOG_IN_FAILED, "user", name if known else "", actor="")


def note_export(sender: Any, what: str, **told: Any) -> None:
    """Write down that something was taken out as a file."""
    record(Action.EXPORT, what, "")


def note_resealed(sender: Any, count: int, **told: Any) -> None:
    """Write down that stored secrets were moved to another encryption key."""
    record(Action.ROTATE, "secret", f"{count} stored values", ["encryption key"])


def note_dismissed(sender: Any, kind: str, label: str, **told: Any) -> None:
    """Write down that somebody left things as they are, against a proposal."""
    record(Action.CHANGE, kind, label, ["dismissed"])
