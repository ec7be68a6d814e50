"""Headers that name an account's organization and project.

https://platform.openai.com/docs/api-reference/authentication
"""

from collections.abc import Mapping
from typing import Any

_HEADERS = {"organization": "openai-organization", "project": "openai-project"}


def own_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return them as the provider's options say; empty where these say nothing."""
    if _HEADERS.keys().isdisjoint(options):
        return {}
    return {
        header: options[option]
        for option, header in _HEADERS.items()
        if options.get(option)
    }
