"""Keys that we issue."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers import keys
from providers.models.announced import Announced
from providers.models.rules import NAME_RULE


class IssuedKey(Announced):
    """A key that we issue: recognised by its digest, shown once."""

    prefix = models.CharField(max_length=16, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    LISTED = (models.F("revoked_at").desc(nulls_first=True), "-created_at")
    """The order of a list: newest first, and those that are revoked after the rest."""

    models = models.JSONField(default=list, blank=True)
    """What the key is narrowed to: ``model``, ``provider/model``, ``provider/*``."""

    class Meta:
        abstract = True

    def take(self, key: keys.NewKey) -> None:
        """Make this the row of `key` (not saved)."""
        self.prefix, self.last4, self.digest = key.prefix, key.last4, key.digest

    def is_live(self) -> bool:
        """Tell whether the key is accepted now."""
        return self.revoked_at is None and not (self.paused_at or self.is_expired())

    def is_expired(self) -> bool:
        """Tell whether the key's time is over."""
        return self.expires_at is not None and self.expires_at <= timezone.now()

    def pause(self, *, paused: bool) -> None:
        """Refuse the key until it is resumed, or accept it again."""
        self.paused_at = timezone.now() if paused else None
        self.save(update_fields=["paused_at"])

    def revoke(self) -> None:
        """Refuse the key from now on, on every worker within two seconds."""
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])

    def retire(self, grace: timedelta) -> None:
        """Refuse the key once `grace` is over, at once if there is none."""
        if not grace:
            self.revoke()
            return
        until = timezone.now() + grace
        self.expires_at = min(self.expires_at or until, until)
        self.save(update_fields=["expires_at"])


class WorkspaceKey(IssuedKey):
    """A key for `/api/v1`, which also reaches every model, or those in `models`."""

    name = models.CharField(_("name"), max_length=63, validators=[NAME_RULE])

    class Meta:
        ordering = ["name", "-created_at"]
        verbose_name = _("API key")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}_…{self.last4})"

    @classmethod
    def of(cls, plaintext: str) -> "WorkspaceKey | None":
        """Return the key that reads `plaintext`, live or not; None if it is revoked."""
        # The checksum sorts made-up keys out before the database is asked.
        if not keys.is_well_formed(plaintext):
            return None
        digest = keys.digest(plaintext)
        row = cls.objects.filter(digest=digest).first()
        if row is None or not hmac.compare_digest(row.digest, digest):
            return None
        return row if row.revoked_at is None else None

    @classmethod
    def issue(
        cls, name: str, reach: Sequence[str] = (), expires_at: datetime | None = None
    ) -> keys.NewKey:
        """Create a key named `name`; the answer holds the only copy of it."""
        key = keys.generate(keys.WORKSPACE_PREFIX)
        row = cls(name=name, models=list(reach), expires_at=expires_at)
        row.take(key)
        row.save()
        return key
