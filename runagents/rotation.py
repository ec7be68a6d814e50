"""How long a key works on after a new one took its place, and how long that does."""

from datetime import datetime, timedelta

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Hours, the usual one first: nothing breaks while the new key is carried around.
GRACES = (
    (24, _("after 24 h")),
    (1, _("after 1 h")),
    (0, _("at once")),
)
OFFERED = _("A key that is replaced ends after 24 h, 1 h, or at once.")


def own_end(expires_at: datetime | None) -> datetime | None:
    """Return when the successor of a key ends that ends at `expires_at`.

    The same, unless that is only the grace of an earlier rotation.
    """
    longest = max(hours for hours, _label in GRACES)
    if expires_at is None or expires_at <= timezone.now() + timedelta(hours=longest):
        return None
    return expires_at


def chosen_grace(posted: QueryDict) -> timedelta | None:
    """Return the grace that a form chose, None for one that is not offered."""
    offered = {str(hours): timedelta(hours=hours) for hours, _label in GRACES}
    return offered.get(posted.get("grace", str(GRACES[0][0])))
