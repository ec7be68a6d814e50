"""Whatever a client asks is rendered for every upstream, or refused with a 400."""

from typing import Any

import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from gateway.doors import chat
from gateway.doors.protocol import NOTHING_SENT
from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route, UpstreamRequest
from gateway.translators import TRANSLATORS
from gateway.wire.jsontext import dumps
from tests.at_once import at_once

HOSTS = [
    ("anthropic", "claude-3-haiku-20240307", ""),
    ("anthropic", "claude-sonnet-4-5", ""),
    ("anthropic", "claude-opus-4-8", ""),
    ("anthropic", "claude-sonnet-5-5", ""),
    ("anthropic", "claude-fable-5-2", ""),
    ("bedrock", "anthropic.claude-3-sonnet-20240229-v1:0", "invoke"),
    ("bedrock", "us.anthropic.claude-haiku-4-5-20251001-v1:0", "invoke"),
    ("bedrock", "us.anthropic.claude-opus-5-5", "invoke"),
    ("bedrock", "us.anthropic.claude-opus-4-8", "converse"),
    ("bedrock", "amazon.nova-lite-v1:0", "invoke"),
    ("bedrock", "us.amazon.nova-2-lite-v1:0", "converse"),
    ("bedrock", "cohere.command-r-plus-v1:0", "invoke"),
    ("bedrock", "cohere.command-r-v1:0", "converse"),
    ("bedrock", "mistral.mistral-large-2407-v1:0", "invoke"),
    ("bedrock", "mistral.mixtral-8x7b-instruct-v0:1", "invoke"),
    ("bedrock", "mistral.pixtral-large-2502-v1:0", "converse"),
    ("bedrock", "meta.llama3-2-11b-instruct-v1:0", "invoke"),
    ("bedrock", "meta.llama4-scout-17b-instruct-v1:0", "converse"),
    ("bedrock", "amazon.titan-text-lite-v1", "invoke"),
    ("bedrock", "amazon.titan-text-express-v1", "converse"),
    ("bedrock", "us.deepseek.r1-v1:0", "invoke"),
    ("bedrock", "deepseek.v3-v1:0", "invoke"),
    ("bedrock", "openai.gpt-oss-20b-1:0", "invoke"),
    ("bedrock", "qwen.qwen3-32b-v1:0", "converse"),
    ("bedrock", "ai21.jamba-1-5-mini-v1:0", "invoke"),
    ("bedrock", "us.writer.palmyra-x5-v1:0", "converse"),
    ("bedrock", "openai.gpt-5", "auto"),
    ("bedrock", "acme.future-1", "auto"),
    ("ollama", "qwen3:8b", ""),
    ("openai", "gpt-4o-mini", ""),
]

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NAMES = st.sampled_from(["f", "g", "a.b", "ü", "json_output", "x" * 70])
TEXTS = st.sampled_from(["Hi", "", " \n", "<|eot_id|>", "[/INST]", "{}", "[1]"])
IDS = st.sampled_from(["", "call_0", "call_1", "functions.f:0", "ü"])
ODD: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**40) | st.just(0.5) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner),
    max_leaves=3,
)


