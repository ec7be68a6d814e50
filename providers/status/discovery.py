"""Which models a provider offers: what to ask, by type, and how to read the answer.

https://platform.openai.com/docs/api-reference/models/list
https://docs.anthropic.com/en/api/models-list
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html
https://github.com/ollama/ollama/blob/main/docs/api.md#list-local-models
"""

import difflib
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from providers import endpoints
from providers.models import ModelProvider

ANTHROPIC_VERSION = "2023-06-01"
MAX_MODELS = 5000
MAX_ID_LENGTH = 512

Type = ModelProvider.Type


class Question(NamedTuple):
    """One GET request and how to read model ids from its JSON answer.

    `read` returns None for an answer that is not of the expected kind.
    """

    base: str
    path: str
    read: Callable[[Any], list[str] | None]


class Missing(NamedTuple):
    """A registered model that the provider does not list, and what may be meant."""

    model: str
    suggestion: str

    def __str__(self) -> str:
        text = f"{self.model} is not in the provider's list."
        return f"{text} Did you mean {self.suggestion}?" if self.suggestion else text


def questions(provider: ModelProvider) -> list[Question]:
    """Return what to ask `provider`; the first question tells whether it works."""
    base = provider.endpoint
    match provider.provider_type:
        case Type.ANTHROPIC:
            return [Question(base, "/v1/models?limit=1000", _of_openai)]
        case Type.BEDROCK:
            plane = control_plane(base)
            return [
                Question(plane, "/foundation-models", _of_foundation_models),
                Question(plane, "/inference-profiles?maxResults=1000", _of_profiles),
            ]
        case Type.OLLAMA:
            return [
                Question(base, "/api/version", _of_version),
                Question(base, "/api/tags", _of_ollama),
            ]
        case _:
            return [Question(base, "/v1/models", _of_openai)]


def headers(provider: ModelProvider) -> dict[str, str]:
    """Return what such a request carries besides credentials."""
    found = {"Accept": "application/json"}
    if provider.provider_type == Type.ANTHROPIC:
        found["anthropic-version"] = ANTHROPIC_VERSION
    if provider.provider_type == Type.OPENAI:
        for option, header in (
            ("organization", "OpenAI-Organization"),
            ("project", "OpenAI-Project"),
        ):
            if provider.options.get(option):
                found[header] = provider.options[option]
    found.update(provider.options.get("extra_headers", {}))
    return found


def control_plane(endpoint: str) -> str:
    """Return where Bedrock's models are listed, which is not where they run.

    Behind a VPC endpoint or a stand-in for AWS there is only the one address.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    is_aws = host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
    if not is_aws or not host.startswith("bedrock-runtime"):
        return endpoint
    return endpoints.origin(endpoint).replace("//bedrock-runtime", "//bedrock", 1)


def missing(
    provider_type: str, wanted: Iterable[str], found: Collection[str]
) -> list[Missing]:
    """Return which of `wanted` are not among `found`, each with the nearest name."""
    return [
        Missing(model, next(iter(difflib.get_close_matches(model, found, 1)), ""))
        for model in wanted
        if not _is_listed(provider_type, model, found)
    ]


def _is_listed(provider_type: str, model: str, found: Collection[str]) -> bool:
    if model in found:
        return True
    match provider_type:
        case Type.OLLAMA:
            return f"{model}:latest" in found
        case Type.ANTHROPIC:
            # The list has dated ids; an alias stands for the newest of them.
            alias = model.removesuffix("-latest")
            return any(each.startswith(f"{alias}-") for each in found)
        case Type.BEDROCK:
            # ARNs (own profiles, provisioned throughput, imported models) are not in
            # these lists.
            return model.startswith("arn:")
    return False


def _ids(rows: Any, *names: str) -> list[str] | None:
    """Return the first of the keys `names` that each row has."""
    if not isinstance(rows, list):
        return None
    found = []
    for row in rows:
        if isinstance(row, dict):
            found.append(next((row[name] for name in names if row.get(name)), None))
    return [
        each
        for each in found[:MAX_MODELS]
        if isinstance(each, str) and each.isprintable() and len(each) <= MAX_ID_LENGTH
    ]


def _of_openai(answer: Any) -> list[str] | None:
    # Some compatible servers answer a bare list, or call it `models`.
    if isinstance(answer, dict):
        answer = answer.get("data", answer.get("models"))
    return _ids(answer, "id", "name")


def _of_ollama(answer: Any) -> list[str] | None:
    return _ids(answer.get("models"), "name") if isinstance(answer, dict) else None


def _of_version(answer: Any) -> list[str] | None:
    return [] if isinstance(answer, dict) and "version" in answer else None


def _of_foundation_models(answer: Any) -> list[str] | None:
    """Return the ids that can be called as they are and write text.

    Others need an inference profile, which has an id of its own.
    """
    if not isinstance(answer, dict) or not isinstance(
        answer.get("modelSummaries"), list
    ):
        return None
    return _ids(
        [
            row
            for row in answer["modelSummaries"]
            if isinstance(row, dict)
            and "ON_DEMAND" in (row.get("inferenceTypesSupported") or ["ON_DEMAND"])
            and "TEXT" in (row.get("outputModalities") or ["TEXT"])
        ],
        "modelId",
    )


def _of_profiles(answer: Any) -> list[str] | None:
    if not isinstance(answer, dict):
        return None
    return _ids(answer.get("inferenceProfileSummaries"), "inferenceProfileId")
