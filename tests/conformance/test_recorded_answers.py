"""Every recorded answer, through the whole server, as OpenAI's SDK reads it."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import openai as sdk
import pytest

from tests.at_once import at_once
from tests.conformance.asking import Outcome, ask_all
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Received, Replay, Reply, cut, json_reply
from tests.recordings import bedrock, claude, ollama, openai
from tests.recordings.told import is_stream, told_by, told_in
from tests.recordings.traffic import ABSENT, JSON, body_of

NATIVE = [*claude.messages(), *bedrock.exchanges(), *ollama.chats()]
PASSED = openai.chats()

QUESTION = {"role": "user", "content": "What is the answer?"}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not NATIVE, reason=ABSENT),
]


def provider_of(record: JSON) -> str:
    """Return the name of the provider that a record is asked through."""
    if record["operation"].startswith(("converse", "invoke")):
        return str(record["operation"].removesuffix("-stream"))
    if record["operation"] == "v1.chat.completions":
        return "openai-compatible"
    if record["operation"].startswith("azure"):
        return "azure"
    return str(record["provider"])


def body_for(record: JSON) -> JSON:
    """Return an OpenAI request to which the recording is the answer."""
    if record in PASSED:
        stream = openai.is_stream(record)
        body = record["request"]["body_json"] or {"messages": [QUESTION]}
        body = {**body, "stream": stream}
    else:
        stream = record["response"]["status"] == 200 and is_stream(record)
        body = {"messages": [QUESTION], "stream": stream}
    if stream:
        body["stream_options"] = {"include_usage": True}
    return {**body, "model": f"{provider_of(record)}/{record['model']}"}


def answer_of(record: JSON) -> Reply:
    """Return the recording as an upstream sends it, cut where nobody expects it."""
    headers = {
        name: value
        for name, value in record["response"]["headers"].items()
        if name.lower() not in {"transfer-encoding", "content-length"}
    }
    return Reply(record["response"]["status"], cut(body_of(record)), headers)


def registry(url: str, records: Iterable[JSON]) -> JSON:
    """Return the registry in which all recorded models are served."""
    models: dict[str, list[str]] = {}
    for record in records:
        served = models.setdefault(provider_of(record), [])
        if record["model"] not in served:
            served.append(record["model"])
    openai_v1 = registries.openai
    return registries.registry(
        openai_v1("openai", url, *models["openai"]),
        openai_v1("azure", f"{url}/azure/openai/v1", *models["azure"]),
        openai_v1(
            "openai-compatible",
            f"{url}/compatible/v1",
            *models["openai-compatible"],
        ),
        registries.anthropic("anthropic", url, *models["anthropic"]),
        registries.bedrock("invoke", url, *models["invoke"], bedrock_api="invoke"),
        registries.bedrock(
            "converse", url, *models["converse"], bedrock_api="converse"
        ),
        registries.ollama("ollama", url, *models["ollama"]),
    )


@pytest.fixture(scope="module")
def outcomes(server: Callable[..., Server], replay: Replay) -> dict[str, Outcome]:
    """All answers by their record's id."""
    records = {record["id"]: record for record in [*NATIVE, *PASSED]}

    def answer(received: Received) -> Reply:
        record = records.get(received.header("idempotency-key") or "")
        return answer_of(record) if record else json_reply({}, 404)

    replay.route("/", answer)
    gateway = server(registry(replay.url, records.values()))
    key = gateway.key("conformance")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    gateway.settle(key=key)
    return ask_all(gateway.url, key, asked([*NATIVE, *PASSED]))


def asked(records: Iterable[JSON]) -> Iterator[tuple[str, JSON]]:
    """Return the questions to which `records` are the answers."""
    return ((record["id"], body_for(record)) for record in records)


def those(records: Iterable[JSON], ok: bool = True) -> list[Any]:
    """Return records as parameters."""
    return [
        pytest.param(record, id=record["id"])
        for record in records
        if (record["response"]["status"] == 200) is ok
    ]


def is_refused(record: JSON) -> bool:
    """Say whether the gateway itself refuses the model that once answered."""
    return record["provider"] == "bedrock" and bedrock.is_retired(record)


@at_once("record", those(r for r in NATIVE if not is_refused(r)))
def test_a_recorded_answer_says_the_same_to_the_sdk(
    record: JSON, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[record["id"]]
    assert outcome.error is None, outcome.error
    assert outcome.completion is not None
    expected = told_by(record)
    found = told_in(outcome.completion)
    if expected.usage is None:
        found = found._replace(usage=None)
    assert found == expected
    assert outcome.completion["model"] == body_for(record)["model"]
    if is_stream(record):
        assert len({chunk["id"] for chunk in outcome.chunks}) == 1
        assert outcome.chunks[-1]["usage"]
        assert all(chunk["usage"] is None for chunk in outcome.chunks[:-1])


@at_once("record", those(PASSED))
def test_an_answer_passed_on_says_the_same_to_the_sdk(
    record: JSON, outcomes: dict[str, Outcome]
) -> None:
    outcome = outcomes[record["id"]]
    recorded = openai.chunks_of(record)
    if openai.is_stream(record):
        found = outcome.chunks
        assert len({chunk["id"] for chunk in found}) <= 1
        failed = len(recorded) < len(openai.events(record))
        assert (outcome.error is not None) is (failed or openai.is_truncated(record))
    else:
        assert outcome.error is None, outcome.error
        assert outcome.completion is not None
        found = openai.as_chunks(outcome.completion)
    assert openai.told(found) == openai.told(recorded)


GONE = [r for r in NATIVE if is_refused(r)]
REFUSED = [r for r in [*NATIVE, *PASSED] if not is_refused(r)]
EMPTY = "openai-a031db3bcf52ef"
"""A request without messages."""
REFUSALS = {"anthropic": claude.refusal_of, "bedrock": bedrock.refusal_of}


@at_once("record", those(REFUSED, ok=False))
def test_a_recorded_refusal_reaches_the_sdk(
    record: JSON, outcomes: dict[str, Outcome]
) -> None:
    error = outcomes[record["id"]].error
    assert isinstance(error, sdk.APIStatusError), error
    if record["id"] == EMPTY:
        # The gateway says so itself, in its own words.
        assert (error.status_code, error.param) == (400, "messages")
        return
    expected = REFUSALS.get(record["provider"], openai.refusal_of)(record)
    assert (error.status_code, error.code) == expected
    if error.status_code < 500:
        assert said_in(record) in error.message


def said_in(record: JSON) -> str:
    """Return what the provider said of its refusal."""
    body = json.loads(record["response"]["body_text"])
    return str(body.get("error", body)["message"]).strip()


@pytest.mark.parametrize("record", [*those(GONE), *those(GONE, ok=False)])
def test_a_model_that_is_gone_is_refused_before_anything_is_sent(
    record: JSON, outcomes: dict[str, Outcome]
) -> None:
    error = outcomes[record["id"]].error
    assert isinstance(error, sdk.BadRequestError)
    assert error.param == "model"
