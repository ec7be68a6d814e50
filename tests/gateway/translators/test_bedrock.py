"""What Bedrock's translator promises its callers beside the golden cases."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import bedrock
from tests.gateway.frames import stream_bytes

CASES = Path(__file__).parents[1] / "cases/bedrock"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"

PNG = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def picture(url: str) -> JSON:
    part = {"type": "image_url", "image_url": {"url": url}}
    return {"messages": [{"role": "user", "content": [part]}]}


def test_images_by_url_are_named_for_fetching() -> None:
    body = picture("https://example.org/a.png")
    route = Route("alias", CLAUDE)
    assert bedrock.remote_urls(body, route) == ["https://example.org/a.png"]
    assert bedrock.remote_urls(picture(PNG), route) == []


def test_a_fetched_image_is_sent_as_bytes() -> None:
    request = bedrock.render_request(picture(PNG), Route("alias", CLAUDE))
    source = request.body["messages"][0]["content"][0]["source"]
    assert source["type"] == "base64"
    assert source["media_type"] == "image/png"


@pytest.mark.parametrize(
    ("model", "megabytes"), [(CLAUDE, 20), ("us.amazon.nova-lite-v1:0", 25)]
)
def test_too_many_images_are_refused_before_they_are_sent(
    model: str, megabytes: int
) -> None:
    body = picture(PNG + "A" * (megabytes * 1024 * 1024))
    with pytest.raises(GatewayError) as refused:
        bedrock.render_request(body, Route("alias", model))
    assert (refused.value.status, refused.value.code) == (413, "request_too_large")


def test_strict_params_turns_a_drop_into_a_refusal() -> None:
    body = {"messages": [{"role": "user", "content": "hi"}], "seed": 7}
    route = Route("alias", "us.amazon.nova-lite-v1:0", options={"strict_params": True})
    with pytest.raises(GatewayError) as refused:
        bedrock.render_request(body, route)
    assert refused.value.param == "seed"
    assert refused.value.code == "unsupported_parameter"


BAR, BLOCK = "\uff5c", "\u2581"
CONTROLS = {
    "us.meta.llama3-3-70b-instruct-v1:0": ["<|eot_id|>", "<|start_header_id|>"],
    "us.meta.llama4-scout-17b-instruct-v1:0": ["<|eot|>", "<|header_start|>"],
    "meta.llama2-13b-chat-v1": ["[INST]", "[/INST]", "<<SYS>>", "</s>"],
    "mistral.mistral-7b-instruct-v0:2": ["[INST]", "[/INST]", "</s>", "<s>"],
    "us.deepseek.r1-v1:0": [f"<{BAR}User{BAR}>", f"<{BAR}Assistant{BAR}>", "<think>"],
    "amazon.titan-text-express-v1": ["\nUser:", "\nBot:"],
}
pieces = st.lists(
    st.one_of(
        st.sampled_from(sorted({each for all in CONTROLS.values() for each in all})),
        st.sampled_from(["<", "|", "[", "/", "User", ":", "\n", "\u200b", "word"]),
    ),
    max_size=8,
).map("".join)


@given(model=st.sampled_from(sorted(CONTROLS)), system=pieces, user=pieces, said=pieces)
def test_no_text_forges_a_turn(model: str, system: str, user: str, said: str) -> None:
    def prompt(system: str, user: str, said: str) -> str:
        messages = [
            {"role": "system", "content": f"s{system}"},
            {"role": "user", "content": f"u{user}"},
            {"role": "assistant", "content": f"a{said}"},
            {"role": "user", "content": "go"},
        ]
        request = bedrock.render_request({"messages": messages}, Route("alias", model))
        return str(request.body.get("prompt") or request.body["inputText"])

    forged, honest = prompt(system, user, said), prompt("", "", "")
    for control in CONTROLS[model]:
        assert forged.count(control) == honest.count(control)


def test_two_answers_never_share_an_id_made_up() -> None:
    call = {"id": "call_0", "function": {"name": "f", "arguments": "{}"}}
    answer = {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "stop"}]}
    ids = {
        bedrock.parse_response(answer, {}, Reply("m", completion_id=id, wire="oai"))[
            "choices"
        ][0]["message"]["tool_calls"][0]["id"]
        for id in ("chatcmpl-1", "chatcmpl-2")
    }
    assert len(ids) == 2
    assert "call_0" not in ids


def test_native_models_are_told_no_organization() -> None:
    options = {"organization": "org-1", "project": "proj-1"}
    route = Route("alias", "openai.gpt-5.4", options=options)
    request = bedrock.render_request(picture(PNG), route)
    assert dict(request.headers) == {"accept": "application/json"}


def test_a_native_stream_gives_its_calls_ids_of_their_own() -> None:
    delta = {
        "tool_calls": [
            {
                "index": 0,
                "id": "call_0",
                "type": "function",
                "function": {"name": "f", "arguments": "{}"},
            }
        ]
    }
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    first = {**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    last = {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    parser = bedrock.stream_parser(Reply("alias", wire="native", stream=True))
    data = "".join(f"data: {json.dumps(each)}\n\n" for each in (first, last))
    chunks = parser.feed(data.encode() + b"data: [DONE]\n\n") + parser.close()
    calls = [
        call
        for each in chunks
        for choice in each["choices"]
        for call in choice["delta"].get("tool_calls", [])
    ]
    assert calls[0]["id"].startswith("call_")
    assert calls[0]["id"] != "call_0"
    assert parser.state.done


def test_what_comes_after_the_end_is_ignored() -> None:
    events = json.loads((CASES / "stream-of-nova/upstream_events.json").read_text())
    parser = bedrock.stream_parser(Reply("alias", wire="nova"))
    parser.feed(stream_bytes(events))
    assert parser.state.done
    assert parser.feed(stream_bytes(events)) == []
    assert parser.close() == []
    assert parser.state.error is None


def test_an_answer_in_json_where_a_stream_was_due_is_an_error() -> None:
    parser = bedrock.stream_parser(Reply("alias", wire="converse"))
    assert parser.feed(b'{"Output":{"__type":"UnknownOperationException"}}') == []
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_invalid_response"


def test_an_error_in_place_of_a_whole_answer_is_told() -> None:
    parser = bedrock.stream_parser(Reply("alias", wire="converse-whole"))
    parser.feed(b'{"__type":"ThrottlingException","message":"Slow down"}')
    assert parser.close() == []
    assert parser.state.error is not None
    assert parser.state.error.code == "rate_limit_exceeded"


def test_a_whole_answer_without_end_is_bounded() -> None:
    parser = bedrock.stream_parser(Reply("alias", wire="converse-whole"))
    for _ in range(9):
        parser.feed(b" " * 1024 * 1024)
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_invalid_response"


def test_an_empty_stream_is_truncated() -> None:
    for wire in ("converse", "claude", "nova", "oai", "llama", "cohere"):
        parser = bedrock.stream_parser(Reply("alias", wire=wire))
        assert parser.close() == []
        assert parser.state.error is not None
        assert parser.state.error.code == "upstream_stream_truncated"


STREAMS = {
    case.name: json.loads((case / "upstream_events.json").read_text())
    for case in sorted(CASES.iterdir())
    if (case / "upstream_events.json").exists() and (case / "route.json").exists()
}


@given(
    name=st.sampled_from(sorted(STREAMS)),
    cuts=st.lists(st.floats(min_value=0, max_value=1), max_size=8),
)
def test_any_cuts_give_the_same_chunks(name: str, cuts: list[float]) -> None:
    fields = json.loads((CASES / name / "route.json").read_text()).get("reply", {})
    fields = {**fields, "stop": tuple(fields.get("stop", ()))}
    reply = Reply("alias", **{"wire": "converse", **fields})
    data = stream_bytes(STREAMS[name])
    edges = [0, *sorted(int(cut * len(data)) for cut in cuts), len(data)]
    parser, chunks = bedrock.stream_parser(reply), []
    for place, edge in enumerate(edges[1:]):
        chunks += parser.feed(data[edges[place] : edge])
    chunks += parser.close()
    whole = bedrock.stream_parser(reply)
    assert chunks == whole.feed(data) + whole.close()
    assert (parser.state.error is None) == (whole.state.error is None)
    assert parser.state.done == whole.state.done
