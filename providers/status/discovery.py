"""Which models a provider offers, and which of those registered it does not.

What to ask and how to read the answers is the vendor's to say.
"""

import difflib
from collections.abc import Collection, Iterable
from typing import NamedTuple

from providers.models import ModelProvider
from providers.vendors import Vendor


class Missing(NamedTuple):
    """A registered model that the provider does not list, and what may be meant."""

    model: str
    suggestion: str

    def __str__(self) -> str:
        text = f"{self.model} is not in the provider's list."
        return f"{text} Did you mean {self.suggestion}?" if self.suggestion else text


def headers(provider: ModelProvider) -> dict[str, str]:
    """Return what a request to a provider carries besides credentials."""
    return {
        "Accept": "application/json",
        **provider.vendor.headers,
        **provider.option_headers(),
    }


def missing(
    vendor: Vendor, wanted: Iterable[str], found: Collection[str]
) -> list[Missing]:
    """Return which of `wanted` are not among `found`, each with the nearest name."""
    return [
        Missing(model, next(iter(difflib.get_close_matches(model, found, 1)), ""))
        for model in wanted
        if not vendor.is_listed(model, found)
    ]
