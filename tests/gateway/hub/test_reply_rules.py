"""The rules that hold for every answer, whole and streamed, with one outcome."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.answers import chunks, reply_rules
from gateway.hub.answers.chunks import Chunks
from gateway.hub.answers.reply_rules.texts import FenceStripper, StopCutter
from gateway.hub.answers.state import StreamState
from gateway.hub.errors.upstream_errors import truncated
from gateway.hub.protocol import JSON, Reply

USAGE = chunks.usage(3, 4)


class Script:
    """A parser that gives the n-th list of chunks at the n-th feed, while it lasts."""

    def __init__(
        self, steps: list[list[JSON]], error: GatewayError | None = None
    ) -> None:
        self.steps = steps
        self.error = error
        self.state = StreamState()

    def feed(self, data: bytes) -> list[JSON]:
        if self.state.is_over:
            return []
        self.state.usage, self.state.error = USAGE, self.error
        return self.steps.pop(0)

    def close(self) -> list[JSON]:
        self.state.done = True
        return []


def streamed(reply: Reply, *made: JSON) -> tuple[list[JSON], Any]:
    """Feed each chunk by itself; return what came out and the parser."""
    parser = reply_rules.stream(Script([[chunk] for chunk in made]), reply)
    out = [chunk for _ in made for chunk in parser.feed(b"x") if not parser.state.error]
    return [*out, *parser.close()], parser


def joined(out: list[JSON]) -> JSON:
    """Return the answer that a client builds of the chunks."""
    built: JSON = {"content": "", "calls": {}, "finish": None}
    for chunk in out:
        if not chunk["choices"]:
            built["usage"] = chunk["usage"]
            continue
        assert built["finish"] is None, "nothing follows the finish chunk"
        choice = chunk["choices"][0]
        delta = choice["delta"]
        built["content"] += delta.get("content") or ""
        if call := delta.get("function_call"):
            old = built.setdefault("function_call", {"name": "", "arguments": ""})
            old["name"] += call.get("name", "")
            old["arguments"] += call["arguments"]
        for call in delta.get("tool_calls") or []:
            old = built["calls"].setdefault(call["index"], ["", ""])
            old[0] += call["function"].get("name", "")
            old[1] += call["function"].get("arguments", "")
        built["finish"] = choice["finish_reason"]
    return built


def answer(reply: Reply, content: Any, *calls: JSON, finish: str) -> JSON:
    message = chunks.message(reply, content=content, tool_calls=list(calls))
    completion = chunks.completion(reply, message, finish, USAGE)
    return reply_rules.whole(completion, reply)["choices"][0]


def test_without_a_rule_the_parser_itself_is_returned() -> None:
    parser = Script([])
    assert reply_rules.stream(parser, Reply("m")) is parser


# Tool names


NAMES = Reply("m", tool_names={"a_b_123456": "a.b"})


def test_a_tool_name_is_mapped_back() -> None:
    call = chunks.tool_call("c", "a_b_123456", "{}")
    choice = answer(NAMES, None, call, finish="tool_calls")
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "a.b"


def test_a_streamed_tool_name_is_mapped_back() -> None:
    made = Chunks(NAMES)
    out, _ = streamed(
        NAMES,
        made.tool_start(0, "c", "a_b_123456"),
        made.tool_arguments(0, "{}"),
        made.finish("tool_calls"),
    )
    assert joined(out)["calls"] == {0: ["a.b", "{}"]}


def test_another_tool_name_stays() -> None:
    choice = answer(NAMES, None, chunks.tool_call("c", "x", "{}"), finish="tool_calls")
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "x"


# The hidden JSON tool


JSON_TOOL = Reply("m", json_tool="json_output")


def test_the_json_tools_input_becomes_the_content() -> None:
    call = chunks.tool_call("c", "json_output", '{"a":1}')
    choice = answer(JSON_TOOL, "Sure:", call, finish="tool_calls")
    assert choice["message"]["content"] == '{"a":1}'
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"


def test_the_streamed_json_tools_input_becomes_content() -> None:
    made = Chunks(JSON_TOOL)
    out, _ = streamed(
        JSON_TOOL,
        made.role(),
        made.content("Sure:"),
        made.tool_start(0, "c", "json_output"),
        made.tool_arguments(0, '{"a":'),
        made.tool_arguments(0, "1}"),
        made.finish("tool_calls"),
    )
    assert joined(out) == {"content": '{"a":1}', "calls": {}, "finish": "stop"}
    assert out[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}


def test_text_is_kept_when_the_json_tool_is_not_called() -> None:
    made = Chunks(JSON_TOOL)
    out, _ = streamed(
        JSON_TOOL, made.content("I can"), made.content("not"), made.finish("stop")
    )
    assert joined(out) == {"content": "I cannot", "calls": {}, "finish": "stop"}


def test_tools_beside_the_json_tool_are_counted_without_it() -> None:
    made = Chunks(JSON_TOOL)
    out, _ = streamed(
        JSON_TOOL,
        made.tool_start(0, "c", "json_output"),
        made.tool_arguments(0, "{}"),
        made.tool_start(1, "d", "f"),
        made.tool_arguments(1, '{"b":2}'),
        made.finish("tool_calls"),
    )
    assert joined(out) == {
        "content": "{}",
        "calls": {0: ["f", '{"b":2}']},
        "finish": "tool_calls",
    }


def test_a_cut_off_json_answer_says_so() -> None:
    call = chunks.tool_call("c", "json_output", '{"a":')
    assert answer(JSON_TOOL, None, call, finish="length")["finish_reason"] == "length"


# Only one tool call


SINGLE = Reply("m", single_tool_call=True)


def test_only_the_first_tool_call_is_kept() -> None:
    calls = [chunks.tool_call("c", "f", "{}"), chunks.tool_call("d", "g", "{}")]
    choice = answer(SINGLE, None, *calls, finish="tool_calls")
    assert [call["id"] for call in choice["message"]["tool_calls"]] == ["c"]


def test_only_the_first_streamed_tool_call_is_kept() -> None:
    made = Chunks(SINGLE)
    out, _ = streamed(
        SINGLE,
        made.tool_start(0, "c", "f"),
        made.tool_start(1, "d", "g"),
        made.tool_arguments(1, "[]"),
        made.tool_arguments(0, "{}"),
        made.finish("tool_calls"),
    )
    assert joined(out)["calls"] == {0: ["f", "{}"]}
    assert all(chunk["choices"][0]["delta"] for chunk in out[:-1])


# The older function_call


LEGACY = Reply("m", legacy_functions=True)


def test_a_legacy_caller_gets_a_function_call() -> None:
    call = chunks.tool_call("c", "f", '{"a":1}')
    choice = answer(LEGACY, None, call, finish="tool_calls")
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "function_call"


def test_a_legacy_caller_gets_a_streamed_function_call() -> None:
    made = Chunks(LEGACY)
    out, _ = streamed(
        LEGACY,
        made.tool_start(0, "c", "f"),
        made.tool_arguments(0, "{}"),
        made.finish("tool_calls"),
    )
    assert joined(out) == {
        "content": "",
        "calls": {},
        "function_call": {"name": "f", "arguments": "{}"},
        "finish": "function_call",
    }


# Emulated stop sequences


STOP = Reply("m", stop=("END", "\n\n"), include_usage=True)


def test_the_text_ends_at_a_stop_sequence() -> None:
    choice = answer(STOP, "one END two", finish="length")
    assert (choice["message"]["content"], choice["finish_reason"]) == ("one ", "stop")


def test_an_answer_without_any_content_has_no_text_to_end() -> None:
    completion = {"choices": [{"message": {"role": "assistant"}, "finish_reason": "x"}]}
    assert reply_rules.whole(completion, Reply("m", stop=("END",))) == completion


def test_a_tool_call_after_the_stop_never_happened() -> None:
    call = chunks.tool_call("c", "f", "{}")
    choice = answer(STOP, "one END", call, finish="tool_calls")
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"


def test_a_stream_ends_at_a_stop_sequence_across_chunks() -> None:
    made = Chunks(STOP)
    out, parser = streamed(
        STOP,
        made.role(),
        *[made.content(text) for text in ("one E", "N", "D two", " three")],
        made.finish("stop"),
    )
    assert joined(out) == {
        "content": "one ",
        "calls": {},
        "finish": "stop",
        "usage": USAGE,
    }
    assert parser.state.done


def test_held_back_text_comes_when_the_stop_does_not() -> None:
    made = Chunks(STOP)
    out, _ = streamed(
        STOP, made.content("one E"), made.content("N"), made.finish("stop")
    )
    assert joined(out)["content"] == "one EN"


def test_no_held_back_text_is_sent_with_nothing_in_it() -> None:
    made = Chunks(STOP)
    out, _ = streamed(STOP, made.content("E"), made.content("\n"), made.finish("stop"))
    assert [c["choices"][0]["delta"].get("content") for c in out] == ["E", "\n", None]


def test_reasoning_does_not_stop() -> None:
    made = Chunks(STOP)
    out, parser = streamed(STOP, made.reasoning("END"), made.finish("stop"))
    assert out[0]["choices"][0]["delta"] == {"reasoning_content": "END"}
    assert not parser.state.error


@given(
    st.text("ab\n", max_size=30),
    st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=3),
    st.integers(1, 5),
)
def test_cutting_does_not_move_the_stop(text: str, stops: list[str], size: int) -> None:
    def cut(pieces: list[str]) -> str:
        cutter = StopCutter(tuple(stops))
        out = ""
        for piece in pieces:
            out += cutter.feed(piece)
            if cutter.stopped:
                return out
        return out + cutter.close()

    ends = [text.find(stop) + len(stop) for stop in stops if stop in text]
    first = min(ends, default=0)
    starts = [first - len(s) for s in stops if first and text[:first].endswith(s)]
    wanted = text[: min(starts)] if first else text
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert cut([text]) == cut(pieces) == wanted


# Fences


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ('```json\n{"a": 1}\n```', '{"a": 1}'),
        ('  ```\n{"a": 1}\n```\n\n', '{"a": 1}'),
        ('```json\r\n{"a": "```"}\r\n```', '{"a": "```"}'),
        ('```json{"a": 1}```', '{"a": 1}'),
        ('{"a": 1}\n', '{"a": 1}\n'),
        ('{"a": "```"}', '{"a": "```"}'),
        ("``x``", "``x``"),
        ("``", "``"),
        ("", ""),
        ('```json\n{"a": 1', '{"a": 1'),
        ("```json\n{}\n``` done", "{}\n``` done"),
        ("```json\n```", ""),
        ("```json", ""),
    ],
)
@pytest.mark.parametrize("size", [100, 1, 2, 3])
def test_one_fence_is_stripped(text: str, stripped: str, size: int) -> None:
    stripper = FenceStripper()
    out = [stripper.feed(text[i : i + size]) for i in range(0, len(text), size)]
    assert "".join(out) + stripper.close() == stripped


FENCE = Reply("m", strip_fence=True)


def test_a_whole_answer_loses_its_fence() -> None:
    choice = answer(FENCE, "```json\n{}\n```", finish="stop")
    assert choice["message"]["content"] == "{}"


def test_a_streamed_answer_loses_its_fence() -> None:
    made = Chunks(FENCE)
    pieces = [made.content(text) for text in ("```", "json\n{", "}\n", "```")]
    out, _ = streamed(FENCE, *pieces, made.finish("stop"))
    assert joined(out)["content"] == "{}"


@pytest.mark.parametrize("said", [5, True, [], {"text": "a"}])
def test_what_is_no_text_goes_as_it_came(said: object) -> None:
    assert answer(FENCE, said, finish="stop")["message"]["content"] == said
    made = Chunks(FENCE)
    chunk = {**made.content("x"), "choices": [{"index": 0, "delta": {"content": said}}]}
    out, _ = streamed(FENCE, made.content("a"), chunk, made.finish("stop"))
    assert [each for each in out if each["choices"][:1] == chunk["choices"]]


# Failing and ending


def test_an_error_of_the_parser_is_kept() -> None:
    script = Script([[Chunks(STOP).content("a ")]], error=truncated())
    parser = reply_rules.stream(script, STOP)
    assert joined(parser.feed(b"x"))["content"] == "a "
    assert parser.state.error is not None
    assert parser.close() == []


def test_the_usage_of_the_parser_is_known() -> None:
    _, parser = streamed(SINGLE, Chunks(SINGLE).content("a"))
    assert parser.state.usage == USAGE
    assert parser.state.done
