"""What is told to whoever keeps a log of it: changed rows, exports, secrets resealed.

With it the number that counts the changes of the registry.
"""

from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.dispatch import Signal

from providers.database import notices

exported = Signal()
"""Somebody took `what` out as a file."""

resealed = Signal()
"""`count` stored secrets were moved to another encryption key."""

dismissed = Signal()
"""Somebody decided against changes that were proposed, of a `kind`; `label` names them.
"""


class Announced(models.Model):
    """A row that is stored together with whatever listens to its being stored.

    The registry's version moves and the audit log grows in the same transaction.
    """

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row and tell the listeners, or do neither."""
        with transaction.atomic(savepoint=False):
            super().save(*args, **kwargs)


class RegistryVersion(models.Model):
    """One row that counts changes; every worker polls it and reloads when it moved.

    Where the database can tell, they hear of it at once (database/notices.py).
    """

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def bump(cls) -> None:
        """Announce a change of the registry, the keys or the wires."""
        if not cls.objects.filter(pk=1).update(number=F("number") + 1):
            cls.objects.get_or_create(pk=1, defaults={"number": 1})
        notices.announce()

    @classmethod
    def current(cls) -> int:
        """Return the number now, 0 before the first change."""
        return cls.objects.filter(pk=1).values_list("number", flat=True).first() or 0
