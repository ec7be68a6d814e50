"""Headers that name an account's organization and project.

https://platform.openai.com/docs/api-reference/authentication
"""

from collections.abc import Mapping
from typing import Any


def own_headers(options: Mapping[str, Any]) -> dict[str, str]:
    """Return them as the provider's options say; empty where these say nothing."""
    named = {name: options.get(name) for name in ("organization", "project")}
    return {f"openai-{name}": value for name, value in named.items() if value}
