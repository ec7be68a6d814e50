"""What goes to Converse fits AWS's own description of it."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route
from gateway.translators import bedrock
from tests.at_once import at_once

CASES = Path(__file__).parents[1] / "cases"

_MODEL = ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"))

MODELS = (
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.anthropic.claude-opus-4-8",
    "us.amazon.nova-lite-v1:0",
    "us.amazon.nova-2-lite-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-large-2407-v1:0",
    "us.writer.palmyra-x5-v1:0",
    "amazon.titan-text-lite-v1",
    "qwen.qwen3-32b-v1:0",
    "openai.gpt-oss-20b-1:0",
    "acme.future-1",
)


def problems(body: JSON, operation: str) -> str:
    """Return what botocore would refuse in a request, empty if nothing."""
    shape = _MODEL.operation_model(operation).input_shape
    report = ParamValidator().validate({"modelId": "m", **body}, shape)
    return str(report.generate_report())


def test_the_check_finds_what_is_wrong() -> None:
    assert "Unknown parameter" in problems({"messages": [], "nope": 1}, "Converse")
    assert "Invalid length" in problems({"toolConfig": {"tools": []}}, "Converse")


def sent_to_converse() -> list[Any]:
    """Return the golden requests that go to Converse."""
    found = []
    for file in sorted(CASES.glob("bedrock/*/upstream_request.json")):
        request = json.loads(file.read_text())
        if request["path"].endswith(("/converse", "/converse-stream")):
            found.append(pytest.param(request, id=file.parent.name))
    return found


@at_once("request_sent", sent_to_converse())
def test_golden_requests_fit_the_service(request_sent: JSON) -> None:
    assert problems(request_sent["body"], "Converse") == ""


PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PDF = "data:application/pdf;base64,JVBERi0xLjQKJSVFT0YK"
TOOLS = [
    {"type": "function", "function": {"name": name, "description": said}}
    for name, said in (("look", "Looks."), ("go.there", ""))
]

texts = st.sampled_from(["", " ", "hello", "Grüße\n", "<|eot_id|>"])
marks = st.sampled_from([{}, {"cache_control": {"type": "ephemeral", "ttl": "1h"}}])
user_parts = st.one_of(
    st.builds(lambda t, m: {"type": "text", "text": t, **m}, texts, marks),
    st.just({"type": "image_url", "image_url": {"url": PNG}}),
    st.builds(
        lambda m: {
            "type": "file",
            "file": {"filename": "x.pdf", "file_data": PDF},
            **m,
        },
        marks,
    ),
)
users = st.builds(
    lambda content: [{"role": "user", "content": content}],
    st.one_of(texts, st.lists(user_parts, min_size=1, max_size=4)),
)
systems = st.builds(
    lambda text, mark: [{"role": "system", "content": text, **mark}], texts, marks
)
ids = st.sampled_from(["a", "call_0", "x" * 70, "functions.f:0", "ü"])


def _exchange(text: str, called: list[str], result: str) -> list[JSON]:
    calls = [
        {
            "id": id,
            "type": "function",
            "function": {"name": "go.there", "arguments": ""},
        }
        for id in called
    ]
    said: JSON = {"role": "assistant", "content": text}
    if calls:
        said["tool_calls"] = calls
    answers = [{"role": "tool", "tool_call_id": id, "content": result} for id in called]
    return [said, *answers]


exchanges = st.builds(_exchange, texts, st.lists(ids, max_size=3, unique=True), texts)
conversations = st.lists(
    st.one_of(users, systems, exchanges), min_size=1, max_size=6
).map(lambda parts: [message for part in parts for message in part])

requests = st.fixed_dictionaries(
    {"messages": conversations},
    optional={
        "tools": st.just(TOOLS),
        "stream": st.booleans(),
        "max_tokens": st.integers(min_value=1, max_value=300_000),
        "temperature": st.floats(min_value=0, max_value=2),
        "top_p": st.floats(min_value=0, max_value=1),
        "top_k": st.integers(min_value=0, max_value=50),
        "stop": st.lists(st.sampled_from(["", "\n", "END"]), max_size=4),
        "reasoning_effort": st.sampled_from(["none", "low", "medium", "high", "max"]),
        "parallel_tool_calls": st.booleans(),
        "service_tier": st.sampled_from(["auto", "default", "flex", "priority"]),
        "response_format": st.sampled_from(
            [
                {"type": "json_object"},
                {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": {"type": "object"}},
                },
            ]
        ),
        "metadata": st.just({"team": "a", "bad": "<>"}),
    },
)


@given(body=requests, model=st.sampled_from(MODELS), choice=st.integers(0, 3))
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_asked_fits_the_service(
    body: JSON, model: str, choice: int
) -> None:
    if "tools" in body:
        body["tool_choice"] = (
            "auto",
            "none",
            "required",
            {"type": "function", "function": {"name": "look"}},
        )[choice]
    options = {
        "bedrock_api": "converse",
        "guardrail_id": "abc",
        "request_metadata": True,
    }
    before = json.dumps(body)
    try:
        request = bedrock.render_request(body, Route("alias", model, options=options))
    except GatewayError:
        return  # nothing to say, or more than the model can hear
    assert json.dumps(body) == before
    assert problems(request.body, "Converse") == ""
    _check_turns(request.body)


def _check_turns(body: JSON) -> None:
    """Assert what AWS's description does not say but its service demands."""
    roles = [turn["role"] for turn in body["messages"]]
    assert roles[0] == "user"
    assert all(a != b for a, b in pairwise(roles))
    open_calls: list[str] = []
    for turn in body["messages"]:
        assert turn["content"]
        results = [
            block["toolResult"]["toolUseId"]
            for block in turn["content"]
            if "toolResult" in block
        ]
        assert results == open_calls
        open_calls = [
            block["toolUse"]["toolUseId"]
            for block in turn["content"]
            if "toolUse" in block
        ]
        assert all(
            block["text"].strip() for block in turn["content"] if "text" in block
        )
        for place, block in enumerate(turn["content"]):
            if "cachePoint" in block:
                assert place
                assert "document" not in turn["content"][place - 1]
    if any("toolUse" in b for turn in body["messages"] for b in turn["content"]):
        assert body["toolConfig"]["tools"]
    points = json.dumps(body).count('"cachePoint"')
    assert points <= 4


