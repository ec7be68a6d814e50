"""Where servers keep OpenAI's paths, when that is not right below ``/v1``.

Each row is an address that the vendor documents; whoever types less of it means it.
"""

BASE_PATHS: dict[str, str] = {
    # https://platform.openai.com/docs/api-reference/introduction
    "api.openai.com": "/v1",
    # https://console.groq.com/docs/openai
    "api.groq.com": "/openai/v1",
    # https://openrouter.ai/docs/quickstart
    "openrouter.ai": "/api/v1",
    # https://ai.google.dev/gemini-api/docs/openai
    "generativelanguage.googleapis.com": "/v1beta/openai",
    # https://docs.fireworks.ai/tools-sdks/openai-compatibility
    "api.fireworks.ai": "/inference/v1",
    # https://docs.perplexity.ai/guides/chat-completions-guide
    "api.perplexity.ai": "",
    # https://docs.github.com/en/rest/models/inference
    "models.github.ai": "/inference",
    # https://docs.github.com/en/github-models (its first address)
    "models.inference.ai.azure.com": "",
    # https://docs.cohere.com/docs/compatibility-api
    "api.cohere.ai": "/compatibility/v1",
    "api.cohere.com": "/compatibility/v1",
    # https://docs.z.ai/api-reference/introduction
    "api.z.ai": "/api/paas/v4",
    "open.bigmodel.cn": "/api/paas/v4",
    # https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope
    "dashscope.aliyuncs.com": "/compatible-mode/v1",
    "dashscope-intl.aliyuncs.com": "/compatible-mode/v1",
    "dashscope-us.aliyuncs.com": "/compatible-mode/v1",
    # https://deepinfra.com/docs/openai_api
    "api.deepinfra.com": "/v1/openai",
    # https://docs.databricks.com/en/machine-learning/model-serving/score-foundation-models.html
    ".databricks.com": "/serving-endpoints",
    ".azuredatabricks.net": "/serving-endpoints",
    # https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle
    ".openai.azure.com": "/openai/v1",
    ".openai.azure.us": "/openai/v1",
    ".cognitiveservices.azure.com": "/openai/v1",
    ".services.ai.azure.com": "/openai/v1",
}
"""By host, or by the end of one, the path of the documented address."""

ENDS: dict[str, str] = {
    # https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai
    "/endpoints/openapi": "",
    # https://developers.cloudflare.com/ai-gateway/usage/chat-completion/
    "/compat": "",
    "/serving-endpoints": "",
    # Azure's inference API: https://learn.microsoft.com/rest/api/aifoundry/model-inference
    "services.ai.azure.com/models": "",
    # https://api-docs.deepseek.com/guides/chat_prefix_completion
    "api.deepseek.com/beta": "",
    # https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api
    "/api/v2/cortex": "/v1",
    # SDKs of the Messages API are given an address without the version.
    "/anthropic": "/v1",
}
"""What follows an address that ends in one of these, whatever stands before."""


def base_path(host: str) -> str | None:
    """Return the path of the address documented for `host`; None for an unknown."""
    if host in BASE_PATHS:
        return BASE_PATHS[host]
    ends = (
        path for end, path in BASE_PATHS.items() if end[0] == "." and host.endswith(end)
    )
    return next(ends, None)
