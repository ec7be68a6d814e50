"""Ollama, on a machine of one's own.

https://github.com/ollama/ollama/blob/main/docs/api.md
"""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext_lazy as _

from providers.vendors import listing
from providers.vendors.vendor import (
    JSON,
    TRIAL_INPUT,
    TRIAL_TEXT,
    Described,
    Question,
    Vendor,
)


def _questions(endpoint: str) -> list[Question]:
    return [
        Question(endpoint, "/api/version", _version),
        Question(endpoint, "/api/tags", _tags),
    ]


def _version(answer: Any) -> list[str] | None:
    return [] if isinstance(answer, dict) and "version" in answer else None


def _tags(answer: Any) -> list[str] | None:
    if not isinstance(answer, dict):
        return None
    return listing.ids(answer.get("models"), "name")


def _is_listed(model: str, found: Collection[str]) -> bool:
    return model in found or f"{model}:latest" in found


def _kind(answer: Any) -> str:
    """Return what a model is for by its `capabilities`, which servers tell since 0.6.4.

    https://docs.ollama.com/api-reference/show-model-details
    """
    told = answer.get("capabilities") if isinstance(answer, dict) else None
    if not isinstance(told, list):
        return ""
    if "completion" in told:
        return "chat"
    return "embedding" if "embedding" in told else ""


def _trial(endpoint: str, model: str) -> tuple[str, JSON]:
    messages = [{"role": "user", "content": TRIAL_TEXT}]
    body = {"model": model, "messages": messages, "options": {"num_predict": 1}}
    return "/api/chat", {**body, "stream": False}


def _embedding_trial(endpoint: str, model: str) -> tuple[str, JSON]:
    return "/api/embed", {"model": model, "input": TRIAL_INPUT}


VENDOR = Vendor(
    label="Ollama",
    note=_("Self-hosted, no account needed"),
    logo="ollama",
    endpoint="http://localhost:11434",
    endpoint_help=_("Where its server listens, without /api or /v1."),
    chat_path="/api/chat",
    pasted_tails=("/api/chat", "/api/generate"),
    is_local=True,
    listens_with="OLLAMA_HOST=0.0.0.0",
    auth_type="none",
    example_models="llama3.2, qwen3:8b",
    options=(
        "strict_params",
        "mid_system",
        "fetch_images",
        "vision",
        "audio",
        "reasoning_alias",
    ),
    # https://github.com/ollama/ollama-python reads both; Ollama's server the first.
    environment={"OLLAMA_HOST": "{base}", "OLLAMA_API_KEY": "{key}"},
    is_spoken_by_few=True,
    questions=_questions,
    is_listed=_is_listed,
    described=Described("/api/show", _kind),
    trial=_trial,
    embedding_trial=_embedding_trial,
)
