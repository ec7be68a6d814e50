"""A request with any value in any place is rendered or refused, never a crash."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Route
from gateway.translators import TRANSLATORS

MARK = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
SCHEMA = {
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/x"}},
    "required": ["a"],
    "$defs": {"x": {"type": "string", "minLength": 1}},
    "anyOf": [{"properties": {"b": {}}, "required": ["a"]}],
}
UNION = {
    "$defs": {"a": {"properties": {"b": {}}, "required": ["b"]}},
    "oneOf": [{"$ref": "#/$defs/a"}, {"allOf": [{"$ref": "#/$defs/a"}]}],
}
FUNCTION = {"name": "f", "description": "d", "strict": True, "parameters": SCHEMA}
CALL = {"name": "f", "arguments": '{"a":1}'}

PLAIN: JSON = {
    "model": "alias",
    "stream": True,
    "stream_options": {"include_usage": True},
    "max_tokens": 100,
    "max_completion_tokens": 2000,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["a", "\n"],
    "n": 1,
    "seed": 1,
    "user": "u",
    "safety_identifier": "x",
    "metadata": {"a": "b"},
    "service_tier": "auto",
    "logit_bias": {},
    "logprobs": False,
    "modalities": ["text"],
    "verbosity": "low",
    "presence_penalty": 0.1,
    "frequency_penalty": 0.1,
    "prompt_cache_options": {"mode": "implicit"},
    "reasoning_effort": "low",
    "reasoning": {"effort": "low", "max_tokens": 2000, "enabled": True},
    "extra_body": {"top_k": 3, **MARK},
    "keep_alive": "5m",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": SCHEMA},
    },
}
WITH_TOOLS = PLAIN | {
    "tools": [
        {"type": "function", "function": FUNCTION, **MARK},
        {"type": "function", "function": {"name": "g.h"}},
    ],
    "tool_choice": {
        "type": "allowed_tools",
        "allowed_tools": {
            "mode": "required",
            "tools": [{"type": "function", "function": {"name": "f"}}],
        },
    },
    "parallel_tool_calls": False,
    "messages": [
        {"role": "system", "content": "s"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "x", **MARK},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="},
                },
                {
                    "type": "file",
                    "file": {"filename": "a.txt", "file_data": "data:text/plain,a"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": "c",
            "refusal": "r",
            "thinking_blocks": [
                {"type": "thinking", "thinking": "t", "signature": "s", "index": 0}
            ],
            "tool_calls": [{"id": "a.b", "type": "function", "function": CALL}],
        },
        {
            "role": "tool",
            "tool_call_id": "a.b",
            "content": [{"type": "text", "text": "x"}],
            "is_error": True,
        },
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "q"}],
            "reasoning_details": [
                {"type": "reasoning.text", "text": "x", "signature": "y", "index": 0}
            ],
            "reasoning_content": "z",
        },
        {"role": "developer", "content": [{"type": "text", "text": "d"}]},
        {
            "role": "user",
            "content": "bye",
            "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"},
        },
    ],
}
WITH_FUNCTIONS = PLAIN | {
    "functions": [FUNCTION],
    "function_call": {"name": "f"},
    "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "function_call": CALL},
        {"role": "function", "name": "f", "content": "1"},
    ],
}

WITH_SEARCH = WITH_TOOLS | {
    "web_search_options": {"user_location": {"approximate": {"city": "Paris"}}},
}

WITH_NATIVE = WITH_TOOLS | {
    "thinking": {"type": "enabled", "budget_tokens": 1500},
    "tools": [
        {"type": "web_search_20250305", "name": "web_search", **MARK},
        {"type": "custom", "name": "f", "input_schema": {"type": "object"}, **MARK},
        {"type": "function", "function": {"name": "u", "parameters": UNION}},
    ],
}

JUNK: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30),
    *("", "x", "none", "auto", "text", "data:", "https://x/y"),
    *([], [[]], [{}], ["x"], {}, {"type": 1}, {"type": []}, {"type": "text"}),
    *({"type": "object"}, {"a": {"b": [1]}}, {"name": []}, {"role": "tool"}),
]

ROUTES = [
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-5-5"),
    ("bedrock", "anthropic.claude-3-haiku-20240307-v1:0"),
    ("bedrock", "amazon.nova-lite-v1:0"),
    ("bedrock", "meta.llama3-8b-instruct-v1:0"),
    ("bedrock", "openai.gpt-oss-20b-1:0"),
    ("bedrock", "cohere.command-r-v1:0"),
    ("bedrock", "writer.palmyra-x5-v1:0"),
    ("ollama", "llama3"),
    ("openai", "gpt-4o"),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for position in range(len(value)):
            yield from places(value[position], (*path, position))


def damaged(body: JSON, chance: random.Random) -> Iterator[JSON]:
    """Yield copies of `body`, each with junk in one place."""
    for path in places(body):
        for junk in chance.sample(JUNK, 4):
            copied = copy.deepcopy(body)
            holder: Any = copied
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = copy.deepcopy(junk)
            yield copied


@pytest.mark.parametrize("body", [WITH_TOOLS, WITH_FUNCTIONS], ids=["new", "old"])
@pytest.mark.parametrize(("translator", "model"), ROUTES)
def test_any_value_in_any_place_is_rendered_or_refused(
    translator: str, model: str, body: JSON
) -> None:
    options = {"server_web_search": True, "auto_cache": True, "vision": True}
    route = Route("alias", model, region="us-east-1", options=options)
    module = TRANSLATORS[translator]
    if body is WITH_TOOLS and translator in ("anthropic", "openai"):
        body = WITH_SEARCH
    module.render_request(body, route)
    outcomes = set()
    for request in damaged(body, random.Random(f"{model}")):
        try:
            module.remote_urls(request, route)
            module.render_request(request, route)
            outcomes.add(200)
        except GatewayError as error:
            outcomes.add(error.status)
    assert outcomes <= {200, 400}


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-6"])
def test_what_only_anthropic_takes_is_rendered_or_refused(model: str) -> None:
    route = Route("alias", model)
    module = TRANSLATORS["anthropic"]
    module.render_request(WITH_NATIVE, route)
    outcomes = set()
    for request in damaged(WITH_NATIVE, random.Random(model)):
        try:
            module.render_request(request, route)
            outcomes.add(200)
        except GatewayError as error:
            outcomes.add(error.status)
    assert outcomes <= {200, 400}
