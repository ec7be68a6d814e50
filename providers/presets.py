"""What a provider type starts with: endpoint, authentication, example models.

From the vendors' own documentation; the form fills these in, the HTTP API uses them
for whatever a request leaves out.
"""

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
            "endpoint": "http://localhost:8000",
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
    auth = auth_type or DEFAULT_AUTH[provider_type]
    values: dict[str, Any] = {
        "provider_type": provider_type,
        "endpoint": DEFAULT_ENDPOINTS[provider_type],
        "auth_type": auth,
        "priority": 100,
        "enabled": True,
        "client_auth": ModelProvider.ClientAuth.HEADER,
    }
    if auth == Auth.API_KEY:
        values |= KEY_HEADERS[provider_type]
    if auth == Auth.AWS_SIGV4 or provider_type == Type.BEDROCK:
        values["region"] = DEFAULT_REGION
    return values
