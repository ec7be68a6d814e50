"""What the whole way over the hub keeps: stop sequences, places, what was lost."""

import json

import pytest

from gateway.calls.passages.through_hub import ThroughHub, frames
from gateway.calls.passages.wording import in_client_words
from gateway.doors import messages
from gateway.doors.protocol import NOTHING_SENT
from gateway.errors import GatewayError
from gateway.hub.protocol import Payload, Route
from gateway.translators import TRANSLATORS
from tests.grammar.messages import message_in

ASKED = {
    "model": "m",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": "hi"}],
    "stop_sequences": ["A", "B", "C", "D", "END"],
}
SAID = "one END two"


def passage(kind):
    return ThroughHub(messages, TRANSLATORS[kind], frames)


def asked(**changes):
    return messages.parse_request(ASKED | changes, NOTHING_SENT)


def test_a_stop_sequence_that_the_gateway_found_is_told():
    way, question = passage("openai"), asked()
    route = Route("m", "m", provider_type="openai")
    reply = way.prepare(question, route).render({}).reply
    message = {"role": "assistant", "content": SAID}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    payload = {"id": "c", "choices": [choice]}
    raw = json.dumps(payload).encode()
    whole = way.parse_response(Payload(payload, raw), {}, reply, question).body
    assert whole["content"] == [{"type": "text", "text": "one "}]
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "END")


def test_a_stop_sequence_in_a_stream_is_told():
    way, question = passage("openai"), asked(stream=True)
    route = Route("m", "m", provider_type="openai")
    reply = way.prepare(question, route).render({}).reply
    reader = way.reader(reply, question)
    sent = b""
    for piece in ("one E", "ND two"):
        choice = {"index": 0, "delta": {"content": piece}}
        event = {"id": "c", "choices": [choice]}
        sent += reader.feed(b"data: " + json.dumps(event).encode() + b"\n\n").data
    message = message_in(sent + reader.renderer.end())
    assert message["content"] == [{"type": "text", "text": "one "}]
    assert message["stop_sequence"] == "END"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"stop_reason": "END"}, ("stop_sequence", "END")),
        ({"matched_stop": "END"}, ("stop_sequence", "END")),
        ({"stop_reason": 128001}, ("end_turn", None)),
        ({"matched_stop": 2}, ("end_turn", None)),
    ],
)
def test_a_stop_sequence_that_a_server_names_is_told(said, told):
    message = {"role": "assistant", "content": "one"}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **said}
    answer = messages.render_response({"id": "c", "choices": [choice]}, asked())
    assert (answer["stop_reason"], answer["stop_sequence"]) == told


def test_what_a_translation_refuses_is_told_of_the_clients_request():
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="}
    blocks = [{"type": "text", "text": "x"}, {"type": "document", "source": source}]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": blocks},
    ]
    question = asked(messages=turns, system="s")
    route = Route("m", "llama3.2", provider_type="ollama")
    with pytest.raises(GatewayError) as refused:
        passage("ollama").prepare(question, route).render({})
    path = messages.hub_request(question, route).client_path
    error = in_client_words(refused.value, path)
    assert error.param == "messages.2"
    assert "'messages.2'" in error.message


def test_what_a_translation_drops_is_told_by_the_clients_name():
    question = asked(
        stop_sequences=["A"], output_config={"effort": "high"}, model="llama3.2"
    )
    route = Route("m", "llama3.2", provider_type="ollama", avoid=frozenset({"think"}))
    rendered = passage("ollama").prepare(question, route).render({})
    assert rendered.dropped == ("output_config.effort",)