@given(
    messages=conversations,
    more=st.builds(
        lambda text: [
            {"role": "assistant", "content": "fine"},
            {"role": "user", "content": text},
        ],
        st.sampled_from(["and", "more"]),
    ),
)
@settings(max_examples=150)
def test_a_longer_conversation_begins_with_the_shorter(
    messages: list[JSON], more: list[JSON]
) -> None:
    plain = [
        {key: value for key, value in message.items() if key != "cache_control"}
        for message in messages
    ]
    if plain[-1]["role"] != "user" or not isinstance(plain[-1]["content"], str):
        plain.append({"role": "user", "content": "go"})
    if not plain[-1]["content"].strip():
        plain[-1] = {"role": "user", "content": "go"}
    route = Route("alias", "us.amazon.nova-lite-v1:0")
    bodies = [
        bedrock.render_request({"messages": each, "tools": TOOLS}, route).body
        for each in (_unmarked(plain), _unmarked(plain + more))
    ]
    shorter = bodies[0]["messages"]
    assert bodies[1]["messages"][: len(shorter)] == shorter


def _unmarked(messages: list[JSON]) -> list[JSON]:
    """Without marks, whose number is limited, and with text only."""
    kept = []
    for message in messages:
        content = message["content"]
        if isinstance(content, list):
            content = "".join(part.get("text", "picture") for part in content)
        kept.append({**message, "content": content})
    return kept
