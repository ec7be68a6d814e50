"""What only some doors tell of a call, for its page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from gateway.models import UsageRecord

LABELS: dict[str, Any] = {
    "inputs": _("Inputs"),
    "upstream_calls": _("Calls of the provider"),
    "dimensions": _("Dimensions"),
    "why": _("Why this provider"),
    "key": _("Key of the provider"),
    "asked_again": _("Asked again while it was busy"),
}
"""By the name in `UsageRecord.details`; another one is shown by its name."""


def details(record: UsageRecord) -> list[tuple[Any, Any]]:
    """Return the details of a call, each with what it is called, known ones first."""
    told = record.details
    known = [(label, told[name]) for name, label in LABELS.items() if name in told]
    others = [(name.replace("_", " "), told[name]) for name in told.keys() - LABELS]
    return known + sorted(others)
