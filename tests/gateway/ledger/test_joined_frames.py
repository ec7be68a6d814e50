"""What is kept of a stream reads as one answer, whatever door it came out of."""

import json

from gateway.ledger.bodies.joined_frames import joined


def sse(*events):
    return "".join(
        f"event: {each['type']}\ndata: {json.dumps(each)}\n\n" for each in events
    )


def delta(**fields):
    return {"type": "content_block_delta", "index": 0, "delta": fields}


def start(**block):
    return {"type": "content_block_start", "index": 0, "content_block": block}


START = {
    "type": "message_start",
    "message": {"id": "msg_1", "content": [], "usage": {"input_tokens": 3}},
}


def test_events_of_a_message_are_the_message():
    frames = sse(
        START,
        start(type="thinking", thinking=""),
        delta(type="thinking_delta", thinking="Well"),
        delta(type="thinking_delta", thinking="."),
        delta(type="signature_delta", signature="abc"),
        start(type="text", text=""),
        delta(type="text_delta", text="Hel"),
        {"type": "ping"},
        delta(type="text_delta", text="lo"),
        delta(type="citations_delta", citation={"cited_text": "x"}),
        start(type="tool_use", id="t", name="f", input={}),
        delta(type="input_json_delta", partial_json='{"a"'),
        delta(type="input_json_delta", partial_json=":1}"),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 7},
        },
        {"type": "message_stop"},
    )
    assert joined(frames) == {
        "id": "msg_1",
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "output_tokens": 7},
        "content": [
            {"type": "thinking", "thinking": "Well.", "signature": "abc"},
            {"type": "text", "text": "Hello", "citations": [{"cited_text": "x"}]},
            {"type": "tool_use", "id": "t", "name": "f", "input": '{"a":1}'},
        ],
    }


def test_a_message_that_broke_off_says_so():
    frames = sse(
        START,
        start(type="text", text="Hel"),
        {"type": "error", "error": {"type": "api_error"}},
    )
    whole = joined(f'{frames}data: {{"type":"content_bl')
    assert whole["error"] == {"type": "api_error"}
    assert whole["content"] == [{"type": "text", "text": "Hel"}]


def test_lines_of_a_turn_are_the_turn():
    lines = [
        {
            "model": "m",
            "message": {"role": "assistant", "thinking": "We"},
            "done": False,
        },
        {
            "model": "m",
            "message": {"role": "assistant", "thinking": "ll"},
            "done": False,
        },
        {"model": "m", "message": {"content": "Hel"}, "done": False},
        {"model": "m", "message": {"content": "lo"}, "done": False},
        {"model": "m", "message": {"content": ""}, "done": True, "eval_count": 2},
    ]
    assert joined("\n".join(map(json.dumps, lines))) == {
        "model": "m",
        "done": True,
        "eval_count": 2,
        "message": {"role": "assistant", "thinking": "Well", "content": "Hello"},
    }


def test_what_is_not_understood_stays_as_it_is():
    for frames in ("", "data: [DONE]", "data: {", '{"error": "no"}', "data: [1]"):
        assert joined(frames) == frames
