"""The offline sandbox answers like OpenAI and says that it is no model."""

import enum
import json
from typing import Literal

import pytest
from openai.lib._pydantic import to_strict_json_schema
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, Field

from gateway.errors import GatewayError
from gateway.sandbox import answers
from gateway.sandbox.values import example

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Tell the current weather in a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["city"],
        },
    },
}
STOCK = {
    "type": "function",
    "function": {
        "name": "stock_price",
        "description": "Look up the price of a share",
        "parameters": {"type": "object", "properties": {"symbol": {"type": "string"}}},
    },
}


def ask(text="Hello", **fields):
    messages = [{"role": "user", "content": text}]
    return {"model": "gpt-4o-mini", "messages": messages, **fields}


def complete(body):
    return ChatCompletion.model_validate(answers.complete(body, 1700000000))


def said(body):
    return complete(body).choices[0].message.content


def test_an_answer_says_that_no_model_spoke_and_quotes_the_user():
    answer = said(ask("What is RunAgents?"))
    assert answer.startswith("Offline sandbox, not a model:")
    assert '"What is RunAgents?"' in answer


def test_an_answer_has_openais_shape():
    answer = complete(ask())
    assert answer.object == "chat.completion"
    assert answer.model == "gpt-4o-mini"
    assert answer.system_fingerprint == "offline-sandbox"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == (
        answer.usage.prompt_tokens + answer.usage.completion_tokens
    )
    assert answer.usage.completion_tokens > 0


def test_the_same_request_gets_the_same_answer():
    assert answers.complete(ask(), 1) == answers.complete(ask(), 1)
    assert answers.complete(ask("A"), 1)["id"] != answers.complete(ask("B"), 1)["id"]


def test_a_request_is_not_changed_by_answering_it():
    body = ask(tools=[WEATHER], stream_options={"include_usage": True}, stream=True)
    before = json.dumps(body)
    answers.stream(body, 1)
    assert json.dumps(body) == before


def test_the_fitting_tool_is_called_with_arguments_from_its_schema():
    message = complete(
        ask("How is the weather in Lisbon?", tools=[STOCK, WEATHER])
    ).choices[0]
    assert message.finish_reason == "tool_calls"
    call = message.message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Lisbon", "unit": "celsius"}
    assert "Offline sandbox" in message.message.content


def test_tool_choice_names_the_tool():
    choice = {"type": "function", "function": {"name": "stock_price"}}
    answer = complete(
        ask("the weather in Lisbon", tools=[STOCK, WEATHER], tool_choice=choice)
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "stock_price"


def test_allowed_tools_narrow_the_choice():
    allowed = [{"type": "function", "function": {"name": "stock_price"}}]
    choice = {
        "type": "allowed_tools",
        "allowed_tools": {"mode": "auto", "tools": allowed},
    }
    answer = complete(
        ask("the weather in Lisbon", tools=[STOCK, WEATHER], tool_choice=choice)
    )
    assert answer.choices[0].message.tool_calls[0].function.name == "stock_price"


def test_tool_choice_none_gets_text():
    answer = complete(ask(tools=[WEATHER], tool_choice="none")).choices[0]
    assert answer.message.tool_calls is None
    assert answer.finish_reason == "stop"


def test_an_unknown_tool_choice_is_refused_by_name():
    choice = {"type": "function", "function": {"name": "missing"}}
    with pytest.raises(GatewayError) as caught:
        complete(ask(tools=[WEATHER], tool_choice=choice))
    assert (caught.value.status, caught.value.param) == (400, "tool_choice")


def test_a_tool_result_is_answered_with_text():
    body = ask("weather in Lisbon", tools=[WEATHER])
    first = answers.complete(body, 1)["choices"][0]["message"]
    result = {
        "role": "tool",
        "tool_call_id": first["tool_calls"][0]["id"],
        "content": '{"celsius": 21}',
    }
    body["messages"] += [first, result]
    answer = complete(body).choices[0]
    assert answer.finish_reason == "stop"
    assert 'the tool get_weather answered: "{"celsius": 21}"' in answer.message.content


def test_json_object_gives_json_that_names_the_sandbox():
    answer = json.loads(said(ask(response_format={"type": "json_object"})))
    assert answer["source"] == "offline sandbox, not a model"


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    sku: str = Field(pattern=r"^[A-Z]{3}-\d{3}$")
    colour: Colour
    weight: float = Field(gt=0, le=0.5)


class Order(BaseModel):
    kind: Literal["order"]
    number: int = Field(ge=1000, multiple_of=10)
    parts: list[Part] = Field(min_length=2)
    note: str | None
    parent: "Order | None"
    tags: list[Literal["a", "b"]]


def test_an_answer_by_json_schema_validates():
    response_format = {
        "type": "json_schema",
        "json_schema": {
            "name": "order",
            "schema": to_strict_json_schema(Order),
            "strict": True,
        },
    }
    order = Order.model_validate_json(said(ask(response_format=response_format)))
    assert len(order.parts) == 2
    assert order.number == 1000


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5}, 6),
        ({"type": "integer", "maximum": -3}, -3),
        ({"type": "number", "multipleOf": 0.5, "minimum": 0.7}, 1.0),
        ({"const": 7}, 7),
        ({"enum": ["x", "y"]}, "x"),
        ({"type": ["null", "boolean"]}, True),
        ({"type": "null"}, None),
        ({"type": "string", "format": "date"}, "2025-01-31"),
        ({"type": "string", "maxLength": 7}, "offline"),
        ({"type": "array", "items": {"const": 1}, "maxItems": 0}, []),
        ({"allOf": [{"type": "integer"}, {"minimum": 3}]}, 3),
        ({"anyOf": [{"type": "boolean"}, {"type": "string"}]}, True),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"const": "b"}}}, "b"),
        (True, "offline sandbox"),
    ],
)
def test_a_schema_gives_a_plausible_value(schema, value):
    assert example(schema) == value


