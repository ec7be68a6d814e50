"""Names that providers had before: their links lead on, their calls follow."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from providers.models.provider import ModelProvider


class ProviderRename(models.Model):
    """A provider called `old` is called `new` since `at`.

    `is_carried` says that the ledger's rows of before stand under the new name.
    """

    provider = models.ForeignKey(
        "providers.ModelProvider", models.SET_NULL, null=True, related_name="renames"
    )
    old = models.CharField(_("former name"), max_length=63, db_index=True)
    new = models.CharField(_("name"), max_length=63)
    at = models.DateTimeField(auto_now_add=True)
    is_carried = models.BooleanField(default=False)

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("rename of a provider")

    def __str__(self) -> str:
        return f"{self.old} → {self.new}"

    @classmethod
    def heir_of(cls, name: str) -> "ModelProvider | None":
        """Return the provider that had `name` last, if any and if it is still there."""
        found = (
            cls.objects.filter(old=name, provider__isnull=False)
            .select_related("provider")
            .last()
        )
        return None if found is None else found.provider
