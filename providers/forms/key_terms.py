"""What is decided about a key that we issue: its last day, and what it reaches.

One rule for the console's forms, `/api/v1` and `createkey`.
"""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from providers.models import ModelProvider, ProviderModel


def end_of(day: date) -> datetime:
    """Return the midnight after a key's last day, in UTC; refuses one that is over."""
    if day < timezone.now().date():
        raise ValidationError(_("This day is over."))
    return datetime.combine(day + timedelta(days=1), time(), UTC)


def day_of(text: str) -> date:
    """Return the day that is written as 2030-12-31; raises ValidationError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        sentence = _("Write the day as %s.") % "2030-12-31"
        raise ValidationError(sentence) from None


def reach_of(entries: Iterable[str], before: Collection[str] = ()) -> list[str]:
    """Return the entries, each once; one that nothing answers to is refused by name.

    What stands in `before` may stay.
    """
    found = list(dict.fromkeys(entry.strip() for entry in entries if entry.strip()))
    for entry in found:
        if entry not in before and not is_served(entry):
            raise ValidationError(_("Nobody serves `%s`.") % entry[:100])
    return found


def is_served(entry: str) -> bool:
    """Tell whether anything answers to a model, `provider/model` or `provider/*`."""
    if ProviderModel.objects.filter(model_id=entry).exists():
        return True
    provider, slash, model = entry.partition("/")
    if slash and model == "*":
        return ModelProvider.objects.filter(name=provider).exists()
    rows = ProviderModel.objects.filter(provider__name=provider, model_id=model)
    return bool(slash) and rows.exists()
