"""Names of agents: those that none can have, and one to suggest."""

import re
from collections.abc import Collection, Iterable
from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Calls without a key are booked under `local`; the others are pages below /agents/.
RESERVED = frozenset({"local", "new", "deploy-hello-world"})
# Names of files that say nothing of the agent in them.
UNTELLING = frozenset({"agent", "main", "index", "app", "__init__", "__main__"})


def check_agent_name(name: str) -> None:
    """Raise ValidationError for a name that means something else here."""
    if name in RESERVED:
        raise ValidationError(
            _("`%(name)s` is reserved. Choose another name."), params={"name": name}
        )


def suggested_name(files: Iterable[str], taken: Collection[str]) -> str:
    """Return a free name for an agent whose source is in `files`.

    >>> suggested_name(["support_bot.py"], {"support-bot"})
    'support-bot-2'
    """
    stems = [PurePath(file).stem.lower() for file in files]
    telling = [stem for stem in stems if stem not in UNTELLING]
    base = re.sub(r"[^a-z0-9]+", "-", telling[0] if telling else "").strip("-")[:50]
    base = base or "my-agent"
    name, number = base, 2
    while name in taken or name in RESERVED:
        name, number = f"{base}-{number}", number + 1
    return name
