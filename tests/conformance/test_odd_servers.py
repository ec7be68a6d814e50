"""Nearly compatible servers, read by agents' own libraries through the gateway.

OpenAI's SDK (its stream helper, too), LangChain and Vercel's AI SDK have a conversation
with two tool calls; the server answers the second turn only where the results belong to
the calls.
"""

import json
from collections.abc import Callable
from functools import reduce
from operator import add
from typing import Any

import openai
import pytest
from langchain_core.messages import HumanMessage

from tests.conformance import odd_servers
from tests.conformance.conftest import Gateway
from tests.conformance.odd_servers import ANSWER, CITIES
from tests.conformance.test_langchain import chat, get_weather, with_results
from tests.conformance.test_vercel import package, run
from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Replay

__all__ = ["package"]

pytestmark = pytest.mark.slow

QUESTION: Any = {"role": "user", "content": "What is the weather?"}
DEGREES = {"Paris": "18 degrees", "Rome": "24 degrees"}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
MODELS = sorted(odd_servers.models())
STREAMING = [name for name in MODELS if not name.startswith("whole-")]

each_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture(scope="module")
def odd(server: Callable[..., Server], replay: Replay) -> Gateway:
    """A gateway with a server for each oddity."""
    providers = []
    for name, answer in odd_servers.models().items():
        replay.route(f"/{name}/v1/chat/completions", answer)
        providers.append(registries.openai(name, f"{replay.url}/{name}/v1", name))
    made = server(registries.registry(*providers))
    key = made.key("odd")
    made.settle(*MODELS, key=key)
    return Gateway(f"{made.url}/v1", key)


@pytest.fixture
def client(odd: Gateway) -> openai.OpenAI:
    """OpenAI's SDK as an agent sets it up."""
    return openai.OpenAI(base_url=odd.base_url, api_key=odd.key, max_retries=0)


def conversation(message: Any) -> list[Any]:
    """Return the second turn, with the results of the calls in `message`."""
    assert [json.loads(c.function.arguments)["city"] for c in message.tool_calls] == [
        *CITIES
    ]
    assert len({call.id for call in message.tool_calls}) == len(CITIES)
    return [
        QUESTION,
        message.model_dump(exclude_none=True, exclude={"parsed"}),
        *(
            {
                "role": "tool",
                "tool_call_id": call.id,
                "content": DEGREES[json.loads(call.function.arguments)["city"]],
            }
            for call in message.tool_calls
        ),
    ]


@each_model
def test_openais_sdk_reads_whole_answers(client, model):
    first = client.chat.completions.create(
        model=model, messages=[QUESTION], tools=TOOLS
    )
    assert first.choices[0].finish_reason == "tool_calls"
    assert type(first.created) is int
    assert first.usage.prompt_tokens == 11
    second = client.chat.completions.create(
        model=model, messages=conversation(first.choices[0].message), tools=TOOLS
    )
    assert second.choices[0].message.content == ANSWER


@pytest.mark.parametrize("model", STREAMING)
def test_openais_sdk_puts_streams_together(client, model):
    with client.chat.completions.stream(
        model=model, messages=[QUESTION], tools=TOOLS
    ) as stream:
        first = stream.get_final_completion().choices[0]
    assert first.finish_reason == "tool_calls"
    assert {call.function.name for call in first.message.tool_calls} == {"get_weather"}
    messages = conversation(first.message)
    for call in messages[1]["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    second = client.chat.completions.create(model=model, messages=messages, tools=TOOLS)
    assert second.choices[0].message.content == ANSWER


@each_model
@pytest.mark.parametrize("streams", [False, True])
def test_langchain_has_the_conversation(odd, model, streams):
    bound = chat(odd, model).bind_tools([get_weather])
    question = [HumanMessage(QUESTION["content"])]
    first = reduce(add, bound.stream(question)) if streams else bound.invoke(question)
    assert [call["args"] for call in first.tool_calls] == [{"city": c} for c in CITIES]
    assert bound.invoke(with_results(first)).content == ANSWER


def test_vercels_sdk_has_the_conversation(package, odd):
    told = run(package, odd, {"streamedTools": STREAMING, "structured": []}, [])
    said = {
        model: ("".join(each["pieces"]), each["finishReason"])
        for model, each in (
            (name, told[name]["streamedConversation"]) for name in STREAMING
        )
    }
    assert said == dict.fromkeys(STREAMING, (ANSWER, "stop"))
