"""Amazon Bedrock: models of many makers, by region.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
"""

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext_lazy as _

from providers.vendors import listing
from providers.vendors.vendor import JSON, TRIAL_INPUT, TRIAL_TEXT, Question, Vendor

LIST_DENIED = "Key lacks bedrock:List*; type IDs by hand."


def region_of(endpoint: str) -> str:
    """Return the region in an AWS host name, or an empty string."""
    try:
        host = urlsplit(endpoint).hostname or ""
    except ValueError:
        return ""
    found = re.search(
        r"\.([a-z]{2,4}(?:-[a-z]+)+-\d)\.(?:vpce\.)?(?:amazonaws|api\.aws)", host
    )
    return found.group(1) if found else ""


@lru_cache(maxsize=1)
def regions() -> frozenset[str]:
    """Return where the service is, as far as this version of botocore knows."""
    # Here, because only the page that adds a provider asks.
    from botocore.loaders import Loader

    found: set[str] = set()
    for partition in Loader().load_data("endpoints")["partitions"]:
        service = partition["services"].get("bedrock", {})
        found |= set(service.get("endpoints", ())) & set(partition["regions"])
    return frozenset(found)


def control_plane(endpoint: str) -> str:
    """Return where the models are listed, which is not where they run.

    Behind a VPC endpoint or a stand-in for AWS there is only the one address.
    """
    parts = urlsplit(endpoint)
    host = parts.hostname or ""
    is_aws = host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))
    if not is_aws or not host.startswith("bedrock-runtime"):
        return endpoint
    host = host.replace("bedrock-runtime", "bedrock", 1)
    return f"{parts.scheme}://{host}:{parts.port or 443}"


def _questions(endpoint: str) -> list[Question]:
    plane = control_plane(endpoint)
    return [
        Question(plane, "/foundation-models", _foundation_models),
        Question(plane, "/inference-profiles?maxResults=1000", _profiles),
    ]


def _foundation_models(answer: Any) -> list[str] | None:
    """Return the ids that can be called as they are and write text.

    Others need an inference profile, which has an id of its own.
    """
    rows = answer.get("modelSummaries") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return None
    callable_rows = [
        row
        for row in rows
        if isinstance(row, dict)
        and "ON_DEMAND" in (row.get("inferenceTypesSupported") or ["ON_DEMAND"])
        and "TEXT" in (row.get("outputModalities") or ["TEXT"])
    ]
    return listing.ids(callable_rows, "modelId")


def _profiles(answer: Any) -> list[str] | None:
    if not isinstance(answer, dict):
        return None
    return listing.ids(answer.get("inferenceProfileSummaries"), "inferenceProfileId")


def _is_listed(model: str, found: Collection[str]) -> bool:
    # ARNs (own profiles, provisioned throughput, imported models) are not in the lists.
    return model in found or model.startswith("arn:")


def _excuse(headers: Mapping[str, str], message: str) -> str:
    """Return what a refusal to list models says beside its status."""
    kind = headers.get("x-amzn-errortype", "").partition(":")[0].rpartition("#")[2]
    if kind == "AccessDeniedException" and "not authorized to perform" in message:
        return f"Connected; the credentials are valid. {LIST_DENIED}"
    if kind == "UnknownOperationException":
        return (
            "Connected. This endpoint does not list models: type their ids by hand. "
            "The credentials are proven by the first call."
        )
    return ""


def _trial(endpoint: str, model: str) -> tuple[str, JSON]:
    return f"/model/{quote(model, safe='')}/converse", {
        "messages": [{"role": "user", "content": [{"text": TRIAL_TEXT}]}],
        "inferenceConfig": {"maxTokens": 1},
    }


def _embedding_trial(endpoint: str, model: str) -> tuple[str, JSON]:
    """Return one text as the model's family takes it.

    https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
    """
    body: JSON = {"inputText": TRIAL_INPUT}
    if "cohere." in model:
        body = {"texts": [TRIAL_INPUT], "input_type": "search_query"}
    elif "amazon.nova" in model:
        text = {"truncationMode": "END", "value": TRIAL_INPUT}
        params = {"embeddingPurpose": "GENERIC_INDEX", "text": text}
        body = {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": params}
    return f"/model/{quote(model, safe='')}/invoke", body


VENDOR = Vendor(
    label="AWS Bedrock",
    note=_("Claude, Llama, Nova and more on AWS"),
    logo="bedrock",
    endpoint="https://bedrock-runtime.{region}.amazonaws.com",
    region_of=region_of,
    regions=regions,
    endpoint_help=_(
        "Follows the region until you change it; a VPC endpoint's address works, too."
    ),
    chat_path="/model/{model}/invoke",
    auth_type="aws_sigv4",
    example_models="us.anthropic.claude-opus-4-6-v1",
    options=(
        "bedrock_api",
        "bedrock_betas",
        "aws_identity",
        "aws_role_arn",
        "aws_external_id",
        "strict_params",
        "include_usage",
        "max_tokens_field",
        "system_role",
        "drop_params",
        "structured_output",
        "request_metadata",
        "guardrail_id",
        "guardrail_version",
        "guardrail_trace",
        "fetch_images",
        "vision",
        "audio",
        "stream_tools",
        "reasoning_alias",
        "send_reasoning_content",
    ),
    price_list="aws",
    questions=_questions,
    is_listed=_is_listed,
    excuse=_excuse,
    trial=_trial,
    embedding_trial=_embedding_trial,
)
