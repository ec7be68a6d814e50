"""SDKs and frameworks that agents are written with."""

from django.utils.translation import gettext_lazy as _

from runagents.connect.recipes.recipe import SDKS, Recipe

RECIPES: dict[str, Recipe] = {
    "openai-python": Recipe(
        "OpenAI SDK, Python",
        SDKS,
        example="sdk",
        link="https://github.com/openai/openai-python",
    ),
    "openai-node": Recipe(
        "OpenAI SDK, TypeScript",
        SDKS,
        template="""\
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: "$base/v1",
  apiKey: "$key",
});
const answer = await client.chat.completions.create({
  model: $model,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.choices[0].message.content);
""",
        link="https://github.com/openai/openai-node",
    ),
    "anthropic-python": Recipe(
        "Anthropic SDK, Python",
        SDKS,
        door="messages",
        template="""\
from anthropic import Anthropic

client = Anthropic(base_url="$base", api_key="$key")
message = client.messages.create(
    model=$model,
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello"}],
)
print("".join(part.text for part in message.content if part.type == "text"))
""",
        link="https://platform.claude.com/docs/en/api/sdks/python",
    ),
    "anthropic-node": Recipe(
        "Anthropic SDK, TypeScript",
        SDKS,
        door="messages",
        template="""\
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({ baseURL: "$base", apiKey: "$key" });
const message = await client.messages.create({
  model: $model,
  max_tokens: 1024,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(message.content);
""",
        link="https://platform.claude.com/docs/en/api/sdks/typescript",
    ),
    "agents-sdk": Recipe(
        "OpenAI Agents SDK",
        SDKS,
        door="responses",
        note=_("Traces would go to OpenAI, which does not know the key: they are off."),
        template="""\
from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI

client = AsyncOpenAI(base_url="$base/v1", api_key="$key")
set_tracing_disabled(True)
agent = Agent(
    name="Assistant",
    model=OpenAIResponsesModel(model=$model, openai_client=client),
)
print(Runner.run_sync(agent, "Hello").final_output)
""",
        link="https://openai.github.io/openai-agents-python/config/",
    ),
    "langchain": Recipe(
        "LangChain",
        SDKS,
        template="""\
from langchain_openai import ChatOpenAI

llm = ChatOpenAI(
    base_url="$base/v1",
    api_key="$key",
    model=$model,
)
print(llm.invoke("Hello").content)
""",
        link="https://docs.langchain.com/oss/python/integrations/chat/openai",
    ),
    "pydantic-ai": Recipe(
        "Pydantic AI",
        SDKS,
        template="""\
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

provider = OpenAIProvider(base_url="$base/v1", api_key="$key")
agent = Agent(OpenAIChatModel($model, provider=provider))
print(agent.run_sync("Hello").output)
""",
        link="https://ai.pydantic.dev/models/openai/",
    ),
    "ai-sdk": Recipe(
        "Vercel AI SDK",
        SDKS,
        template="""\
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const gateway = createOpenAICompatible({
  name: "runagents",
  baseURL: "$base/v1",
  apiKey: "$key",
});
const { text } = await generateText({
  model: gateway($model),
  prompt: "Hello",
});
console.log(text);
""",
        link="https://ai-sdk.dev/providers/openai-compatible-providers",
    ),
    "litellm": Recipe(
        "LiteLLM",
        SDKS,
        prefix="openai/",
        template="""\
import litellm

answer = litellm.completion(
    api_base="$base/v1",
    api_key="$key",
    model=$name,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)
""",
        link="https://docs.litellm.ai/docs/providers/openai_compatible",
    ),
    "ollama-python": Recipe(
        "Ollama, Python",
        SDKS,
        door="ollama",
        template="""\
from ollama import Client

client = Client(
    host="$base",
    headers={"Authorization": "Bearer $key"},
)
answer = client.chat(
    model=$model,
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.message.content)
""",
        link="https://github.com/ollama/ollama-python",
    ),
    "ollama-node": Recipe(
        "Ollama, JavaScript",
        SDKS,
        door="ollama",
        template="""\
import { Ollama } from "ollama";

const client = new Ollama({
  host: "$base",
  headers: { Authorization: "Bearer $key" },
});
const answer = await client.chat({
  model: $model,
  messages: [{ role: "user", content: "Hello" }],
});
console.log(answer.message.content);
""",
        link="https://github.com/ollama/ollama-js",
    ),
}
