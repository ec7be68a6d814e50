"""Every recorded OpenAI request, sent to each other kind of provider.

What goes up is held to the vendors' own descriptions of their APIs, or the request is
refused for a reason that docs/translation.md gives.
"""

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import pytest
from anthropic.types.message_create_params import (
    MessageCreateParams,
    MessageCreateParamsBase,
)
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from ollama._types import ChatRequest
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import TypeAdapter

from tests.at_once import at_once
from tests.conformance.asking import Answer, post_all
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Received, Replay, Reply, json_reply
from tests.recordings import openai
from tests.recordings.traffic import ABSENT, JSON

RECORDS = [r for r in openai.chats() if r["request"]["body_json"]]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RECORDS, reason=ABSENT),
]

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

MODELS = {
    "anthropic": "claude-sonnet-4-6",
    "claude": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "gpt-oss": "openai.gpt-oss-120b-1:0",
    "converse": "amazon.nova-pro-v1:0",
    "ollama": "llama3.2-vision",
}


def registry(url: str) -> JSON:
    """Return one provider of each kind."""
    bedrock = registries.bedrock
    return registries.registry(
        registries.anthropic("anthropic", url, MODELS["anthropic"]),
        bedrock("claude", url, MODELS["claude"], bedrock_api="invoke"),
        bedrock("gpt-oss", url, MODELS["gpt-oss"], bedrock_api="invoke"),
        bedrock("converse", url, MODELS["converse"], bedrock_api="converse"),
        registries.ollama("ollama", url, MODELS["ollama"]),
    )


def body_for(record: JSON, provider: str) -> JSON:
    """Return the recorded request for another provider, whole.

    Pictures in the network become pictures in the request.
    """
    text = json.dumps(record["request"]["body_json"])
    text = re.sub(r'(url": )"https?:[^"]*"', rf'\1"{PICTURE}"', text)
    body = json.loads(text) | {"model": f"{provider}/{MODELS[provider]}"}
    body.pop("stream", None)
    body.pop("stream_options", None)
    return body


