"""Ready-made starting points: a well-known endpoint of some type is one row here.

A row says only in what it differs from its type's usual provider. Its key stands in the
address of the form and is the name that is suggested.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Preset:
    """A provider to start from.

    None, and no `models`, keep what the type says. `options` are those of
    `spec.options`, `models` the ids shown as examples, `link` the vendor's own page
    about it.
    """

    label: str | Promise
    endpoint: str
    provider_type: str = "openai"
    auth_type: str | None = None
    header_name: str | None = None
    value_prefix: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    models: str = ""
    link: str = ""


PRESETS: dict[str, Preset] = {
    "custom": Preset(_("OpenAI-compatible endpoint"), ""),
    "azure": Preset(
        _("Azure OpenAI"),
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        header_name="api-key",
        value_prefix="",
        link="https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
    ),
    "vllm": Preset(
        _("vLLM on this machine"),
        # Not 8000, vLLM's own default: there listens this server.
        "http://localhost:8001",
        auth_type="none",
        link="https://docs.vllm.ai/en/latest/serving/openai_compatible_server/",
    ),
}
