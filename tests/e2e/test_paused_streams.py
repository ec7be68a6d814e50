"""Claude's web search pauses in a stream; the client sees one stream, or leaves it."""

import json
from collections.abc import Callable, Iterator

import openai
import pytest

from tests.e2e import registries
from tests.e2e.processes import Server
from tests.e2e.replay import Received, Replay, Reply, cut

MODELS = {
    "goes on": "claude-sonnet-4-5",
    "says nothing more": "claude-haiku-4-5",
    "never begins again": "claude-opus-4-5",
}
STREAM = {"content-type": "text/event-stream"}
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.com/rain",
    "title": "Rain",
    "cited_text": "rain",
    "encrypted_index": "x",
}
SEARCH = {
    "type": "server_tool_use",
    "id": "srvtoolu_1",
    "name": "web_search",
    "input": {},
}


def message(reason: str | None, said: str, *others: dict) -> bytes:
    """Return a streamed message: a cited text, other blocks, and why it ends if so."""
    usage = {"input_tokens": 3, "output_tokens": 1}
    head = {"id": "msg_1", "type": "message", "role": "assistant", "content": []}
    text = {"type": "text", "text": "", "citations": []}
    deltas = [
        {"type": "text_delta", "text": said},
        {"type": "citations_delta", "citation": CITATION},
    ]
    events = [
        {"type": "message_start", "message": {**head, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": text},
        *({"type": "content_block_delta", "index": 0, "delta": d} for d in deltas),
        {"type": "content_block_stop", "index": 0},
    ]
    for index, block in enumerate(others, 1):
        start = {"type": "content_block_start", "index": index}
        events.append({**start, "content_block": block})
        events.append({"type": "content_block_stop", "index": index})
    if reason is not None:
        ending = {"type": "message_delta", "delta": {"stop_reason": reason}}
        events.append({**ending, "usage": {"output_tokens": 4}})
        events.append({"type": "message_stop"})
    return b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in events)


def answer(received: Received) -> Reply:
    """Pause once, then go on as the model's name says."""
    body = received.json
    if body["messages"][-1]["role"] == "user":
        return Reply(200, cut(message("pause_turn", "Let me see. ", SEARCH)), STREAM)
    if body["model"] == MODELS["goes on"]:
        return Reply(200, cut(message("end_turn", "It rains.")), STREAM)
    if body["model"] == MODELS["says nothing more"]:
        return Reply(200, [message(None, "Wait: ")], STREAM, hold=True)
    return Reply(hold=True)


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server whose Claude searches the web."""
    replay.route("/v1/messages", answer)
    claude = registries.anthropic(
        "claude", replay.url, *MODELS.values(), server_web_search=True
    )
    return server(registries.registry(claude))


@pytest.fixture
def client(gateway: Server) -> Iterator[openai.OpenAI]:
    """The SDK as an agent sets it up."""
    with openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key="platform-managed", max_retries=0
    ) as made:
        yield made


def ask(client: openai.OpenAI, model: str) -> openai.Stream:
    """Return the answer to a question that needs a search."""
    return client.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Will it rain?"}],
        web_search_options={},
        stream=True,
        stream_options={"include_usage": True},
    )


def test_the_sdk_reads_one_stream(gateway, replay, client):
    replay.clear()
    with client.chat.completions.stream(
        model=MODELS["goes on"],
        messages=[{"role": "user", "content": "Will it rain?"}],
        web_search_options={},
        stream_options={"include_usage": True},
    ) as stream:
        whole = stream.get_final_completion()
    message = whole.choices[0].message
    assert message.content == "Let me see. It rains."
    assert whole.choices[0].finish_reason == "stop"
    spans = [note.url_citation for note in message.annotations or ()]
    assert [(s.start_index, s.end_index) for s in spans] == [(0, 12), (12, 21)]
    assert whole.usage
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (6, 8)
    assert len(replay.calls) == 2
    (row,) = gateway.rows(1, model=MODELS["goes on"])
    assert (row["outcome"], row["output_tokens"]) == ("ok", 8)


@pytest.mark.parametrize("how", ["says nothing more", "never begins again"])
def test_a_client_that_leaves_after_the_pause_closes_what_is_open(
    gateway, replay, client, how
):
    replay.clear()
    said = ""
    with ask(client, MODELS[how]) as stream:
        assert replay.wait_until(lambda: len(replay.calls) == 2)
        wanted = "Let me see. Wait: " if how == "says nothing more" else "Let me see. "
        for chunk in stream:
            said += chunk.choices[0].delta.content or ""
            if said == wanted:
                break
        assert replay.wait_until(lambda: replay.open == 1)
    assert gateway.soon(lambda: replay.open == 0)
    assert replay.calls[1].client_left
    (row,) = gateway.rows(1, model=MODELS[how])
    assert row["outcome"] == "client_closed"
    assert row["input_tokens"] == (6 if how == "says nothing more" else 3)
