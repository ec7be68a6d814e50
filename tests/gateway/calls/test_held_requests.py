"""What a call holds of a long request while its upstream works on it."""

import gc
import json

import httpx
import pytest

URL = "/v1/chat/completions"
TURNS = 97
TURN = "word " * 24
CLAUDE = "claude-opus-4-5"
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "content": [{"type": "text", "text": "four"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 4},
}


def ask(gateway, content: bytes, url: str = URL) -> None:
    """Ask, whatever is answered."""
    headers = {"content-type": "application/json"}
    gateway().post(url, content=content, headers=headers)


def long_request(model: str, **more: object) -> bytes:
    """Return the text of a request with so many turns, each as long as a sentence."""
    roles = ("user", "assistant")
    turns = [{"role": roles[n % 2], "content": TURN} for n in range(TURNS)]
    return json.dumps({"model": model, "messages": turns, **more}).encode()


def conversations() -> int:
    """Return how many lists of so many messages there are, in whatever form.

    Other lists may have that length by chance, and just now.
    """
    gc.collect()
    lists = [each for each in gc.get_objects() if type(each) is list]
    return sum(len(each) == TURNS and TURN in repr(each[0]) for each in lists)


@pytest.fixture
def both(provider):
    provider("openai")
    provider("claude", provider_type="anthropic", models=(CLAUDE,))


def test_one_that_is_held_is_found():
    before = conversations()
    read = json.loads(long_request("gpt-4o-mini"))
    assert conversations() == before + 1
    assert len(read["messages"]) == TURNS


@pytest.mark.parametrize(
    ("url", "model"),
    [(URL, "gpt-4o-mini"), (URL, CLAUDE), ("/v1/messages", CLAUDE)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_nothing_that_was_read_of_it(
    both, upstream, gateway, completion, url, model, stream
):
    held = []

    def answer(request: httpx.Request) -> httpx.Response:
        held.append(conversations())
        return httpx.Response(
            200, json=completion if model == "gpt-4o-mini" else MESSAGE
        )

    upstream(answer)
    before = conversations()
    ask(gateway, long_request(model, stream=stream), url)
    assert held == [before]


def test_the_next_provider_is_sent_the_same(provider, upstream, gateway, completion):
    provider("first", priority=1)
    provider("second", priority=2, endpoint="http://127.0.0.1:10")

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.port == 9:
            return httpx.Response(503)
        return httpx.Response(200, json=completion)

    seen = upstream(answer)
    ask(gateway, long_request("gpt-4o-mini", seed=1))
    first, second = [request.content for request in seen]
    assert first == second
    assert json.loads(first) == json.loads(long_request("gpt-4o-mini", seed=1))


@pytest.mark.parametrize("stream", [False, True])
def test_what_is_refused_of_it_is_still_known(
    provider, upstream, gateway, completion, stream
):
    provider()
    field = "stream_options" if stream else "reasoning"
    thought = {"role": "assistant", "content": "a", "reasoning": "b"}

    def answer(request: httpx.Request) -> httpx.Response:
        if f'"{field}"'.encode() in request.content:
            error = {"message": f"Unknown parameter: messages[0].{field}"}
            return httpx.Response(400, json={"error": error})
        return httpx.Response(200, json=completion)

    seen = upstream(answer)
    body = json.loads(long_request("gpt-4o-mini", stream=stream))
    body["messages"][1] = thought
    ask(gateway, json.dumps(body).encode())
    assert [f'"{field}"'.encode() in each.content for each in seen] == [True, False]
    assert len(json.loads(seen[1].content)["messages"]) == TURNS


def test_what_is_refused_of_its_translation_is_still_known(
    both, upstream, gateway, ledger
):
    def answer(request: httpx.Request) -> httpx.Response:
        if b"output_config" in request.content:
            error = {"type": "invalid_request_error", "message": "output_config: no"}
            return httpx.Response(400, json={"error": error})
        return httpx.Response(200, json=MESSAGE)

    seen = upstream(answer)
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    ask(gateway, long_request(CLAUDE, response_format=form))
    assert [b"output_config" in request.content for request in seen] == [True, False]
