"""How long a key goes on working after a new one took its place."""

from datetime import timedelta

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

# Hours, the usual one first: nothing breaks while the new key is carried around.
GRACES = (
    (24, _("after 24 h")),
    (1, _("after 1 h")),
    (0, _("at once")),
)


def chosen_grace(posted: QueryDict) -> timedelta | None:
    """Return the grace that a form chose, None for one that is not offered."""
    offered = {str(hours): timedelta(hours=hours) for hours, _label in GRACES}
    return offered.get(posted.get("grace", str(GRACES[0][0])))
