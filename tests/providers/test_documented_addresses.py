"""Addresses as vendors document them lead to where their servers have the API.

The pages are those named in providers/vendors/hosts.py and presets.py, and
https://docs.github.com/en/rest/models/inference,
https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility,
https://developers.cloudflare.com/ai-gateway/providers/openai/,
https://docs.z.ai/guides/overview/quick-start,
https://docs.continue.dev/customize/model-providers/more/zai,
https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api,
https://novita.ai/docs/guides/llm-anthropic-compatibility,
https://api-docs.deepseek.com/guides/chat_prefix_completion.
"""

import pytest

from providers import endpoints
from tests.at_once import at_once


@at_once(
    ("typed", "url"),
    [
        (
            "https://models.github.ai/orgs/acme/inference",
            "https://models.github.ai/orgs/acme/inference/chat/completions",
        ),
        (
            "https://models.inference.ai.azure.com",
            "https://models.inference.ai.azure.com/chat/completions",
        ),
        (
            "https://api.cloudflare.com/client/v4/accounts/ACC/ai/v1",
            "https://api.cloudflare.com/client/v4/accounts/ACC/ai/v1/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/openai",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/openai/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/compat",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/compat/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/workers-ai/v1",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/workers-ai/v1/chat"
            "/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/groq",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/groq/chat/completions",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/deepseek",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/deepseek/chat/completions",
        ),
        (
            "https://api.z.ai/api/coding/paas/v4",
            "https://api.z.ai/api/coding/paas/v4/chat/completions",
        ),
        ("https://api.z.ai", "https://api.z.ai/api/paas/v4/chat/completions"),
        (
            "https://open.bigmodel.cn/api/coding/paas/v4",
            "https://open.bigmodel.cn/api/coding/paas/v4/chat/completions",
        ),
        ("https://api.moonshot.cn/v1", "https://api.moonshot.cn/v1/chat/completions"),
        ("https://api.moonshot.ai", "https://api.moonshot.ai/v1/chat/completions"),
        (
            "https://api.kimi.com/coding/v1",
            "https://api.kimi.com/coding/v1/chat/completions",
        ),
        (
            "https://router.huggingface.co",
            "https://router.huggingface.co/v1/chat/completions",
        ),
        (
            "https://router.huggingface.co/v1",
            "https://router.huggingface.co/v1/chat/completions",
        ),
        (
            "https://abc.us-east-1.aws.endpoints.huggingface.cloud",
            "https://abc.us-east-1.aws.endpoints.huggingface.cloud/v1/chat/completions",
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/P"
            "/locations/us-central1/endpoints/openapi",
            "https://us-central1-aiplatform.googleapis.com/v1beta1/projects/P"
            "/locations/us-central1/endpoints/openapi/chat/completions",
        ),
        (
            "https://us-central1-aiplatform.googleapis.com/v1/projects/P"
            "/locations/us-central1/endpoints/123",
            "https://us-central1-aiplatform.googleapis.com/v1/projects/P"
            "/locations/us-central1/endpoints/123/chat/completions",
        ),
        ("https://ollama.com/v1", "https://ollama.com/v1/chat/completions"),
        ("http://localhost:4000", "http://localhost:4000/v1/chat/completions"),
        ("http://localhost:30000/v1", "http://localhost:30000/v1/chat/completions"),
        (
            "https://res.cognitiveservices.azure.com",
            "https://res.cognitiveservices.azure.com/openai/v1/chat/completions",
        ),
        (
            "https://res.cognitiveservices.azure.com/openai/v1",
            "https://res.cognitiveservices.azure.com/openai/v1/chat/completions",
        ),
        (
            "https://res.openai.azure.us",
            "https://res.openai.azure.us/openai/v1/chat/completions",
        ),
        (
            "https://res.services.ai.azure.com/openai/v1/",
            "https://res.services.ai.azure.com/openai/v1/chat/completions",
        ),
        (
            "https://res.services.ai.azure.com/models?api-version=2024-05-01-preview",
            "https://res.services.ai.azure.com/models/chat"
            "/completions?api-version=2024-05-01-preview",
        ),
        (
            "https://res.services.ai.azure.com/models/chat"
            "/completions?api-version=2024-05-01-preview",
            "https://res.services.ai.azure.com/models/chat"
            "/completions?api-version=2024-05-01-preview",
        ),
        (
            "https://m.eastus2.models.ai.azure.com",
            "https://m.eastus2.models.ai.azure.com/v1/chat/completions",
        ),
        (
            "https://api.deepinfra.com",
            "https://api.deepinfra.com/v1/openai/chat/completions",
        ),
        (
            "https://api.deepinfra.com/v1",
            "https://api.deepinfra.com/v1/openai/chat/completions",
        ),
        (
            "https://api.deepseek.com/beta",
            "https://api.deepseek.com/beta/chat/completions",
        ),
        ("https://api.deepseek.com", "https://api.deepseek.com/v1/chat/completions"),
        ("https://openrouter.ai", "https://openrouter.ai/api/v1/chat/completions"),
        (
            "https://generativelanguage.googleapis.com/v1beta/openai/",
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
        ("https://api.minimax.io/v1", "https://api.minimax.io/v1/chat/completions"),
        (
            "https://ark.cn-beijing.volces.com/api/v3",
            "https://ark.cn-beijing.volces.com/api/v3/chat/completions",
        ),
        (
            "https://ark.cn-beijing.volces.com/api/coding/v3",
            "https://ark.cn-beijing.volces.com/api/coding/v3/chat/completions",
        ),
        (
            "https://qianfan.baidubce.com/v2",
            "https://qianfan.baidubce.com/v2/chat/completions",
        ),
        (
            "https://api.novita.ai/openai",
            "https://api.novita.ai/openai/v1/chat/completions",
        ),
        (
            "https://api.novita.ai/v3/openai",
            "https://api.novita.ai/v3/openai/chat/completions",
        ),
        (
            "https://acc.snowflakecomputing.com/api/v2/cortex/v1",
            "https://acc.snowflakecomputing.com/api/v2/cortex/v1/chat/completions",
        ),
        (
            "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1",
            "https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/chat"
            "/completions",
        ),
        (
            "https://bedrock-mantle.us-east-1.api.aws/v1",
            "https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions",
        ),
        (
            "http://localhost:12434/engines/v1",
            "http://localhost:12434/engines/v1/chat/completions",
        ),
        (
            "http://localhost:12434/engines/llama.cpp/v1",
            "http://localhost:12434/engines/llama.cpp/v1/chat/completions",
        ),
        (
            "http://localhost:3001/api/v1/openai",
            "http://localhost:3001/api/v1/openai/chat/completions",
        ),
        (
            "https://api.friendli.ai/serverless/v1",
            "https://api.friendli.ai/serverless/v1/chat/completions",
        ),
        (
            "https://api.ai21.com/studio/v1",
            "https://api.ai21.com/studio/v1/chat/completions",
        ),
        (
            "https://api.upstage.ai/v1/solar",
            "https://api.upstage.ai/v1/solar/chat/completions",
        ),
        (
            "https://api.venice.ai/api/v1",
            "https://api.venice.ai/api/v1/chat/completions",
        ),
        (
            "https://xyz.agents.do-ai.run/api/v1",
            "https://xyz.agents.do-ai.run/api/v1/chat/completions",
        ),
        (
            "https://us.inference.heroku.com/v1",
            "https://us.inference.heroku.com/v1/chat/completions",
        ),
        (
            "https://api.llama.com/compat/v1",
            "https://api.llama.com/compat/v1/chat/completions",
        ),
        (
            "https://glhf.chat/api/openai/v1",
            "https://glhf.chat/api/openai/v1/chat/completions",
        ),
        (
            "https://ai-gateway.vercel.sh/v1",
            "https://ai-gateway.vercel.sh/v1/chat/completions",
        ),
        (
            "https://api.fireworks.ai",
            "https://api.fireworks.ai/inference/v1/chat/completions",
        ),
        (
            "https://api.fireworks.ai/inference/v1/chat/completions",
            "https://api.fireworks.ai/inference/v1/chat/completions",
        ),
        ("https://api.x.ai", "https://api.x.ai/v1/chat/completions"),
        (
            "https://integrate.api.nvidia.com",
            "https://integrate.api.nvidia.com/v1/chat/completions",
        ),
    ],
)
def test_openais_format(typed, url):
    assert endpoints.chat_url("openai", typed) == url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        (
            "https://api.z.ai/api/anthropic",
            "https://api.z.ai/api/anthropic/v1/messages",
        ),
        (
            "https://open.bigmodel.cn/api/anthropic",
            "https://open.bigmodel.cn/api/anthropic/v1/messages",
        ),
        (
            "https://api.moonshot.ai/anthropic",
            "https://api.moonshot.ai/anthropic/v1/messages",
        ),
        ("https://api.kimi.com/coding", "https://api.kimi.com/coding/v1/messages"),
        ("https://api.kimi.com/coding/", "https://api.kimi.com/coding/v1/messages"),
        (
            "https://api.deepseek.com/anthropic",
            "https://api.deepseek.com/anthropic/v1/messages",
        ),
        (
            "https://api.minimax.io/anthropic",
            "https://api.minimax.io/anthropic/v1/messages",
        ),
        ("https://openrouter.ai/api", "https://openrouter.ai/api/v1/messages"),
        (
            "https://api.fireworks.ai/inference",
            "https://api.fireworks.ai/inference/v1/messages",
        ),
        ("https://ai-gateway.vercel.sh", "https://ai-gateway.vercel.sh/v1/messages"),
        (
            "https://res.services.ai.azure.com/anthropic",
            "https://res.services.ai.azure.com/anthropic/v1/messages",
        ),
        (
            "https://res.services.ai.azure.com/anthropic/v1/messages",
            "https://res.services.ai.azure.com/anthropic/v1/messages",
        ),
        (
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/anthropic",
            "https://gateway.ai.cloudflare.com/v1/ACC/GW/anthropic/v1/messages",
        ),
        (
            "https://api.deepinfra.com/anthropic",
            "https://api.deepinfra.com/anthropic/v1/messages",
        ),
        ("http://localhost:11434", "http://localhost:11434/v1/messages"),
        (
            "https://dashscope-intl.aliyuncs.com/apps/anthropic",
            "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages",
        ),
        (
            "https://acc.snowflakecomputing.com/api/v2/cortex",
            "https://acc.snowflakecomputing.com/api/v2/cortex/v1/messages",
        ),
        (
            "https://ark.cn-beijing.volces.com/api/coding",
            "https://ark.cn-beijing.volces.com/api/coding/v1/messages",
        ),
        (
            "http://localhost:4000/anthropic",
            "http://localhost:4000/anthropic/v1/messages",
        ),
        ("https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"),
        (
            "https://ws.cloud.databricks.com/serving-endpoints/anthropic",
            "https://ws.cloud.databricks.com/serving-endpoints/anthropic/v1/messages",
        ),
        (
            "https://api.novita.ai/anthropic",
            "https://api.novita.ai/anthropic/v1/messages",
        ),
    ],
)
def test_the_messages_api(typed, url):
    assert endpoints.chat_url("anthropic", typed) == url


@pytest.mark.parametrize(
    "typed",
    ["https://ollama.com", "https://ollama.com/", "https://ollama.com/api/chat"],
)
def test_ollamas_api(typed):
    assert endpoints.chat_url("ollama", typed) == "https://ollama.com/api/chat"
