"""What the form calls *Advanced*: a provider's options.

The same names stand in `spec.options` of the HTTP API and in the registry file. One
table says of each what it may be and how the form asks for it. Those that change how
requests are translated are explained in docs/translation.md; which of them a type of
provider understands is said by its vendor (`providers/vendors/`).
"""

from typing import Any

from django.core.exceptions import ValidationError

from providers.options.headers import HeaderError, check_header
from providers.options.table import (
    ADMINISTRATORS,
    EVERYWHERE,
    MAY_BE_NONE,
    NETWORK,
    OPTIONS,
    TIMEOUTS,
    Option,
)
from providers.options.words import told

__all__ = [
    "ADMINISTRATORS",
    "EVERYWHERE",
    "MAY_BE_NONE",
    "NETWORK",
    "OPTIONS",
    "TIMEOUTS",
    "HeaderError",
    "Option",
    "check_header",
    "clean",
    "told",
]


def clean(value: Any) -> dict[str, Any]:
    """Return the options checked; raises ValidationError that names each wrong one."""
    if not isinstance(value, dict):
        raise ValidationError("Options must be an object.")
    problems, cleaned = [], {}
    for name, setting in value.items():
        if name not in OPTIONS:
            problems.append(f"Unknown option `{name}`.")
            continue
        if setting is None:
            continue
        try:
            cleaned[name] = OPTIONS[name].kind.check(setting)
        except ValueError as error:
            problems.append(f"Option `{name}` {error}.")
    if problems:
        raise ValidationError(problems)
    return cleaned
