"""Items that a client only names, with two workers, and with a client that does so."""

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import node_packages
from tests.clients.installing import HERE
from tests.e2e import registries
from tests.e2e.processes import PATIENCE, PLAIN, Server, wait_until
from tests.e2e.replay import Received, Replay, Reply, cut, json_reply
from tests.grammar import responses as grammar

MODEL = "thinker"
TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
FIRST = {
    "reasoning_content": "I must look.",
    "content": "I look.",
    "tool_calls": [
        {
            "index": 0,
            "id": "call_1",
            "type": "function",
            "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
        }
    ],
}
# What the model is to see in each request: nothing of it is sent by the client alone.
ASKED = ("user", "What is the weather?")
CALLED = ("assistant", "I look.", "I must look.", "get_weather")
FOUND = ("tool", "18 degrees")
ANSWERED = ("assistant", "Paris has 18 degrees.", "Now I know.", "")
THANKED = ("user", "Thanks.")


def think(received: Received) -> Reply:
    """Call a tool, tell what it found, and take thanks, thinking each time."""
    last = received.json["messages"][-1]
    message: dict[str, Any] = dict(FIRST)
    if last["role"] == "tool":
        message = {"reasoning_content": ANSWERED[2], "content": ANSWERED[1]}
    elif _text(last["content"]) == THANKED[1]:
        message = {"content": "You are welcome."}
    finish = "tool_calls" if "tool_calls" in message else "stop"
    if not received.json.get("stream"):
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return json_reply({"id": "c", "object": "chat.completion", "choices": [choice]})
    deltas: list[Any] = [{name: message[name]} for name in message]
    choices = [{"index": 0, "delta": each} for each in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    chunks = [json.dumps({"id": "c", "choices": [choice]}) for choice in choices]
    text = "".join(f"data: {chunk}\n\n" for chunk in [*chunks, "[DONE]"])
    return Reply(200, cut(text.encode()), {"content-type": "text/event-stream"})


def seen(received: Received) -> list[tuple[str, ...]]:
    """What a request shows the model."""
    return [_shown(message) for message in received.json["messages"]]


def _shown(message: dict[str, Any]) -> tuple[str, ...]:
    told = (message["role"], _text(message["content"]))
    if message["role"] != "assistant":
        return told
    names = [call["function"]["name"] for call in message.get("tool_calls", ())]
    return (*told, message.get("reasoning_content", ""), "".join(names))


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """Two workers in front of a model that thinks."""
    replay.offer([MODEL])
    replay.route("/v1/chat/completions", think)
    made = server(
        registries.registry(registries.openai("house", replay.url, MODEL)), workers=2
    )
    made.settle(MODEL)
    assert wait_until(lambda: len(made.worker_pids()) == 2, PATIENCE)
    return made


@contextmanager
def only(pid: int, server: Server) -> Iterator[None]:
    """Have one worker alone take what comes; no other holds the database's lock."""
    others = [each for each in server.worker_pids() if each != pid]
    path = server.data / "runagents.sqlite3"
    with closing(sqlite3.connect(path, PATIENCE, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        for other in others:
            os.kill(other, signal.SIGSTOP)
        assert wait_until(lambda: all(map(is_stopped, others)), PATIENCE)
    try:
        yield
    finally:
        for other in others:
            os.kill(other, signal.SIGCONT)


def is_stopped(pid: int) -> bool:
    """Tell whether a process does nothing any more."""
    return ") T " in Path(f"/proc/{pid}/stat").read_text()


def ask(server: Server, **body: Any) -> dict[str, Any]:
    """A response, streamed; over a connection of its own."""
    asked = {"model": MODEL, "tools": [TOOL], "stream": True, **body}
    answer = httpx.post(
        f"{server.url}/v1/responses", json=asked, timeout=PATIENCE, **PLAIN
    )
    assert answer.status_code == 200, answer.text
    response: dict[str, Any] = grammar.check(answer.text)[-1]["response"]
    return response


def test_what_one_worker_keeps_the_other_finds(gateway, replay):
    one, other = gateway.worker_pids()
    user = {"role": "user", "content": ASKED[1]}
    with only(one, gateway):
        first = ask(gateway, input=[user])
    assert first["store"] is True
    kinds = [item["type"] for item in first["output"]]
    assert kinds == ["reasoning", "message", "function_call"]
    named = [{"type": "item_reference", "id": item["id"]} for item in first["output"]]
    call_id = first["output"][-1]["call_id"]
    found = {"type": "function_call_output", "call_id": call_id, "output": FOUND[1]}
    replay.clear()
    with only(other, gateway):
        second = ask(gateway, input=[user, *named, found])
    assert second["output"][-1]["content"][0]["text"] == ANSWERED[1]
    assert seen(replay.calls[-1]) == [ASKED, CALLED, FOUND]


def test_the_ai_sdk_goes_on_with_what_it_only_names(gateway, replay):
    try:
        folder = node_packages.installed(HERE / "node")
    except node_packages.NotInstalled as reason:
        pytest.skip(str(reason))
    replay.clear()
    environ = {
        "PATH": os.environ["PATH"],
        "GATEWAY_URL": gateway.url,
        "GATEWAY_KEY": gateway.key("memory"),
    }
    done = subprocess.run(
        ["node", str(folder / "ai-sdk-memory.mjs")],
        env=environ,
        input=json.dumps({"house": MODEL}),
        capture_output=True,
        text=True,
        timeout=60,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    said = [ANSWERED[1], "You are welcome."]
    assert [each.get("got", each) for each in told] == [said, said], done.stderr
    shown = [seen(received) for received in replay.calls]
    turns = [[ASKED], [ASKED, CALLED, FOUND]]
    turns.append([ASKED, CALLED, FOUND, ANSWERED, THANKED])
    assert shown == [*turns, *turns]
