"""Agents that write code."""

import shlex
from typing import Any

from django.utils.translation import gettext_lazy as _

from runagents.connect.recipes.recipe import TOOLS, Recipe, plain


def _opencode(label: Any, package: str, **more: Any) -> Recipe:
    """Return how opencode is told of the gateway, by the package that it calls with."""
    template = """\
{
  "$$schema": "https://opencode.ai/config.json",
  "provider": {
    "runagents": {
      "npm": "PACKAGE",
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
"""
    return Recipe(
        label,
        TOOLS,
        place="opencode.json",
        prefix="runagents/",
        template=template.replace("PACKAGE", package),
        link="https://opencode.ai/docs/providers/",
        **more,
    )


RECIPES: dict[str, Recipe] = {
    "claude-code": Recipe(
        "Claude Code",
        TOOLS,
        place=_("Shell"),
        door="messages",
        quote=shlex.quote,
        note=_(
            "ANTHROPIC_API_KEY must not be set beside it. For its small tasks it asks "
            "for a model of its own, unless it is told another."
        ),
        template="""\
export ANTHROPIC_BASE_URL=$base
export ANTHROPIC_AUTH_TOKEN=$key
export ANTHROPIC_MODEL=$model
export ANTHROPIC_DEFAULT_HAIKU_MODEL=$model
# How many tokens a model reads that is none of Anthropic's:
# export CLAUDE_CODE_MAX_CONTEXT_TOKENS=200000
claude
""",
        link="https://code.claude.com/docs/en/llm-gateway",
    ),
    "codex": Recipe(
        "Codex",
        TOOLS,
        door="responses",
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
    "opencode": _opencode("opencode", "@ai-sdk/openai-compatible"),
    "opencode-responses": _opencode(
        _("opencode, Responses API"), "@ai-sdk/openai", door="responses"
    ),
    "opencode-messages": _opencode(
        _("opencode, Messages API"), "@ai-sdk/anthropic", door="messages"
    ),
    "cline": Recipe(
        "Cline",
        TOOLS,
        place=_("Settings of the extension"),
        quote=plain,
        template="""\
API Provider:  OpenAI Compatible
Base URL:      $base/v1
API Key:       $key
Model ID:      $model
""",
        link="https://docs.cline.bot/provider-config/openai-compatible",
    ),
    "cline-messages": Recipe(
        _("Cline, Messages API"),
        TOOLS,
        place=_("Settings of the extension"),
        door="messages",
        quote=plain,
        note=_("It offers Claude's models only, by Anthropic's names for them."),
        template="""\
API Provider:         Anthropic
Use custom base URL:  $base
API Key:              $key
Model:                $model
""",
        link="https://docs.cline.bot/provider-config/anthropic",
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
