"""The types of providers: what the registry knows about each, in a module of its own.

Whoever asks what a type is called, where it is reached or how it is checked asks here,
when it is needed, and names no type. The format of its calls is the translator's.
"""

from dataclasses import replace

from providers.vendors import anthropic, bedrock, ollama, openai
from providers.vendors.vendor import Question, Vendor

__all__ = ["USUAL", "VENDORS", "Question", "Vendor", "choices", "of", "region_of"]

VENDORS: dict[str, Vendor] = {
    "openai": openai.VENDOR,
    "anthropic": anthropic.VENDOR,
    "bedrock": bedrock.VENDOR,
    "ollama": ollama.VENDOR,
}
"""By the provider's type, in the order in which they are offered."""

USUAL = "openai"
"""The type of whoever names none."""


def of(provider_type: str) -> Vendor:
    """Return the vendor of a type.

    A row may be of a type that is not known here any more: it is shown under its own
    name and otherwise taken for one of the usual type, of which nothing is suggested.
    """
    if provider_type in VENDORS:
        return VENDORS[provider_type]
    unknown = replace(VENDORS[USUAL], label=provider_type, logo="")
    return replace(unknown, auth_type="none", example_models="", options=())


def choices() -> list[tuple[str, str]]:
    """Return the types with their labels, as they are now."""
    return [(name, vendor.label) for name, vendor in VENDORS.items()]


def region_of(endpoint: str) -> str:
    """Return the region in an address, whoever's it is; empty where there is none."""
    found = (vendor.region_of(endpoint) for vendor in VENDORS.values())
    return next(filter(None, found), "")
