"""The shorter way of plain frames gives what the long way gives."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.doors.chat import render_error
from gateway.hub.answers.plain.frames import PlainFrames
from gateway.hub.answers.plain.rows import Run
from gateway.hub.answers.plain.stream import PlainStream
from gateway.hub.answers.relay import Relayed, relayed
from gateway.hub.protocol import JSON, Reply
from gateway.translators import openai
from gateway.translators.openai import plain_text
from gateway.wire import sse
from gateway.wire.sse import SSEDecoder

HEAD = '{"id":"c","object":"chat.completion.chunk","created":5,"model":"x","choices":'
ROLE = HEAD + '[{"index":0,"delta":{"role":"assistant","content":""}}]}'
END = HEAD + '[{"index":0,"delta":{},"finish_reason":"stop"}]}'
USAGE = HEAD + '[],"usage":{"total_tokens":3}}'


def plain(literal: str, padding: str | None = None, index: int = 0) -> str:
    choice = (
        f'[{{"index":{index},"delta":{{"content":{literal}}},"finish_reason":null}}]'
    )
    tail = "" if padding is None else f',"obfuscation":{padding}'
    return HEAD + choice + ',"usage":null' + tail + "}"


TEXTS = st.text(max_size=6)
LITERALS = st.one_of(
    TEXTS.map(json.dumps),
    TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False)),
    st.sampled_from(
        [
            '"\\ud83d\\ude00"',
            '"\\ud83d"',
            '"\\/"',
            '"\\x"',
            '"\t"',
            '"a" "b"',
            '"a","b":"c"',
            '"a',
            "null",
            "5",
            "",
            '"%s%b%%"',
            '"0content0"',
        ]
    ),
)
PLAIN = st.builds(plain, LITERALS, st.none() | LITERALS, st.sampled_from([0, 0, 0, 1]))
OTHERS = st.sampled_from(
    [
        ROLE,
        END,
        USAGE,
        plain('"x"') + " ",
        plain('"x"').replace('"model"', '"m\\u006fdel"'),
        plain('"x"').replace('"content"', '"c\\u006fntent"'),
        plain('"x"').replace('"usage":null', '"usage":{"total_tokens":9}'),
        plain('"x"').replace('"usage":null', '"o":{"content":"y"}'),
        plain('"x"').replace('"usage":null', '"error":"no"'),
        "[DONE]",
        "nonsense",
        "",
    ]
)
NAMES = st.sampled_from(["", "", "", "event: error\n", ": comment\n"])
STREAMS = st.lists(st.tuples(NAMES, PLAIN | PLAIN | OTHERS), max_size=12)


def frames(data: bytes) -> list[JSON]:
    return [json.loads(event.data) for event in SSEDecoder().feed(data)]


def outcome(parser: Any, out: bytes) -> Any:
    error = parser.state.error and render_error(parser.state.error)
    return out, error, parser.state.done, parser.state.usage


def reads(raw: bytes, size: int) -> list[bytes]:
    return [raw[start : start + size] for start in range(0, len(raw), size)]


# An error among frames that look plain, in one read with one that is no JSON.
@example(
    events=[
        ("", plain('"x"').replace('"usage":null', '"error":"no","usage":null')),
        ("", plain('"a')),
    ],
    size=2000,
)
@example(
    events=[
        ("", plain('""', '""')),
        ("", plain('"x"').replace('"usage":null', '"error":"no"')),
        ("", plain('""', "")),
    ],
    size=399,
)
@pytest.mark.parametrize("include_usage", [False, True])
@settings(max_examples=150)
@example(
    events=[("", plain('""', '""', 0)), ("", plain('"0"', '""', 0)), ("", "[DONE]")],
    size=20,
)
@given(events=STREAMS, size=st.integers(20, 2000))
def test_relaying_says_what_feeding_says(
    include_usage: bool, events: list[tuple[str, str]], size: int
) -> None:
    reply = Reply("alias", include_usage=include_usage)
    text = "".join(f"{name}data: {event}\n\n" for name, event in [("", ROLE), *events])
    raw = text.encode("utf-8", "surrogatepass")
    fed = openai.stream_parser(reply)
    long = [chunk for data in reads(raw, size) for chunk in fed.feed(data)]
    parser = openai.stream_parser(reply)
    relaying = PlainStream(parser, None)
    short = b"".join(relaying.feed(data).data for data in reads(raw, size))
    short += relaying.close().data
    assert outcome(parser, short) == outcome(fed, sse.encode(long + fed.close()))


def run_of(known: PlainFrames, *payloads: bytes) -> Run | None:
    return known.run(b"".join(b"data: %b\n\n" % each for each in payloads), 0)


def translated(known: PlainFrames, *payloads: bytes) -> Relayed[bytes] | None:
    """What a run of all payloads becomes."""
    run = run_of(known, *payloads)
    return known.told(run, None) if run else None


def test_plain_frames_do_go_the_shorter_way() -> None:
    payload = plain('"one"', '"xy"').encode()
    chunk = openai.stream_parser(Reply("alias")).feed(b"data: " + payload + b"\n\n")[0]
    del chunk["choices"][0]["delta"]["role"]
    known = PlainFrames.like(payload, chunk, plain_text)
    assert known is not None
    first, second = plain('"t\\u00e9o\\n"', '"abc"'), plain('""', '"d"')
    found = translated(known, first.encode(), second.encode())
    assert found is not None
    frame, other = frames(found.data)
    assert other["obfuscation"] == "d"
    assert frame["model"] == "alias"
    assert frame["obfuscation"] == "abc"
    assert "usage" not in frame
    assert frame["choices"][0]["delta"] == {"content": "téo\n"}


def test_a_space_behind_the_colon_is_as_plain() -> None:
    payload = plain('"one"', '"xy"').replace('":', '": ').encode()
    chunk = openai.stream_parser(Reply("alias")).feed(b"data: " + payload + b"\n\n")[0]
    del chunk["choices"][0]["delta"]["role"]
    known = PlainFrames.like(payload, chunk, plain_text)
    assert known is not None
    assert translated(known, payload.replace(b"one", b"two")) is not None


@pytest.mark.parametrize(
    "payload",
    [
        plain('"one"', '"xy"').replace('"c"', '"d"', 1),
        plain('"\\ud83d"', '"xy"'),
        plain('"a","b":"c"', '"xy"'),
        plain('"one"', '"xy"') + "}",
        plain('"one"'),
    ],
)
def test_other_frames_go_the_long_way(payload: str) -> None:
    given = plain('"one"', '"xy"')
    known = PlainFrames.like(given.encode(), json.loads(given), plain_text)
    assert known is not None
    assert translated(known, payload.encode()) is None


def test_invalid_text_goes_the_long_way() -> None:
    known = PlainFrames.like(
        plain('"one"').encode(), json.loads(plain('"one"')), plain_text
    )
    assert known is not None
    run = run_of(known, plain('"?"').encode().replace(b"?", b"\xff"))
    assert run
    assert run.rows is run.bare is None


def test_characters_and_the_finish_reason_are_told() -> None:
    relaying = PlainStream(openai.stream_parser(Reply("alias")), None)
    events = [ROLE, plain('"one"'), plain('"three"'), END, "[DONE]"]
    told = relaying.feed("".join(f"data: {event}\n\n" for event in events).encode())
    assert (told.characters, told.finish_reason, told.says) == (8, "stop", True)


def test_the_role_alone_says_nothing() -> None:
    relaying = PlainStream(openai.stream_parser(Reply("alias")), None)
    told = relaying.feed(f"data: {ROLE}\n\n".encode())
    assert told.data
    assert not told.says


def test_chunks_are_given_on_as_they_are_rendered() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "ab"}}]}
    told = relayed([chunk], sse.encode)
    assert told.data == sse.encode([chunk])
    assert told.characters == 2
