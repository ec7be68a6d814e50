"""OpenAI, and every server that speaks its format.

https://platform.openai.com/docs/api-reference/authentication
https://platform.openai.com/docs/api-reference/models/list
https://platform.openai.com/docs/api-reference/chat/create
"""

from urllib.parse import urlsplit

from django.utils.translation import gettext_lazy as _

from providers.vendors import listing
from providers.vendors.vendor import JSON, TRIAL_INPUT, TRIAL_TEXT, Question, Vendor


def _questions(endpoint: str) -> list[Question]:
    return [Question(endpoint, "/v1/models", listing.of_openai)]


def _trial(endpoint: str, model: str) -> tuple[str, JSON]:
    host = urlsplit(endpoint).hostname or ""
    # OpenAI's reasoning models refuse the old name; other servers know only that.
    is_openai = host.endswith((".openai.com", ".azure.com"))
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    messages = [{"role": "user", "content": TRIAL_TEXT}]
    return "/v1/chat/completions", {"model": model, "messages": messages, limit: 1}


def _embedding_trial(endpoint: str, model: str) -> tuple[str, JSON]:
    return "/v1/embeddings", {"model": model, "input": TRIAL_INPUT}


VENDOR = Vendor(
    label="OpenAI",
    note=_("OpenAI, Azure, vLLM and anything compatible"),
    logo="openai",
    endpoint="https://api.openai.com",
    endpoint_help=_(
        "The API's address, with or without /v1; a compatible server's own works, too."
    ),
    chat_path="/v1/chat/completions",
    responses_path="/v1/responses",
    pasted_tails=(
        "/v1/chat/completions",
        "/chat/completions",
        "/v1/responses",
        "/responses",
        "/v1/embeddings",
        "/embeddings",
    ),
    example_models="gpt-4o, gpt-4o-mini",
    options=(
        "version_path",
        "strict_params",
        "include_usage",
        "responses_api",
        "max_tokens_field",
        "system_role",
        "drop_params",
        "mid_system",
        "user_field",
        "cache_marks",
        "organization",
        "project",
        "reasoning_alias",
        "send_reasoning_content",
    ),
    environment={
        "OPENAI_BASE_URL": "{base}/v1",
        "OPENAI_API_BASE": "{base}/v1",
        "OPENAI_API_KEY": "{key}",
    },
    option_headers={
        "organization": "OpenAI-Organization",
        "project": "OpenAI-Project",
    },
    questions=_questions,
    trial=_trial,
    embedding_trial=_embedding_trial,
)