def test_unique_items_differ():
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 3}
    values = example({**schema, "uniqueItems": True})
    assert len(set(values)) == 3


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"$ref": "#"}]},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"type": "array", "minItems": 50, "items": {"$ref": "#"}},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
)
def test_a_schema_without_end_still_ends(schema):
    assert len(json.dumps(example(schema))) < 100_000


def test_the_output_limit_shortens_and_says_so():
    answer = complete(ask(max_tokens=3)).choices[0]
    assert answer.finish_reason == "length"
    assert answer.message.content == "Offline sand"


def test_a_stop_sequence_ends_the_answer():
    assert said(ask(stop=[" your"])) == "Offline sandbox, not a model:"


def test_more_than_one_choice_is_refused():
    with pytest.raises(GatewayError) as caught:
        answers.complete(ask(n=2), 1)
    assert (caught.value.status, caught.value.param) == (400, "n")


def test_content_parts_are_read():
    body = ask()
    body["messages"][0]["content"] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    assert '"What is this? [image_url]"' in said(body)


def joined(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def streamed(body):
    return [
        ChatCompletionChunk.model_validate(chunk)
        for chunk in answers.stream(body, 1700000000)
    ]


def test_the_stream_says_what_the_whole_answer_says():
    chunks = streamed(ask("A longer  text\nin two lines", stream=True))
    assert joined(chunks) == said(ask("A longer  text\nin two lines"))
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert len({chunk.id for chunk in chunks}) == 1
    assert len(chunks) > 5


def test_a_streamed_tool_call_comes_in_pieces_that_join():
    chunks = streamed(ask("weather in Lisbon", tools=[WEATHER], stream=True))
    calls = [c.choices[0].delta.tool_calls[0] for c in chunks if _has_call(c)]
    assert calls[0].function.name == "get_weather"
    assert calls[0].id
    arguments = "".join(call.function.arguments or "" for call in calls)
    assert json.loads(arguments)["city"] == "Lisbon"
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def _has_call(chunk):
    return bool(chunk.choices and chunk.choices[0].delta.tool_calls)


def test_usage_is_streamed_only_when_asked_for():
    without = streamed(ask(stream=True))
    assert all(chunk.usage is None for chunk in without)
    chunks = streamed(ask(stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == []
    assert chunks[-1].usage == complete(ask()).usage


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": "x"}]}, "model"),
        ({"model": "m", "messages": []}, "messages"),
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": [{"role": "king"}]}, "messages[0].role"),
    ],
)
def test_what_openai_refuses_is_refused(body, param):
    with pytest.raises(GatewayError) as caught:
        answers.complete(body, 1)
    assert (caught.value.status, caught.value.param) == (400, param)
