"""Anthropic: Claude by the Messages API.

https://docs.anthropic.com/en/api/overview#authentication
https://docs.anthropic.com/en/api/models-list
https://docs.anthropic.com/en/api/messages
"""

from collections.abc import Collection

from django.utils.translation import gettext_lazy as _

from providers.vendors import listing
from providers.vendors.vendor import JSON, TRIAL_TEXT, Question, Vendor


def _questions(endpoint: str) -> list[Question]:
    return [Question(endpoint, "/v1/models?limit=1000", listing.of_openai)]


def _is_listed(model: str, found: Collection[str]) -> bool:
    if model in found:
        return True
    # The list has dated ids; an alias stands for the newest of them.
    alias = model.removesuffix("-latest")
    return any(each.startswith(f"{alias}-") for each in found)


def _trial(endpoint: str, model: str) -> tuple[str, JSON]:
    messages = [{"role": "user", "content": TRIAL_TEXT}]
    return "/v1/messages", {"model": model, "messages": messages, "max_tokens": 1}


VENDOR = Vendor(
    label="Anthropic",
    note=_("Claude by the Messages API"),
    logo="anthropic",
    endpoint="https://api.anthropic.com",
    endpoint_help=_("The API's address, with or without /v1."),
    chat_path="/v1/messages",
    pasted_tails=("/v1/messages", "/messages"),
    header_name="x-api-key",
    value_prefix="",
    example_models="claude-sonnet-4-20250514",
    options=(
        "version_path",
        "strict_params",
        "drop_params",
        "drop_betas",
        "forward_workspace",
        "auto_cache",
        "server_web_search",
        "structured_output",
        "reasoning_alias",
    ),
    price_list="anthropic",
    environment={
        "ANTHROPIC_BASE_URL": "{base}",
        "ANTHROPIC_API_KEY": "{key}",
        # https://code.claude.com/docs/en/model-config
        "ANTHROPIC_MODEL": "{model}",
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "{window}",
    },
    known_windows="claude",
    headers={"anthropic-version": "2023-06-01"},
    questions=_questions,
    is_listed=_is_listed,
    trial=_trial,
)
