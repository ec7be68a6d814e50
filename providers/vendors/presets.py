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
    token_url: str | None = None
    scopes: str | None = None
    client_auth: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    models: str = ""
    link: str = ""


# An app registration's client credentials; the app has the role *Cognitive Services
# OpenAI User* on the resource.
# https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
_ENTRA: dict[str, Any] = {
    "auth_type": "oauth2",
    "token_url": "https://login.microsoftonline.com/YOUR-TENANT/oauth2/v2.0/token",
    "scopes": "https://cognitiveservices.azure.com/.default",
    "client_auth": "client_secret_post",
}

PRESETS: dict[str, Preset] = {
    "custom": Preset(_("OpenAI-compatible endpoint"), ""),
    "azure": Preset(
        _("Azure OpenAI"),
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        header_name="api-key",
        value_prefix="",
        link="https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle",
    ),
    "azure-classic": Preset(
        _("Azure OpenAI, classic deployment"),
        "https://YOUR-RESOURCE.openai.azure.com/openai/deployments/YOUR-DEPLOYMENT"
        "/chat/completions?api-version=2024-10-21",
        header_name="api-key",
        value_prefix="",
        link="https://learn.microsoft.com/azure/ai-services/openai/reference",
    ),
    "azure-entra": Preset(
        _("Azure OpenAI, Microsoft Entra ID"),
        "https://YOUR-RESOURCE.openai.azure.com/openai/v1",
        **_ENTRA,
        link="https://learn.microsoft.com/azure/ai-services/openai/how-to/"
        "managed-identity",
    ),
    "azure-classic-entra": Preset(
        _("Azure OpenAI, classic deployment, Entra ID"),
        "https://YOUR-RESOURCE.openai.azure.com/openai/deployments/YOUR-DEPLOYMENT"
        "/chat/completions?api-version=2024-10-21",
        **_ENTRA,
        link="https://learn.microsoft.com/azure/ai-services/openai/how-to/"
        "managed-identity",
    ),
    "cerebras": Preset(
        "Cerebras",
        "https://api.cerebras.ai/v1",
        models="gpt-oss-120b",
        link="https://inference-docs.cerebras.ai/resources/openai",
    ),
    "cohere": Preset(
        "Cohere",
        "https://api.cohere.ai/compatibility/v1",
        # It refuses `stream_options`.
        options={"include_usage": False},
        models="command-a-03-2025",
        link="https://docs.cohere.com/docs/compatibility-api",
    ),
    "dashscope": Preset(
        "DashScope (Qwen)",
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        models="qwen-plus, qwen-max",
        link="https://www.alibabacloud.com/help/en/model-studio/"
        "compatibility-of-openai-with-dashscope",
    ),
    "databricks": Preset(
        "Databricks",
        "https://YOUR-WORKSPACE.cloud.databricks.com/serving-endpoints",
        models="databricks-meta-llama-3-3-70b-instruct",
        link="https://docs.databricks.com/en/machine-learning/model-serving/"
        "score-foundation-models.html",
    ),
    "deepseek": Preset(
        "DeepSeek",
        "https://api.deepseek.com",
        models="deepseek-chat, deepseek-reasoner",
        link="https://api-docs.deepseek.com/",
    ),
    "fireworks": Preset(
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        models="accounts/fireworks/models/gpt-oss-120b",
        link="https://docs.fireworks.ai/tools-sdks/openai-compatibility",
    ),
    "gemini": Preset(
        "Google Gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        models="gemini-2.5-flash, gemini-2.5-pro",
        link="https://ai.google.dev/gemini-api/docs/openai",
    ),
    "github-models": Preset(
        "GitHub Models",
        "https://models.github.ai/inference",
        models="openai/gpt-4o-mini",
        link="https://docs.github.com/en/rest/models/inference",
    ),
    "groq": Preset(
        "Groq",
        "https://api.groq.com/openai/v1",
        models="llama-3.3-70b-versatile, openai/gpt-oss-120b",
        link="https://console.groq.com/docs/openai",
    ),
    "huggingface": Preset(
        "Hugging Face",
        "https://router.huggingface.co/v1",
        models="openai/gpt-oss-120b",
        link="https://huggingface.co/docs/inference-providers/index",
    ),
    "litellm": Preset(
        _("LiteLLM on this machine"),
        "http://localhost:4000",
        link="https://docs.litellm.ai/docs/proxy/user_keys",
    ),
    "llama-cpp": Preset(
        _("llama.cpp on this machine"),
        "http://localhost:8080",
        auth_type="none",
        link="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    ),
    "lm-studio": Preset(
        _("LM Studio on this machine"),
        "http://localhost:1234",
        auth_type="none",
        link="https://lmstudio.ai/docs/api/endpoints/openai",
    ),
    "mistral": Preset(
        "Mistral",
        "https://api.mistral.ai/v1",
        models="mistral-large-latest, mistral-small-latest",
        link="https://docs.mistral.ai/api/",
    ),
    "moonshot": Preset(
        "Moonshot (Kimi)",
        "https://api.moonshot.ai/v1",
        models="kimi-k2-0905-preview",
        link="https://platform.moonshot.ai/docs/api/chat",
    ),
    "nvidia-nim": Preset(
        "NVIDIA NIM",
        "https://integrate.api.nvidia.com/v1",
        models="meta/llama-3.3-70b-instruct",
        link="https://docs.api.nvidia.com/nim/reference/llm-apis",
    ),
    "ollama-cloud": Preset(
        _("Ollama cloud"),
        "https://ollama.com",
        provider_type="ollama",
        auth_type="api_key",
        header_name="Authorization",
        value_prefix="Bearer ",
        models="gpt-oss:120b",
        link="https://docs.ollama.com/cloud",
    ),
    "openrouter": Preset(
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        models="openai/gpt-4o-mini, anthropic/claude-sonnet-4",
        options={"cache_marks": "cache_control"},
        link="https://openrouter.ai/docs/quickstart",
    ),
    "perplexity": Preset(
        "Perplexity",
        "https://api.perplexity.ai",
        models="sonar, sonar-pro",
        link="https://docs.perplexity.ai/guides/chat-completions-guide",
    ),
    "sglang": Preset(
        _("SGLang on this machine"),
        "http://localhost:30000",
        auth_type="none",
        link="https://docs.sglang.ai/basic_usage/openai_api_completions.html",
    ),
    "together": Preset(
        "Together",
        "https://api.together.xyz/v1",
        models="meta-llama/Llama-3.3-70B-Instruct-Turbo",
        link="https://docs.together.ai/docs/openai-api-compatibility",
    ),
    "vertex": Preset(
        _("Google Vertex AI"),
        "https://aiplatform.googleapis.com/v1/projects/YOUR-PROJECT/locations/global"
        "/endpoints/openapi",
        auth_type="oauth2",
        models="google/gemini-2.5-flash",
        link="https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai",
    ),
    "vllm": Preset(
        _("vLLM on this machine"),
        # Not 8000, vLLM's own default: there listens this server.
        "http://localhost:8001",
        auth_type="none",
        link="https://docs.vllm.ai/en/latest/serving/openai_compatible_server/",
    ),
    "xai": Preset(
        "xAI",
        "https://api.x.ai/v1",
        models="grok-4",
        link="https://docs.x.ai/docs/overview",
    ),
    "zai": Preset(
        "Z.ai",
        "https://api.z.ai/api/paas/v4",
        models="glm-4.6",
        link="https://docs.z.ai/api-reference/introduction",
    ),
}
