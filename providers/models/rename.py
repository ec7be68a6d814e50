"""Names that providers had before: their links lead on, and what holds them follows."""

from typing import TYPE_CHECKING

from django.apps import apps
from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models.body_window import BodyWindow
from providers.models.keys import IssuedKey

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
    def note(cls, provider: "ModelProvider", old: str) -> None:
        """Note that `provider` was called `old`, and let keys and windows follow.

        The ledger's rows follow later: they are many (gateway/worker/renames.py).
        """
        cls.objects.create(provider=provider, old=old, new=provider.name)
        _carry_reaches(old, provider.name)
        for window in BodyWindow.objects.filter(provider=old):
            window.provider = provider.name
            window.save(update_fields=["provider"])

    @classmethod
    def heir_of(cls, name: str) -> "ModelProvider | None":
        """Return the provider that had `name` last, if any and if it is still there."""
        found = (
            cls.objects.filter(old=name, provider__isnull=False)
            .select_related("provider")
            .last()
        )
        return None if found is None else found.provider


def _carry_reaches(old: str, new: str) -> None:
    """Have keys that reach models of the provider `old` reach those of `new`."""
    for kind in apps.get_models():
        if not issubclass(kind, IssuedKey):
            continue
        for key in kind._default_manager.exclude(models=[]):
            reach = [each for entry in key.models for each in _carried(entry, old, new)]
            if reach != key.models:
                key.models = list(dict.fromkeys(reach))
                key.save(update_fields=["models"])


def _carried(entry: str, old: str, new: str) -> list[str]:
    """Return what an entry of a reach is after the rename.

    ``provider/model`` may also be the id of a model, which then stays within reach.
    """
    if not entry.startswith(f"{old}/"):
        return [entry]
    served = apps.get_model("providers", "ProviderModel")._default_manager
    stays = served.filter(model_id=entry).exists()
    carried = f"{new}/{entry.removeprefix(f'{old}/')}"
    return [carried, entry] if stays else [carried]
