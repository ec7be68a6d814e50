"""A span of time in which prompts and answers are kept, though they usually are not."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from providers.models.announced import Announced


class BodyWindow(Announced):
    """Until `ends_at` the bodies of calls are kept: of all, or of those that match.

    An empty `caller` or `provider` stands for any.
    """

    caller = models.CharField(_("agent or key"), max_length=80, blank=True)
    provider = models.CharField(_("provider"), max_length=63, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["ends_at"]
        verbose_name = _("keeping of bodies")

    def __str__(self) -> str:
        caller = self.caller or gettext("every agent and key")
        provider = self.provider or gettext("every provider")
        return gettext("%(caller)s to %(provider)s") % {
            "caller": caller,
            "provider": provider,
        }

    @classmethod
    def open_now(cls) -> "models.QuerySet[BodyWindow]":
        """Return those that go on, the one that ends first first."""
        return cls.objects.filter(ends_at__gt=timezone.now())
