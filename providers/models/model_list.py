"""What a provider was last seen to offer, and what of it waits for a person."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from providers.models.provider import ModelProvider


class ModelList(models.Model):
    """A provider's own list of models, beside what is registered of it.

    `offered` are the ids that it listed last, at `endpoint`; `new` those of them that
    came up since it was first asked and that nobody has decided on; `kept` are models
    that stay registered though they are not listed. Prices are list prices by model id,
    of input, output and cached input as text: `prices` those that a person knows,
    `listed_prices` those of now. `trouble` says why the list could not be read when it
    was asked for last. `proposals` counts what waits, as of the provider's `version`.
    """

    # A former version, beside this one during an upgrade, deletes providers and knows
    # nothing of these rows.
    provider = models.OneToOneField(
        ModelProvider,
        models.CASCADE,
        related_name="model_list",
        db_constraint=False,
    )
    endpoint = models.CharField(max_length=2048)
    version = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    listed_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=1000, blank=True)
    offered = models.JSONField(default=list)
    new = models.JSONField(default=list)
    kept = models.JSONField(default=list)
    prices = models.JSONField(default=dict)
    listed_prices = models.JSONField(default=dict)
    proposals = models.PositiveIntegerField(default=0, db_index=True)

    class Meta:
        verbose_name = _("model list")

    def __str__(self) -> str:
        return str(self.provider)

    @classmethod
    def waiting(cls) -> dict[str, int]:
        """Return how many decisions wait, by the provider's name."""
        rows = cls.objects.filter(proposals__gt=0).order_by("provider__name")
        return dict(rows.values_list("provider__name", "proposals"))
