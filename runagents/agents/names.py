"""Names of agents: those that none can have, and one to suggest."""

import re
from collections.abc import Collection, Iterable
from pathlib import PurePath

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Calls without a key are booked under `local`; the others are pages below /agents/.
RESERVED = frozenset({"local", "new", "deploy-hello-world"})
# Names of files that say nothing of the agent in them.
UNTELLING = frozenset({"agent", "main", "index", "app", "src", "__init__", "__main__"})


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

    A folder that all of them share is named after the agent more likely than a file.
    """
    paths = [PurePath(file) for file in files]
    tops = {path.parts[0] if len(path.parts) > 1 else "" for path in paths}
    stems = [path.stem.lower() for path in paths]
    telling = [stem for stem in stems if stem not in UNTELLING]
    top = tops.pop().lower() if len(tops) == 1 else ""
    if top.strip("/") and top not in UNTELLING:
        telling = [top]
    base = re.sub(r"[^a-z0-9]+", "-", telling[0] if telling else "").strip("-")[:50]
    base = base or "my-agent"
    name, number = base, 2
    while name in taken or name in RESERVED:
        name, number = f"{base}-{number}", number + 1
    return name
