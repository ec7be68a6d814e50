"""`manage.py rotatesecrets`: move every stored secret to the first encryption key."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import models, transaction

from providers import sealing
from providers.models.announced import resealed
from providers.models.fields import SealedField


class Command(BaseCommand):
    """Re-encrypts what is not yet under the first key of ENCRYPTION_KEYS.

    Each row is a transaction of its own and nothing but its ciphertext is written, so
    that the command may be stopped at any time and run again, also while the server
    runs.
    """

    help = (
        "Move every stored secret to the first key of ENCRYPTION_KEYS. Put the new key "
        "first, keep the old ones behind it, run this, then remove the old ones. Safe "
        "to stop and to repeat."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rotate every sealed column of every model; report counts."""
        total: Counter[str] = Counter()
        for model, field in _sealed_columns():
            counts: Counter[str] = Counter()
            for pk in _rows(model):
                outcome = _rotate(model, field, pk)
                counts[outcome] += 1
                if outcome == "unreadable":
                    self.stderr.write(
                        f"{model._meta.label} {pk}: {field.name} cannot be decrypted "
                        "with any of the keys. It is left as it is; enter it again."
                    )
            self.stdout.write(f"{model._meta.label}.{field.name}: {_summary(counts)}")
            total += counts
        self.stdout.write(f"Total: {_summary(total)}")
        if total["rotated"]:
            resealed.send(sender=type(self), count=total["rotated"])


def _sealed_columns() -> Iterator[tuple[type[models.Model], SealedField]]:
    for model in apps.get_models():
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedField):
                yield model, field


def _rows(model: type[models.Model]) -> list[Any]:
    rows = model._base_manager.order_by("pk").values_list("pk", flat=True)
    return list(rows)


def _rotate(model: type[models.Model], field: SealedField, pk: Any) -> str:
    """Move one row to the first key; return what became of it."""
    with transaction.atomic():
        row = model._base_manager.select_for_update().filter(pk=pk).first()
        if row is None:
            return "gone"
        before = getattr(row, field.attname)
        if sealing.is_current(before):
            return "current"
        try:
            field.seal(row, field.unseal(row))
        except sealing.UnreadableSecret:
            return "unreadable"
        # Where rows cannot be locked (SQLite), somebody may have entered a new secret
        # since it was read; theirs stays.
        changed = model._base_manager.filter(pk=pk, **{field.attname: before}).update(
            **{field.attname: getattr(row, field.attname)}
        )
        return "rotated" if changed else "current"


def _summary(counts: Counter[str]) -> str:
    return (
        f"{counts['rotated']} rotated, {counts['current']} already current, "
        f"{counts['unreadable']} unreadable"
    )