def likely(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw what a client should send, and now and then what none should."""
    return st.integers(0, 60).flatmap(lambda n: ODD if n == 37 else strategy)


def some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[JSON]:
    """Draw an object of a few of `fields`."""
    return st.fixed_dictionaries({}, optional=fields)


MARK = st.sampled_from([{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "1h"}, {}])
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    some(
        type=likely(
            st.sampled_from(["object", "string", "array", ["string", "null"], "any"])
        ),
        enum=likely(st.just(["a", {"b": 1}])),
        description=likely(TEXTS),
        minimum=likely(st.just(1)),
        **{
            "$ref": likely(st.sampled_from(["#", "#/$defs/f", "#/nowhere", "http://x"]))
        },
    ),
    lambda inner: some(
        type=likely(st.just("object")),
        properties=likely(st.dictionaries(NAMES, inner, max_size=3)),
        required=likely(st.lists(NAMES, max_size=2)),
        items=likely(inner),
        additionalProperties=likely(inner),
        anyOf=likely(st.lists(inner, max_size=2)),
        allOf=likely(st.lists(inner, max_size=2)),
        **{"$defs": likely(st.dictionaries(NAMES, inner, max_size=2))},
    ),
    max_leaves=4,
)
PARTS = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("text"), "text": likely(TEXTS)},
        optional={"cache_control": likely(MARK)},
    ),
    st.builds(
        lambda url: {"type": "image_url", "image_url": url},
        likely(st.sampled_from([{"url": PNG}, {"url": "https://x.test/a.png"}, PNG])),
    ),
    st.builds(
        lambda file: {"type": "file", "file": file},
        likely(
            st.fixed_dictionaries(
                {"file_data": likely(st.sampled_from(["aGk=", "JVBERi0x"]))},
                optional={"filename": likely(st.sampled_from(["a.txt", "a.pdf"]))},
            )
            | st.just({"file_id": "file_1"})
        ),
    ),
    st.just({"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}),
)
FUNCTIONS = st.fixed_dictionaries(
    {"name": likely(NAMES)},
    optional={
        "arguments": likely(st.sampled_from(["{}", '{"a":1}', "[]", "{", ""])),
        "description": likely(TEXTS),
        "parameters": likely(SCHEMAS),
        "strict": likely(st.booleans()),
    },
)
CALLS = st.fixed_dictionaries(
    {"function": likely(FUNCTIONS)},
    optional={"id": likely(IDS), "type": likely(st.just("function"))},
)
THINKING = st.sampled_from(
    [
        {"type": "thinking", "thinking": "", "signature": "s"},
        {"type": "thinking", "thinking": "x"},
        {"type": "redacted_thinking", "data": "x", "index": 0},
    ]
)
MESSAGES = st.fixed_dictionaries(
    {
        "role": likely(st.sampled_from(["system", "developer", "user", "assistant"])),
        "content": likely(TEXTS | st.lists(likely(PARTS), max_size=3)),
    },
    optional={
        "cache_control": likely(MARK),
        "name": likely(NAMES),
        "tool_calls": likely(st.lists(likely(CALLS), max_size=2)),
        "function_call": likely(FUNCTIONS),
        "refusal": likely(TEXTS),
        "thinking_blocks": likely(st.lists(likely(THINKING), max_size=2)),
        "reasoning_details": ODD,
        "reasoning_content": likely(TEXTS),
    },
)
RESULTS = st.lists(
    st.fixed_dictionaries(
        {"role": st.just("tool"), "tool_call_id": likely(IDS), "content": TEXTS},
        optional={"cache_control": likely(MARK), "is_error": likely(st.booleans())},
    ),
    max_size=2,
)
TOOLS = likely(
    st.builds(lambda of: {"type": "function", "function": of}, likely(FUNCTIONS))
    | st.fixed_dictionaries(
        {
            "type": likely(st.sampled_from(["computer_20250124", "mcp_toolset"])),
            "name": likely(NAMES),
        },
        optional={"input_schema": likely(SCHEMAS), "cache_control": likely(MARK)},
    )
)
CHOICES = likely(
    st.sampled_from(
        [
            "auto",
            "none",
            "required",
            {"type": "function", "function": {"name": "f"}},
            {"type": "allowed_tools", "mode": "auto", "tools": [{"name": "f"}]},
        ]
    )
)
FORMATS = likely(
    st.fixed_dictionaries(
        {
            "type": likely(st.sampled_from(["json_schema", "json_object", "text"])),
            "json_schema": likely(some(name=likely(NAMES), schema=likely(SCHEMAS))),
        }
    )
)
EFFORTS = likely(st.sampled_from(["none", "minimal", "low", "medium", "high", "max"]))
FIELDS = {
    "cache_control": likely(MARK),
    "extra_body": likely(st.dictionaries(st.sampled_from(["top_k", "tools"]), ODD)),
    "function_call": likely(st.sampled_from(["auto", "none", {"name": "f"}])),
    "functions": likely(st.lists(likely(FUNCTIONS), max_size=2)),
    "logit_bias": likely(st.just({})),
    "logprobs": likely(st.just(False)),
    "max_completion_tokens": likely(st.integers(1, 300_000)),
    "max_tokens": likely(st.integers(1, 300_000)),
    "metadata": likely(st.dictionaries(NAMES, ODD, max_size=2)),
    "modalities": likely(st.just(["text"])),
    "n": likely(st.just(1)),
    "parallel_tool_calls": likely(st.booleans()),
    "prompt_cache_options": likely(st.just({"mode": "implicit"})),
    "reasoning": likely(
        some(
            effort=EFFORTS,
            max_tokens=likely(st.integers(0, 40_000)),
            enabled=likely(st.booleans()),
            exclude=likely(st.booleans()),
        )
    ),
    "reasoning_effort": EFFORTS,
    "response_format": FORMATS,
    "seed": likely(st.integers(0, 9)),
    "service_tier": likely(st.sampled_from(["auto", "flex", "priority"])),
    "stop": likely(st.lists(TEXTS, max_size=4) | TEXTS),
    "store": likely(st.booleans()),
    "stream": likely(st.booleans()),
    "stream_options": likely(st.just({"include_usage": True})),
    "temperature": likely(st.floats(0, 2)),
    "thinking": likely(
        some(
            type=likely(st.sampled_from(["enabled", "adaptive", "disabled"])),
            budget_tokens=likely(st.just(2000)),
        )
    ),
    "tool_choice": CHOICES,
    "tools": likely(st.lists(TOOLS, max_size=3)),
    "top_k": likely(st.integers(0, 600)),
    "top_p": likely(st.floats(0, 1)),
    "user": likely(TEXTS),
    "verbosity": ODD,
}


@st.composite
def bodies(draw: st.DrawFn) -> JSON:
    """Draw a request with some of the fields; all of them would never be valid."""
    chosen = draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=5, unique=True))
    messages = []
    for message in draw(st.lists(likely(MESSAGES), min_size=1, max_size=4)):
        messages.append(message)
        if isinstance(message, dict) and message.get("tool_calls"):
            messages += draw(RESULTS)
    body = {"model": "alias", "messages": messages}
    return {**body, **{field: draw(FIELDS[field]) for field in chosen}}


def rendered(body: JSON, kind: str, route: Route) -> UpstreamRequest | None:
    """Return what is sent for a client's body, None where it is refused with a 400."""
    try:
        asked = chat.parse_request(body, NOTHING_SENT)
        hub = chat.hub_request(asked, route).body
        return TRANSLATORS[kind].render_request(hub, route)
    except GatewayError as refusal:
        if refusal.status != 400:
            raise
        return None


@settings(max_examples=400)
@given(body=bodies())
@example(
    {
        "messages": [{"role": "user", "content": "Hi"}],
        "response_format": {"type": "json_object", "json_schema": True},
    }
)
def test_any_body_is_rendered_or_refused(body: JSON) -> None:
    for kind, model, api in HOSTS:
        note(f"for {model} by {kind} {api}")
        route = Route("alias", model, region="us-east-1", options={"bedrock_api": api})
        request = rendered(body, kind, route)
        assert request is None or dumps(request.body)


BLANK = [{"type": "text", "text": "\n"}]


@at_once("content", [" ", BLANK, [], ""], ids=repr)
@at_once(
    ("kind", "model", "api"),
    [
        host
        for host in HOSTS
        if host[0] in ("anthropic", "bedrock") and host[2] != "auto"
    ],
)
def test_nothing_but_blanks_is_refused(
    kind: str, model: str, api: str, content: Any
) -> None:
    said = [("system", ""), ("user", content), ("assistant", " "), ("user", "")]
    body = {"messages": [{"role": role, "content": text} for role, text in said]}
    route = Route("alias", model, options={"bedrock_api": api})
    with pytest.raises(GatewayError) as caught:
        TRANSLATORS[kind].render_request(body, route)
    assert (caught.value.status, caught.value.param) == (400, "messages")
