"""llama.cpp's own server behind the gateway, as its users put it there.

Its model holds random numbers (llama_model.py), so what it says is noise, often bytes
that are no text; its frames, its grammars and its refusals are the real ones.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from pydantic import BaseModel

from tests import services
from tests.e2e import registries
from tests.e2e.processes import PATIENCE, PLAIN, ROOT, Server, free_port, wait_until

MODEL = "tiny"
QUESTION: Any = {"role": "user", "content": "What is the weather in Paris?"}
LONG: Any = {"role": "user", "content": "word " * 900}
LOOK: Any = {
    "type": "function",
    "function": {
        "name": "look",
        "parameters": {
            "type": "object",
            "properties": {"outside": {"type": "boolean"}},
            "required": ["outside"],
        },
    },
}


class Weather(BaseModel):
    """What a structured answer holds."""

    rain: bool
    wind: bool


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The origin of llama.cpp's server."""
    services.packages("xllamacpp", "gguf")
    model = tmp_path_factory.mktemp("llama") / "tiny.gguf"
    run = [sys.executable, "-m"]
    subprocess.run([*run, "tests.e2e.llama_model", model], cwd=ROOT, check=True)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with (model.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            [*run, "tests.e2e.llama_server", str(model), str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    try:
        assert wait_until(lambda: _is_healthy(url), PATIENCE), _log(model.parent)
        yield url
    finally:
        process.kill()
        process.communicate()


def _is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", **PLAIN).status_code == 200
    except httpx.TransportError:
        return False


def _log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], llama: str) -> Server:
    """The gateway in front of it."""
    return server(
        registries.registry(
            registries.openai("llama", llama, MODEL),
            registries.openai("mistyped", llama, "tiny-1"),
        )
    )


@pytest.fixture(scope="module")
def key(gateway: Server) -> str:
    """An agent's key."""
    return gateway.key("llama-agent")


@pytest.fixture
def client(gateway: Server, key: str) -> Iterator[openai.OpenAI]:
    """The SDK as an agent sets it up."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, max_retries=0
    ) as made:
        yield made


def call_look() -> dict[str, Any]:
    """Return the fields of a request that make the model begin a tool call."""
    from tests.e2e.llama_model import CALL_TOKEN

    return {
        "tools": [LOOK],
        "tool_choice": "required",
        "logit_bias": {str(CALL_TOKEN): 50},
        "temperature": 0,
        "max_tokens": 400,
    }


def test_an_answer_of_noise_is_text(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=[QUESTION], max_tokens=40, seed=1
    )
    choice = answer.choices[0]
    assert choice.finish_reason == "length"
    assert choice.message.content
    assert answer.usage
    assert answer.usage.completion_tokens == 40


def test_a_stream_says_what_the_whole_answer_says(client):
    asked: Any = {
        "model": MODEL,
        "messages": [QUESTION],
        "max_tokens": 40,
        "temperature": 0,
    }
    whole = client.chat.completions.create(**asked)
    chunks = list(
        client.chat.completions.create(
            **asked, stream=True, stream_options={"include_usage": True}
        )
    )
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    said = "".join(choice.delta.content or "" for choice in choices)
    assert said == whole.choices[0].message.content
    assert choices[-1].finish_reason == "length"
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 40


def test_calls_are_whole_and_have_an_id_each(client):
    answer = client.chat.completions.create(
        model=MODEL, messages=[QUESTION], **call_look()
    )
    calls = answer.choices[0].message.tool_calls
    assert calls
    assert len({call.id for call in calls}) == len(calls)
    for call in calls[:-1]:  # The last may be cut off by max_tokens.
        assert call.function.name == "look"
        assert set(json.loads(call.function.arguments)) == {"outside"}


def test_calls_in_a_stream_are_those_of_the_whole_answer(client):
    asked: Any = {"model": MODEL, "messages": [QUESTION], **call_look()}
    whole = client.chat.completions.create(**asked)
    with client.chat.completions.stream(**asked) as stream:
        for _ in stream:
            pass
        streamed = stream.current_completion_snapshot
    pairs = zip(
        whole.choices[0].message.tool_calls,
        streamed.choices[0].message.tool_calls,
        strict=True,
    )
    for expected, found in pairs:
        assert found.function.name == expected.function.name
        assert found.function.arguments == expected.function.arguments


def test_the_result_of_a_call_is_sent_back(client):
    first = client.chat.completions.create(
        model=MODEL, messages=[QUESTION], **{**call_look(), "max_tokens": 60}
    )
    call = first.choices[0].message.tool_calls[0]
    said: Any = first.choices[0].message.model_dump(exclude_none=True)
    said["tool_calls"] = said["tool_calls"][:1]
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "dry"}
    second = client.chat.completions.create(
        model=MODEL, messages=[QUESTION, said, result], tools=[LOOK], max_tokens=8
    )
    assert second.usage
    assert first.usage
    assert second.usage.prompt_tokens > first.usage.prompt_tokens


def test_a_structured_answer_is_parsed(client):
    answer = client.chat.completions.parse(
        model=MODEL, messages=[QUESTION], response_format=Weather, max_tokens=800
    )
    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_a_structured_answer_is_streamed(client):
    with client.chat.completions.stream(
        model=MODEL, messages=[QUESTION], response_format=Weather, max_tokens=800
    ) as stream:
        answer = stream.get_final_completion()
    assert isinstance(answer.choices[0].message.parsed, Weather)


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_too_long_says_so(client, stream):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=MODEL, messages=[LONG], stream=stream, max_tokens=8
        )
    assert caught.value.code == "context_length_exceeded"
    assert "2048" in caught.value.message


def test_a_mistake_in_a_schema_is_the_callers(client):
    wrong = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(
            model=MODEL,
            messages=[QUESTION],
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "wrong", "schema": wrong},
            },
        )
    assert caught.value.status_code == 400


def test_a_check_finds_the_model(gateway):
    key = gateway.key("checker", workspace=True)
    found = {}
    for name in ("llama", "mistyped"):
        answer = httpx.post(
            f"{gateway.url}/api/v1/model-providers/{name}/check",
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
            **PLAIN,
        )
        assert answer.status_code == 200, answer.text
        found[name] = answer.json()
    assert found["llama"]["check"]["missingModels"] == []
    assert gateway.status("llama") == "available"
    assert found["mistyped"]["check"]["missingModels"] == ["tiny-1"]


def test_calls_are_counted(gateway):
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=gateway.key("counted"), max_retries=0
    ) as client:
        answer = client.chat.completions.create(
            model=MODEL, messages=[QUESTION], max_tokens=7
        )
    assert answer.usage
    (row,) = gateway.rows(1, caller="counted")
    used = answer.usage.prompt_tokens, answer.usage.completion_tokens
    assert (row["input_tokens"], row["output_tokens"]) == used
    assert min(used) > 0
