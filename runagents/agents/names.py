"""Names that no agent can have."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Calls without a key are booked under `local`; the others are pages below /agents/.
RESERVED = frozenset({"local", "new", "deploy-hello-world"})


def check_agent_name(name: str) -> None:
    """Raise ValidationError for a name that means something else here."""
    if name in RESERVED:
        raise ValidationError(
            _("`%(name)s` is reserved. Choose another name."), params={"name": name}
        )
