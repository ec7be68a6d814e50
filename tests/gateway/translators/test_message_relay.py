"""What speaks the Messages API on both sides is passed on as it stands."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.answers.event_relay import EventRelay, framed
from gateway.hub.answers.names import Names
from gateway.hub.answers.relay import Relayed, joined
from gateway.translators.anthropic.relay.tap import Tap
from gateway.translators.anthropic.relay.whole import events_of

SAME = Names("claude-sonnet-5", "claude-sonnet-5")
ALIAS = Names("house", "claude-sonnet-5")


def start(**usage):
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-5-20260101",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def text(*pieces, index=0):
    block = {"type": "text", "text": ""}
    yield {"type": "content_block_start", "index": index, "content_block": block}
    for piece in pieces:
        delta = {"type": "text_delta", "text": piece}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def ending(reason="end_turn", **usage):
    delta = {"stop_reason": reason, "stop_sequence": None}
    counts = {"output_tokens": 7, **usage}
    return {"type": "message_delta", "delta": delta, "usage": counts}


STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def stream(*events):
    return b"".join(map(framed, events))


WHOLE = stream(start(), PING, *text("Hel", "lo"), ending(), STOP)


def relayed(data, names=SAME, cuts=()):
    """Return a relay after `data` and the end of it, and all that it gave."""
    relay = EventRelay(Tap(names))
    edges = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    pieces = [relay.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    return relay, joined([*pieces, relay.close()])


@given(st.lists(st.integers(0, 2000), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_a_stream_goes_on_as_it_came_however_it_is_cut(cuts, end):
    data = WHOLE.replace(b"\n", end)
    relay, given = relayed(data, cuts=cuts)
    assert given.data == data
    assert relay.state.done
    assert relay.state.error is None
    assert relay.tap.is_ended
    assert given.finish_reason == "stop"
    assert relay.state.usage["completion_tokens"] == 7


@given(st.lists(st.integers(0, 2000), max_size=20), st.sampled_from([b"\n", b"\r\n"]))
def test_events_divided_by_one_line_feed_go_on_as_events(cuts, end):
    data = WHOLE.replace(b"\n\n", b"\n").replace(b"\n", end)
    relay, given = relayed(data, cuts=cuts)
    assert given.data == WHOLE.replace(b"\n", end)
    assert relay.tap.is_ended


def test_they_go_on_as_they_come():
    relay = EventRelay(Tap(SAME))
    data = stream(start(), *text("Hel", "lo")).replace(b"\n\n", b"\n")
    given = [relay.feed(line).data for line in data.splitlines(True)]
    assert all(given[3::2])


def test_the_client_reads_the_name_that_it_used():
    _, given = relayed(WHOLE, ALIAS)
    assert given.data == WHOLE.replace(b"claude-sonnet-5-20260101", b"house")


def test_another_models_name_stays():
    _, given = relayed(WHOLE, Names("house", "claude-opus-5"))
    assert given.data == WHOLE


def test_unknown_events_and_comments_go_on():
    strange = b': alive\n\nevent: later\ndata: {"type":"later","x":1e0}\n\n'
    data = stream(start()) + strange + stream(*text("a"), ending(), STOP)
    _, given = relayed(data)
    assert given.data == data


def test_events_without_a_name_get_it():
    nameless = b"".join(
        b"data: %b\n\n" % json.dumps(event).encode()
        for event in (start(), *text("a"), ending(), STOP)
    )
    _, given = relayed(nameless)
    names = [
        line[7:] for line in given.data.split(b"\n") if line.startswith(b"event: ")
    ]
    assert names == [
        b"message_start",
        b"content_block_start",
        b"content_block_delta",
        b"content_block_stop",
        b"message_delta",
        b"message_stop",
    ]
    rest = b"\n".join(
        line for line in given.data.split(b"\n") if not line.startswith(b"event: ")
    )
    assert rest == nameless


def test_counts_are_totals_that_nothing_erases():
    first = start(cache_read_input_tokens=5)
    relay, _ = relayed(stream(first, *text("a"), ending(input_tokens=None), STOP))
    usage = relay.state.usage
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (15, 7)
    assert usage["prompt_tokens_details"]["cached_tokens"] == 5
    relay, _ = relayed(stream(first, *text("a"), ending(input_tokens=12), STOP))
    assert relay.state.usage["prompt_tokens"] == 17


@pytest.mark.parametrize(
    ("reason", "known"),
    [
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("pause_turn", "pause_turn"),
        ("refusal", "refusal"),
        ("compaction", "compaction"),
    ],
)
def test_reasons_have_the_ledgers_words(reason, known):
    _, given = relayed(stream(start(), *text("a"), ending(reason), STOP))
    assert given.finish_reason == known


def test_a_message_that_told_its_end_is_complete_without_the_last_event():
    relay, given = relayed(stream(start(), *text("a"), ending()))
    assert relay.state.done
    assert not relay.tap.is_ended
    assert given.data == stream(start(), *text("a"), ending())


def test_a_last_event_without_its_blank_line_counts():
    relay, given = relayed(WHOLE.rstrip(b"\n"))
    assert relay.tap.is_ended
    assert given.data == WHOLE


@pytest.mark.parametrize("lost", range(1, 60, 7))
def test_half_an_event_is_thrown_away_and_the_answer_failed(lost):
    half = stream(start(), *list(text("Hello"))[:2])
    relay, given = relayed(half[:-lost])
    assert relay.state.error.code == "upstream_stream_truncated"
    assert half.startswith(given.data)
    assert not given.data or given.data[-2:] == b"\n\n"
    assert not relay.tap.is_ended


def test_an_error_goes_on_as_it_came_and_ends_the_stream():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    data = stream(start(), *list(text("a"))[:2], error)
    relay, given = relayed(data + stream(ending(), STOP))
    assert given.data == data
    assert relay.tap.is_ended
    assert relay.state.error.code == "overloaded"
    assert relay.state.error.told == error["error"]


def test_an_error_alone_says_nothing_yet():
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}
    relay, given = relayed(stream(error))
    assert not given.says
    assert relay.state.error.told["type"] == "overloaded_error"


def test_nothing_follows_the_end():
    _, given = relayed(WHOLE + stream(PING) + WHOLE)
    assert given.data == WHOLE


@pytest.mark.parametrize("page", [b"<html>no</html>", b"<html>\n\n<p>no\n\n"])
def test_a_web_page_is_no_stream(page):
    relay, given = relayed(page)
    assert relay.state.error.code == "upstream_invalid_response"
    assert b"<" not in given.data


MESSAGE = {
    **start()["message"],
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        {"type": "text", "text": "Hello", "citations": [{"type": "char_location"}]},
        {
            "type": "server_tool_use",
            "id": "s1",
            "name": "web_search",
            "input": {"q": 1},
        },
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": {"b": []}}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "output_tokens": 7},
}


def test_a_whole_answer_is_told_as_events():
    relay, given = relayed(json.dumps(MESSAGE).encode(), ALIAS, cuts=[10, 100])
    assert relay.tap.is_ended
    assert given.finish_reason == "tool_calls"
    assert relay.state.usage["completion_tokens"] == 7
    events = [
        json.loads(line[6:]) for line in given.data.split(b"\n") if line[:5] == b"data:"
    ]
    assert events[0]["message"]["model"] == "house"
    assert put_together(events) == MESSAGE["content"]
    assert events[-2]["delta"] == {"stop_reason": "tool_use", "stop_sequence": None}


def put_together(events):
    """Return the blocks of a message as a client of the stream puts them together."""
    blocks = []
    for event in events:
        match event:
            case {"type": "content_block_start", "content_block": block}:
                blocks.append(dict(block))
            case {"delta": {"type": "input_json_delta", "partial_json": piece}}:
                blocks[-1]["input"] = json.loads(piece)
            case {"delta": {"type": "citations_delta", "citation": citation}}:
                blocks[-1]["citations"] = [*blocks[-1]["citations"], citation]
            case {"delta": {"type": kind, **piece}}:
                (name,) = piece
                assert kind == f"{name}_delta"
                blocks[-1][name] += piece[name]
    return blocks


def test_the_blocks_of_a_whole_answer_come_one_after_the_other():
    open_blocks = []
    for event in events_of(MESSAGE):
        if event["type"] == "content_block_start":
            assert not open_blocks
            open_blocks.append(event["index"])
        elif event["type"] == "content_block_stop":
            assert open_blocks.pop() == event["index"]
    assert not open_blocks


def test_an_error_that_came_whole_is_told_as_one():
    error = {"type": "error", "error": {"type": "api_error", "message": "Oh"}}
    relay, given = relayed(json.dumps(error).encode())
    assert given == Relayed(b"")
    assert relay.state.error.told == error["error"]


def test_an_event_that_is_too_large_ends_the_stream():
    relay = EventRelay(Tap(SAME), largest=500)
    assert relay.feed(stream(start())).data == stream(start())
    relay.feed(b"event: content_block_delta\ndata: " + b"x" * 600)
    assert relay.state.error.code == "upstream_invalid_response"


@pytest.mark.parametrize("word", ["", "word", "a\\"])
def test_how_much_is_said_is_known_to_the_character(word):
    told = [each for each in text(*[word] * 20) if "delta" in each]
    relay = EventRelay(Tap(SAME))
    assert relay.feed(stream(*told)).characters == 20 * len(word)
