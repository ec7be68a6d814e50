"""How each client is told of the gateway: a client is one row here.

A row's template holds `$base`, `$key` and `$model`, the latter quoted as the row says;
`$name` is the model behind the row's `prefix`, quoted, too. To add a client, add a row;
what its door answers must be served, see gateway/doors.
"""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from string import Template
from typing import Any

from django.utils.translation import gettext_lazy as _

from providers import snippets

CODE, SDKS, TOOLS = (
    _("From your own code"),
    _("SDKs and frameworks"),
    _("Coding agents"),
)
GROUPS = (CODE, SDKS, TOOLS)


def _quoted(text: str) -> str:
    """Return a text as JSON, Python, TypeScript and YAML alike write it."""
    return json.dumps(text, ensure_ascii=False)


def _plain(text: str) -> str:
    return text


@dataclass(frozen=True)
class Recipe:
    """What to write, and where, so that a client calls the gateway.

    `example` names the snippet that the other pages show, too, in place of a template.
    """

    label: Any
    group: Any
    template: str = ""
    example: str = ""
    place: Any = ""
    prefix: str = ""
    quote: Callable[[str], str] = _quoted
    link: str = ""

    def text(self, base: str, model: str, key: str = "") -> str:
        """Return the recipe with the gateway's address, a model and a key in it."""
        if self.example:
            return snippets.examples(base, model, key)[self.example]
        return Template(self.template).substitute(
            base=base,
            key=key or snippets.placeholder(),
            model=self.quote(model),
            name=self.quote(self.prefix + model),
        )


RECIPES: dict[str, Recipe] = {
    "curl": Recipe("curl", CODE, example="curl"),
    "python": Recipe("Python", CODE, example="python"),
    "typescript": Recipe(
        "TypeScript, JavaScript",
        CODE,
        template="""\
const response = await fetch("$base/v1/chat/completions", {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    Authorization: "Bearer $key",
  },
  body: JSON.stringify({
    model: $model,
    messages: [{ role: "user", content: "Hello" }],
  }),
});
if (!response.ok) throw new Error(await response.text());
const answer = await response.json();
console.log(answer.choices[0].message.content);
""",
    ),
    "environment": Recipe(_("Environment variables"), CODE, example="env"),
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
    "codex": Recipe(
        "Codex",
        TOOLS,
        place="~/.codex/config.toml",
        template="""\
model = $model
model_provider = "runagents"
# How many tokens the model reads; Codex assumes a number otherwise.
# model_context_window = 200000

[model_providers.runagents]
name = "RunAgents"
base_url = "$base/v1"
wire_api = "responses"
experimental_bearer_token = "$key"
""",
        link="https://developers.openai.com/codex/config-advanced",
    ),
    "opencode": Recipe(
        "opencode",
        TOOLS,
        place="opencode.json",
        prefix="runagents/",
        template="""\
{
  "$$schema": "https://opencode.ai/config.json",
  "provider": {
    "runagents": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "RunAgents",
      "options": {
        "baseURL": "$base/v1",
        "apiKey": "$key"
      },
      "models": {
        $model: {}
      }
    }
  },
  "model": $name
}
""",
        link="https://opencode.ai/docs/providers/",
    ),
    "cline": Recipe(
        "Cline",
        TOOLS,
        place=_("Settings of the extension"),
        quote=_plain,
        template="""\
API Provider:  OpenAI Compatible
Base URL:      $base/v1
API Key:       $key
Model ID:      $model
""",
        link="https://docs.cline.bot/provider-config/openai-compatible",
    ),
    "continue": Recipe(
        "Continue",
        TOOLS,
        place="~/.continue/config.yaml",
        template="""\
name: RunAgents
version: 0.0.1
schema: v1
models:
  - name: $model
    provider: openai
    model: $model
    apiBase: $base/v1
    apiKey: $key
    roles:
      - chat
      - edit
      - apply
""",
        link="https://docs.continue.dev/customize/model-providers/top-level/openai",
    ),
    "aider": Recipe(
        "Aider",
        TOOLS,
        place=_("Shell"),
        prefix="openai/",
        quote=shlex.quote,
        template="""\
export OPENAI_API_BASE=$base/v1
export OPENAI_API_KEY=$key
aider --model $name
""",
        link="https://aider.chat/docs/llms/openai-compat.html",
    ),
}
