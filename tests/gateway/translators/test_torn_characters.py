"""A character cut over two events, or none at all, does not cost the answer."""

import base64
import json
from collections.abc import Callable

import pytest

from gateway.hub.protocol import JSON, Reply
from gateway.translators import TRANSLATORS
from tests.at_once import at_once
from tests.gateway.frames import frame_bytes

WHOLE = "\U0001f600"
CASES = [
    pytest.param([r"a \ud83d", r"\ude00 b"], f"a {WHOLE} b", id="a pair"),
    pytest.param([r"\ud83d", r"\ude00\ud83d", r"\ude00"], WHOLE * 2, id="two pairs"),
    pytest.param([r"a \ud99c", "b"], "a \ufffdb", id="a first half alone"),
    pytest.param(["a", r"\ude00 b"], "a\ufffd b", id="a second half alone"),
    pytest.param([r"a \ud99c b"], "a \ufffd b", id="a half amid text"),
    pytest.param([r"a \ud83d"], "a \ufffd", id="a half at the end"),
    pytest.param([r"\\ud83d", r"\\ude00"], r"\ud83d\ude00", id="no escape at all"),
    pytest.param([b"a \xf0\x9f", b"\x98\x80 b"], f"a {WHOLE} b", id="bytes"),
    pytest.param([b"a \xff b"], "a \ufffd b", id="bytes that are no text"),
    # https://github.com/elizaOS/eliza/issues/30904
    pytest.param([r"\uD83D", r"\uDE00"], WHOLE, id="a pair in capitals"),
    # https://github.com/elizaOS/eliza/pull/30919
    pytest.param([r"\ud83d and", "more"], "\ufffd andmore", id="a half before text"),
    pytest.param([r"\ude00"], "\ufffd", id="an isolated second half"),
    pytest.param([r"\ude00", r"\ud83d"], "\ufffd\ufffd", id="halves the wrong way"),
    pytest.param([r"\ud83d", r"\ud83d\ude00"], f"\ufffd{WHOLE}", id="two first halves"),
    # https://github.com/xberg-io/liter-llm/issues/152
    pytest.param(
        [b"\xe4\xb8", b"\xad\xe6\x96\x87"], "\u4e2d\u6587", id="CJK after two bytes"
    ),
    pytest.param([b"\xe4", b"\xb8\xad"], "\u4e2d", id="CJK after one byte"),
    pytest.param([b"caf\xc3", b"\xa9"], "caf\u00e9", id="an accent"),
    pytest.param([b"\xf0", b"\x9f\x98\x80"], WHOLE, id="an emoji after one byte"),
    pytest.param([b"\xf0\x9f\x98", b"\x80"], WHOLE, id="an emoji before its last"),
    # https://github.com/chrisrude/oobabot/issues/9: one byte a token
    pytest.param([b"\xf0", b"\x9f", b"\x98", b"\x80"], WHOLE, id="an emoji by bytes"),
    # https://github.com/elie222/rakazo/issues/416
    pytest.param(
        ["Hi \\ud83d", "\\udc4b!"], "Hi \U0001f44b!", id="a pair amid a greeting"
    ),
    pytest.param(
        [r"\ud83d\ude00\u200d\ud83d", r"\udc4b"],
        f"{WHOLE}\u200d\U0001f44b",
        id="joined emoji",
    ),
    pytest.param(
        [r"\ud83c\uddeb\ud83c", r"\uddf7"], "\U0001f1eb\U0001f1f7", id="a flag"
    ),
    pytest.param([b"\xf0\x9f", b"no"], "\ufffdno", id="bytes that never follow"),
    pytest.param([r"\ud83d", r"\n\ude00"], "\ufffd\n\ufffd", id="a line feed between"),
]


def sse(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def aws(name: str) -> Callable[[bytes], bytes]:
    headers = {":message-type": "event", ":event-type": name}
    return lambda payload: frame_bytes(payload, headers)


def invoked(payload: bytes) -> bytes:
    chunk = {"bytes": base64.b64encode(payload).decode()}
    return aws("chunk")(json.dumps(chunk).encode())


def around(event: JSON, text: bytes) -> bytes:
    return json.dumps(event).encode().replace(b"TEXT", text)


CLAUDE_DELTA = {
    "type": "content_block_delta",
    "index": 0,
    "delta": {"type": "text_delta", "text": "TEXT"},
}
CLAUDE_START = [
    b'{"type":"message_start","message":{}}',
    b'{"type":"content_block_start","index":0,"content_block":{"type":"text"}}',
]
CLAUDE_END = [
    b'{"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
    b'{"type":"message_stop"}',
]


def openai_stream(texts: list[bytes]) -> bytes:
    delta = {"choices": [{"index": 0, "delta": {"content": "TEXT"}}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    events = [around(delta, text) for text in texts]
    return b"".join(map(sse, [*events, json.dumps(end).encode(), b"[DONE]"]))


def claude_stream(frame: Callable[[bytes], bytes], texts: list[bytes]) -> bytes:
    events = [around(CLAUDE_DELTA, text) for text in texts]
    return b"".join(map(frame, [*CLAUDE_START, *events, *CLAUDE_END]))


def ollama_stream(texts: list[bytes]) -> bytes:
    events = [around({"message": {"content": "TEXT"}}, text) for text in texts]
    return b"\n".join([*events, b'{"done":true,"done_reason":"stop"}', b""])


def converse_stream(texts: list[bytes]) -> bytes:
    delta = {"contentBlockIndex": 0, "delta": {"text": "TEXT"}}
    events = [aws("contentBlockDelta")(around(delta, text)) for text in texts]
    end = aws("messageStop")(b'{"stopReason":"end_turn"}')
    return b"".join([*events, end])


STREAMS = {
    "openai": ("openai", "", openai_stream),
    "anthropic": ("anthropic", "", lambda texts: claude_stream(sse, texts)),
    "ollama": ("ollama", "", ollama_stream),
    "invoke": ("bedrock", "claude", lambda texts: claude_stream(invoked, texts)),
    "converse": ("bedrock", "converse", converse_stream),
}


@at_once("size", [1, 7, 10_000])
@at_once("upstream", [*STREAMS])
@at_once(("texts", "said"), CASES)
def test_a_stream_says_what_can_be_read(
    upstream: str, texts: list[str | bytes], said: str, size: int
) -> None:
    name, wire, stream = STREAMS[upstream]
    raw = stream([text.encode() if isinstance(text, str) else text for text in texts])
    parser = TRANSLATORS[name].stream_parser(Reply("m", wire=wire))
    chunks: list[JSON] = []
    for start in range(0, len(raw), size):
        chunks += parser.feed(raw[start : start + size])
    chunks += parser.close()
    assert parser.state.error is None
    assert parser.state.done
    text = [choice["delta"].get("content") for c in chunks for choice in c["choices"]]
    assert "".join(piece or "" for piece in text) == said


@pytest.mark.parametrize("upstream", [*STREAMS])
def test_a_stream_that_is_cut_off_within_an_event_is_an_error(upstream: str) -> None:
    name, wire, stream = STREAMS[upstream]
    raw = stream([rb"a \ud83d"])
    raw = raw[: len(raw) // 2]
    parser = TRANSLATORS[name].stream_parser(Reply("m", wire=wire))
    parser.feed(raw)
    parser.close()
    assert parser.state.error is not None
