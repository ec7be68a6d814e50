"""What a provider type starts with: endpoint, authentication, example models.

From the vendors' own documentation; the form fills these in, the HTTP API uses them
for whatever a request leaves out.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from providers.endpoints import DEFAULT_ENDPOINTS
from providers.models import ModelProvider

DEFAULT_REGION = "us-east-1"

Type = ModelProvider.Type
Auth = ModelProvider.Auth

# The authentication that a type's vendor uses.
DEFAULT_AUTH: dict[str, str] = {
    Type.OPENAI: Auth.API_KEY,
    Type.ANTHROPIC: Auth.API_KEY,
    Type.BEDROCK: Auth.AWS_SIGV4,
    Type.OLLAMA: Auth.NONE,
}

# Where the vendor expects its key:
# https://platform.openai.com/docs/api-reference/authentication
# https://docs.anthropic.com/en/api/overview#authentication
KEY_HEADERS: dict[str, dict[str, str]] = {
    Type.OPENAI: {"header_name": "Authorization", "value_prefix": "Bearer "},
    Type.ANTHROPIC: {"header_name": "x-api-key", "value_prefix": ""},
    Type.BEDROCK: {"header_name": "Authorization", "value_prefix": "Bearer "},
    Type.OLLAMA: {"header_name": "Authorization", "value_prefix": "Bearer "},
}

# Shown as examples in the empty Models field.
EXAMPLE_MODELS: dict[str, str] = {
    Type.OPENAI: "gpt-4o, gpt-4o-mini",
    Type.ANTHROPIC: "claude-sonnet-4-20250514",
    Type.BEDROCK: "us.anthropic.claude-opus-4-6-v1",
    Type.OLLAMA: "llama3.2, qwen3:8b",
}

# One line under each type card.
TYPE_NOTES: dict[str, str | Promise] = {
    Type.OPENAI: _("OpenAI, Azure, vLLM and anything compatible"),
    Type.ANTHROPIC: _("Claude by the Messages API"),
    Type.BEDROCK: _("Claude, Llama, Nova and more on AWS"),
    Type.OLLAMA: _("Self-hosted, no account needed"),
}


class Variant(NamedTuple):
    """A further starting point, offered as a link beside the four type cards."""

    label: str | Promise
    initial: dict[str, Any]


VARIANTS: dict[str, Variant] = {
    "custom": Variant(
        _("OpenAI-compatible endpoint"),
        {"provider_type": Type.OPENAI, "endpoint": "", "name": "custom"},
    ),
    "azure": Variant(
        _("Azure OpenAI"),
        {
            "provider_type": Type.OPENAI,
            "endpoint": "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
            "header_name": "api-key",
            "value_prefix": "",
            "name": "azure",
        },
    ),
    "vllm": Variant(
        _("vLLM on this machine"),
        {
            "provider_type": Type.OPENAI,
            # Not 8000, vLLM's own default: there listens this server.
            "endpoint": "http://localhost:8001",
            "auth_type": Auth.NONE,
            "name": "vllm",
        },
    ),
}


def initial(provider_type: str, auth_type: str = "") -> dict[str, Any]:
    """Return what a new provider of this type starts with, by form field name.

    With `auth_type` the fields of that scheme are filled instead of the type's usual
    one. An unknown type gives nothing: the form then names the mistake.
    """
    if provider_type not in DEFAULT_AUTH:
        return {}
    values: dict[str, Any] = {
        "provider_type": provider_type,
        "endpoint": DEFAULT_ENDPOINTS[provider_type],
        "auth_type": auth_type or DEFAULT_AUTH[provider_type],
        "region": DEFAULT_REGION,
        "priority": 100,
        "enabled": True,
        "client_auth": ModelProvider.ClientAuth.HEADER,
        **KEY_HEADERS[provider_type],
    }
    if provider_type == Type.OLLAMA:
        values["private_network"] = True
    return values


# What changes with the type as long as nobody typed something else.
_FOLLOWS_TYPE = ("name", "endpoint", "auth_type", "region", "private_network")


def switched(
    values: Mapping[str, Any], before: str, after: str, taken: Collection[str] = ()
) -> dict[str, Any]:
    """Return entered `values` for another type: what stood preset changes with it.

    What somebody typed stays. `taken` are names that the suggestion must avoid.
    """
    old = {**initial(before), "name": before}
    new = {**initial(after), "name": free_name(after, taken)}
    changed = {**values, "provider_type": after}
    for name in _FOLLOWS_TYPE:
        entered = values.get(name) or ""
        suggested = old.get(name, "")
        if entered in ("", suggested) or (
            name == "name" and str(entered).startswith(f"{before}-")
        ):
            changed[name] = new.get(name, "")
    if values.get("header_name", "") in ("", old.get("header_name")):
        changed |= KEY_HEADERS.get(after, {})
    if before == Type.OLLAMA:
        changed["private_network"] = new.get("private_network", "")
    return changed


def free_name(provider_type: str, taken: Collection[str]) -> str:
    """Return a name to suggest for a new provider: its type, counted up when taken."""
    if provider_type not in taken:
        return provider_type
    number = 2
    while f"{provider_type}-{number}" in taken:
        number += 1
    return f"{provider_type}-{number}"
