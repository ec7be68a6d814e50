"""A format and a door are added without touching the packages, and all of it works.

The two are what a stranger would write first: ARCHITECTURE.md, *Changing things*, names
the places, and these tests hold it to its word.
"""

import json

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

QUESTION = {"who": "gpt-4o-mini", "what": "hi"}
LINES = [
    b'{"piece": "hel"}\n{"pie',
    b'ce": "lo"}\n',
    b'{"heard": 3, "spoken": 2}\n',
]


def frames(*texts):
    """OpenAI's stream that says `texts`."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [({"content": text}, None) for text in texts] + [({}, "stop")]
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
        for delta, reason in deltas
    ]
    events = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return [*events, b"data: [DONE]\n\n"]


# --- a door ---


def test_a_new_door_answers_through_a_format_it_has_never_met(
    door, gateway, provider, upstream, completion, ledger
):
    provider()
    seen = upstream(json=completion)
    answer = gateway().post(door, json=QUESTION, headers={"x-toy-box": "7"})
    assert answer.json() == {"you": "hi", "me": "hello"}
    assert answer.headers["x-gateway-provider"] == "openai"
    assert answer.headers["x-toy"] == answer.headers["x-request-id"]
    asked = json.loads(seen[0].content)
    assert asked["messages"] == [{"role": "user", "content": "hi"}]
    (row,) = ledger()
    assert (row["outcome"], row["input_tokens"], row["output_tokens"]) == ("ok", 9, 2)
    assert (row["door"], row["session_id"]) == ("toy", "7")


def test_a_new_door_streams_in_its_own_frames(
    door, gateway, provider, upstream, ledger
):
    provider()
    upstream(stream=frames("hel", "lo"))
    answer = gateway().post(door, json={**QUESTION, "live": True})
    assert answer.text == "hel\nlo\nthat was hi, 2 lines\n"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-toy"] == answer.headers["x-request-id"]
    assert ledger()[0]["finish_reason"] == "stop"


def test_a_broken_stream_is_told_in_the_doors_words(door, gateway, provider, upstream):
    provider()
    upstream(stream=frames("hel")[:1])
    answer = gateway().post(door, json={**QUESTION, "live": True})
    assert answer.text.startswith("hel\nsorry, after 1 lines: ")


def test_what_a_new_door_cannot_say_is_told_and_done_by_the_gateway(
    door, gateway, provider, upstream, completion
):
    provider()
    upstream(json=completion)
    question = {**QUESTION, "mood": "sour", "until": "l"}
    answer = gateway().post(door, json=question)
    assert answer.json()["me"] == "he"
    assert answer.headers["x-gateway-dropped-params"] == "mood"


@pytest.mark.parametrize(
    ("question", "status", "about"),
    [
        ({"what": "hi"}, 418, "who"),
        ({**QUESTION, "who": "nobody"}, 404, "model"),
    ],
)
def test_a_refusal_is_told_in_the_doors_words(
    door, gateway, provider, question, status, about
):
    provider()
    answer = gateway().post(door, json=question)
    assert answer.status_code == status
    assert set(answer.json()) == {"sorry", "about"}
    assert answer.json()["about"] == about


def test_what_is_refused_before_a_view_is_told_in_the_doors_words(
    door, gateway, settings
):
    wrong = gateway(headers={"authorization": "Bearer wrong"})
    plain = {"content-type": "text/plain"}
    settings.REQUEST_BODY_LIMIT = 100
    for answer, status in (
        (wrong.post(door, json=QUESTION), 401),
        (gateway().get(door), 405),
        (gateway().post(door, json={**QUESTION, "what": "x" * 200}), 413),
        (gateway().post(door, content=b"{}", headers=plain), 415),
    ):
        assert answer.status_code == status
        assert set(answer.json()) == {"sorry", "about"}
        assert answer.headers["x-toy"] == answer.headers["x-request-id"]


def test_a_new_door_pins_a_provider_as_the_others_do(
    door, gateway, provider, upstream, completion
):
    provider("first")
    provider("second")
    upstream(json=completion)
    answer = gateway().post("/v1/p/second/ask", json=QUESTION)
    assert answer.headers["x-gateway-provider"] == "second"


# --- a format ---


def test_a_new_format_answers_from_the_form_on(registered, gateway, upstream, ledger):
    seen = upstream(json={"said": "growl", "heard": 1, "spoken": 2})
    body = {"model": "bear", "messages": [{"role": "user", "content": "hi"}]}
    answer = gateway().post("/v1/chat/completions", json=body)
    completion = ChatCompletion.model_validate(answer.json())
    assert completion.choices[0].message.content == "growl"
    assert str(seen[0].url) == "https://toys.example/play"
    assert json.loads(seen[0].content) == {"toy": "bear", "text": "hi"}
    assert ledger()[0]["provider_type"] == "toy"


def test_a_new_format_streams_however_its_bytes_are_cut(
    registered, gateway, upstream, ledger
):
    upstream(stream=LINES)
    body = {
        "model": "toys/bear",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
    }
    answer = gateway().post("/v1/chat/completions", json=body)
    *events, done = answer.text.strip().split("\n\n")
    chunks = [
        ChatCompletionChunk.model_validate_json(event.removeprefix("data: "))
        for event in events
    ]
    assert [c.choices[0].delta.content for c in chunks] == ["hel", "lo", None]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert done == "data: [DONE]"
    (row,) = ledger()
    assert (row["outcome"], row["input_tokens"], row["output_tokens"]) == ("ok", 3, 2)


def test_what_a_new_format_cannot_express_is_refused(registered, gateway):
    body = {"model": "bear", "messages": [{"role": "user", "content": "hi"}]}
    answer = gateway().post("/v1/chat/completions", json={**body, "tools": [{}]})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "tools"


def test_both_meet_without_knowing_each_other(door, registered, gateway, upstream):
    upstream(stream=LINES)
    answer = gateway().post(door, json={"who": "bear", "what": "hi", "live": True})
    assert answer.text == "hel\nlo\nthat was hi, 2 lines\n"


def test_the_playground_speaks_to_a_new_format(
    registered, gateway, upstream, logged_in_client
):
    gateway()
    upstream(json={"said": "growl", "heard": 1, "spoken": 2})
    form = {"model": "toys/bear", "message": "hi"}
    assert b"growl" in logged_in_client.post("/playground/", form).content