ANSWERS: dict[str, JSON] = {
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "text", "text": "Yes."}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    },
    "converse": {
        "output": {"message": {"role": "assistant", "content": [{"text": "Yes."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
    },
    "gpt-oss": {
        "choices": [
            {
                "message": {"role": "assistant", "content": "Yes."},
                "finish_reason": "stop",
            }
        ],
    },
    "ollama": {
        "message": {"role": "assistant", "content": "Yes."},
        "done": True,
        "done_reason": "stop",
    },
}
ANSWERS["claude"] = ANSWERS["anthropic"]


Exchanges = dict[str, tuple[Answer, Received | None]]


@pytest.fixture(scope="module")
def exchanges(server: Callable[..., Server], replay: Replay) -> Exchanges:
    """What the client got and what went up, by provider and record."""
    sent: dict[str, Received] = {}

    def answer(received: Received) -> Reply:
        question = received.header("idempotency-key") or ""
        sent[question] = received
        return json_reply(ANSWERS[question.partition(" ")[0]])

    replay.route("/", answer)
    gateway = server(registry(replay.url))
    key = gateway.key("conformance")
    gateway.settle(key=key)
    asked = {
        f"{provider} {record['id']}": body_for(record, provider)
        for provider in MODELS
        for record in RECORDS
    }
    answers = post_all(gateway.chat_url, key, asked)
    return {name: (answers[name], sent.get(name)) for name in asked}


def force(value: Any) -> None:
    """Go through everything that pydantic validates only on the way."""
    if isinstance(value, Mapping):
        for child in value.values():
            force(child)
    elif isinstance(value, list | tuple | Iterator) or (
        hasattr(value, "__iter__") and not isinstance(value, str | bytes)
    ):
        for child in value:
            force(child)


SAMPLING = {"temperature", "top_p", "top_k"}
"""The newest version of the API lacks them, the one that the gateway names does not."""


@cache
def kind(params: Any) -> TypeAdapter[Any]:
    """Return what checks parameters; it takes seconds to make."""
    return TypeAdapter(params)


@cache
def converse() -> Any:
    """Return the shape of Converse's requests."""
    api = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))
    return api.operation_model("Converse").input_shape


def check_anthropic(body: JSON) -> None:
    """Raise unless `body` is a request to Anthropic's Messages API."""
    force(kind(MessageCreateParams).validate_python(body))
    assert body.keys() <= MessageCreateParamsBase.__annotations__.keys() | SAMPLING


def check_claude(body: JSON) -> None:
    """Raise unless `body` is InvokeModel's for Claude."""
    assert body.pop("anthropic_version") == "bedrock-2023-05-31"
    assert "model" not in body
    check_anthropic({**body, "model": "claude"})


def check_gpt_oss(body: JSON) -> None:
    """Raise unless `body` is InvokeModel's for models that OpenAI's format suits."""
    assert not body.keys() & {"model", "stream", "stream_options"}
    if "json_schema" in body.get("response_format", {}):
        # Sent as it came, and one recorded schema came without its name.
        body["response_format"]["json_schema"].setdefault("name", "answer")
    force(kind(CompletionCreateParams).validate_python({**body, "model": "gpt-oss"}))


def check_converse(body: JSON) -> None:
    """Raise unless `body` is Converse's."""
    report = ParamValidator().validate({"modelId": "m", **body}, converse())
    assert not report.has_errors(), report.generate_report()


def check_ollama(body: JSON) -> None:
    """Raise unless `body` is a chat of Ollama's."""
    ChatRequest.model_validate(body)
    assert body.keys() <= ChatRequest.model_fields.keys()


CHECKS = {
    "anthropic": check_anthropic,
    "claude": check_claude,
    "gpt-oss": check_gpt_oss,
    "converse": check_converse,
    "ollama": check_ollama,
}


class Reason(NamedTuple):
    """Why a request that OpenAI takes is refused: a rule of docs/translation.md."""

    param: str
    message: str
    providers: Container[str] = MODELS


_PART = r"messages\[\d+\]\.content\[\d+\]"
_CLAUDE = ("anthropic", "claude")

REASONS = {
    "one choice per answer": Reason("n", "one choice"),
    "no spoken answers": Reason("modalities", "answers in text only"),
    "web search is the administrator's decision": Reason(
        "web_search_options", "Remove 'web_search_options'"
    ),
    "custom tools": Reason(r"tools\[\d+\]\.type", "must be 'function'"),
    "log probabilities": Reason("logprobs", "log probabilities", _CLAUDE),
    "log probabilities of Nova": Reason("logprobs", "does not support", ("converse",)),
    "audio for Claude": Reason(_PART, "does not take audio", _CLAUDE),
    "audio where it is not switched on": Reason(
        _PART, "takes no audio|not take audio|does not read", ("converse", "ollama")
    ),
    "files that others keep": Reason(
        _PART, "is not known to this provider|Send its content as 'file_data'"
    ),
    "images in unusual formats": Reason(_PART, "not a JPEG, PNG, GIF or WebP"),
    "a model of text alone": Reason(
        _PART, "one that sees|does not read|files other than text", ("gpt-oss",)
    ),
    "files for Ollama": Reason(
        _PART, "files other than text|does not read", ("ollama",)
    ),
    "thinking as another vendor spells it": Reason(
        r"thinking\.\w+", "thinking\\.", _CLAUDE
    ),
    "a choice that only Mistral knows": Reason("tool_choice", "expected 'none'"),
}


def reason_for(provider: str, error: JSON) -> str | None:
    """Return the rule by which a request was refused."""
    for name, reason in REASONS.items():
        if (
            provider in reason.providers
            and re.fullmatch(reason.param, error["param"] or "")
            and re.search(reason.message, error["message"])
        ):
            return name
    return None


@at_once("record", RECORDS, ids=lambda record: record["id"])
@at_once("provider", MODELS)
def test_a_recorded_request_fits_another_provider(
    provider: str, record: JSON, exchanges: Exchanges
) -> None:
    answer, received = exchanges[f"{provider} {record['id']}"]
    if answer.status == 200:
        assert received is not None
        assert answer.body["choices"][0]["message"]["content"] == "Yes."
        CHECKS[provider](received.json)
        return
    assert answer.status == 400, answer
    assert received is None
    error = answer.body["error"]
    assert error["param"]
    if record["response"]["status"] != 400:
        why = f"{error['param']}: {error['message']}"
        assert reason_for(provider, error), why


def test_every_reason_is_needed(exchanges: Exchanges) -> None:
    met = {
        reason_for(name.partition(" ")[0], answer.body["error"])
        for name, (answer, _) in exchanges.items()
        if answer.status == 400
    }
    assert REASONS.keys() <= met
