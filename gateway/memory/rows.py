"""Kept items as rows of the database; everything here blocks."""

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet, Sum
from django.utils import timezone

from gateway.memory import sealing
from gateway.models import KeptItems

LARGEST = 1024 * 1024
"""Bytes of one row; a larger answer is not kept."""

_AT_ONCE = 500


def keep(owner: str, token: str, items: bytes) -> bool:
    """Keep an answer's items, as JSON, for `owner`; return whether they are kept.

    Raises django.db.Error.
    """
    if len(items) > sealing.LARGEST:
        return False
    sealed = sealing.seal(token, owner, items)
    if len(sealed) > LARGEST:
        return False
    KeptItems.objects.create(
        name=sealing.name_of(token),
        owner=owner,
        stored_at=timezone.now(),
        size=len(sealed),
        sealed=sealed,
    )
    return True


def find(owner: str, tokens: Iterable[str]) -> list[bytes]:
    """Return what is kept for `owner` under `tokens`; raises django.db.Error."""
    names = {sealing.name_of(token): token for token in tokens}
    rows = KeptItems.objects.filter(name__in=names, owner=owner)
    found = (
        sealing.unseal(names[name], owner, bytes(sealed))
        for name, sealed in rows.values_list("name", "sealed")
    )
    return [items for items in found if items is not None]


def forget(days: int, bytes_in_all: int) -> None:
    """Delete what is older, and the oldest of what is more; raises django.db.Error."""
    old = timezone.now() - timedelta(days=days)
    _delete(KeptItems.objects.filter(stored_at__lt=old), None)
    total = KeptItems.objects.aggregate(all=Sum("size"))["all"] or 0
    _delete(KeptItems.objects.all(), total - bytes_in_all)


def _delete(rows: QuerySet[KeptItems], excess: int | None) -> None:
    """Delete the oldest of `rows`: all, or until an `excess` of bytes is gone."""
    while excess is None or excess > 0:
        sizes = list(rows.order_by("stored_at").values_list("pk", "size")[:_AT_ONCE])
        gone = []
        for pk, size in sizes:
            if excess is not None:
                if excess <= 0:
                    break
                excess -= size
            gone.append(pk)
        if not gone:
            return
        KeptItems.objects.filter(pk__in=gone)._raw_delete(rows.db)
