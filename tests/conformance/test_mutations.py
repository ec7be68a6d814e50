"""Ten thousand damaged streams for each parser: cut, doubled, reordered, overwritten.

Whatever arrives, a parser ends in one of two ways, soon: with an answer whose end the
upstream really told, or with an error that has a status.
"""

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from gateway.errors import GatewayError
from gateway.hub.protocol import Reply, StreamParser
from gateway.translators import TRANSLATORS
from tests.recordings import bedrock, claude, ollama, openai
from tests.recordings.told import is_stream
from tests.recordings.traffic import ABSENT, JSON, body_of

MUTATIONS = 10_000
LARGEST = 40_000
"""Bytes of the recordings that are damaged: many small ones say more than few."""

SEED = 20261122

Frames = list[bytes]


class Format(NamedTuple):
    """How streams of one kind are cut into frames, and what tells their end."""

    translator: str
    records: list[JSON]
    split: Callable[[bytes], Frames]
    glue: bytes
    tells_end: Callable[[bytes], bool]


def aws_frames(data: bytes) -> Frames:
    """Return the frames of an AWS event stream."""
    frames, start = [], 0
    while start < len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        frames.append(data[start : start + length])
        start += length
    return frames


FORMATS = {
    "openai": Format(
        "openai",
        [r for r in openai.chats() if openai.is_stream(r)],
        lambda data: data.split(b"\n\n"),
        b"\n\n",
        lambda data: b"finish" in data or b"[DONE]" in data,
    ),
    "anthropic": Format(
        "anthropic",
        [r for r in claude.messages() if is_stream(r)],
        lambda data: data.split(b"\n\n"),
        b"\n\n",
        lambda data: b"message_stop" in data and b"stop_reason" in data,
    ),
    "bedrock invoke": Format(
        "bedrock",
        [r for r in bedrock.chats() if r["operation"] == "invoke-stream"],
        aws_frames,
        b"",
        # Every frame has a checksum: what comes through is what was sent.
        lambda data: True,
    ),
    "bedrock converse": Format(
        "bedrock",
        [r for r in bedrock.chats() if r["operation"] == "converse-stream"],
        aws_frames,
        b"",
        lambda data: b"messageStop" in data,
    ),
    "ollama": Format(
        "ollama",
        [r for r in ollama.chats() if is_stream(r)],
        lambda data: data.split(b"\n"),
        b"\n",
        lambda data: b"done" in data,
    ),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FORMATS["openai"].records, reason=ABSENT),
]


def damaged(data: bytes, kind: Format, chance: random.Random) -> bytes:
    """Return a copy of a stream with one thing wrong, or a few bytes."""
    frames = kind.split(data)
    place, other = chance.randrange(len(frames)), chance.randrange(len(frames))
    match chance.choice(["cut", "doubled", "dropped", "swapped", "garbled", "foreign"]):
        case "cut":
            return data[: chance.randrange(len(data))]
        case "doubled":
            frames.insert(other, frames[place])
        case "dropped":
            del frames[place]
        case "swapped":
            frames[place], frames[other] = frames[other], frames[place]
        case "garbled":
            garbled = bytearray(data)
            for _ in range(chance.randrange(1, 4)):
                garbled[chance.randrange(len(garbled))] = chance.randrange(256)
            return bytes(garbled)
        case "foreign":
            at = chance.randrange(len(data))
            return data[:at] + chance.randbytes(chance.randrange(1, 40)) + data[at:]
    return kind.glue.join(frames)


def reply_to(record: JSON) -> Reply:
    """Return what the parser of a record's answer knows of the request."""
    wire = bedrock.family_of(record) if record["provider"] == "bedrock" else ""
    return Reply("alias", "chatcmpl-1", 7, stream=True, include_usage=True, wire=wire)


def run(parser: StreamParser, data: bytes, size: int) -> list[JSON]:
    """Feed a stream in pieces."""
    chunks: list[JSON] = []
    for start in range(0, len(data), size):
        chunks += parser.feed(data[start : start + size])
    return chunks + parser.close()


def finishes(chunks: list[JSON]) -> list[tuple[int, str]]:
    """Return the ends that were told, with the choice that ended."""
    return [
        (choice["index"], choice["finish_reason"])
        for chunk in chunks
        for choice in chunk["choices"]
        if choice.get("finish_reason") is not None
    ]


def cases(kind: Format) -> Iterator[tuple[JSON, bytes, random.Random]]:
    """Yield ten thousand damaged streams, the same in every run."""
    chance = random.Random(SEED)
    bodies = [(r, body_of(r)) for r in kind.records if r["response"]["status"] == 200]
    small = [each for each in bodies if len(each[1]) <= LARGEST]
    # As much is read of each: in a long one most damage hits more of the same.
    weights = [1 / len(data) for _, data in small]
    for record, data in chance.choices(small, weights, k=MUTATIONS):
        yield record, damaged(data, kind, chance), chance


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_stream_ends_in_a_defined_way(name: str) -> None:
    kind = FORMATS[name]
    translator = TRANSLATORS[kind.translator]
    ended: dict[str, set[str]] = {}
    for record, data, chance in cases(kind):
        if record["id"] not in ended:
            ended[record["id"]] = reasons_of(kind, record)
        parser = translator.stream_parser(reply_to(record))
        chunks = run(parser, data, chance.choice([19, 64, 509, 1 << 16]))
        told = finishes(chunks)
        if parser.state.error is not None:
            assert isinstance(parser.state.error, GatewayError)
            assert 400 <= parser.state.error.status <= 599
        assert parser.state.done is (parser.state.error is None)
        assert len({index for index, _ in told}) == len(told)
        assert not told or kind.tells_end(data)
        for _, reason in told:
            known = reason in ended[record["id"]] or reason == "stop"
            # Bytes that are no text have become U+FFFD, those beside each other one.
            text = re.sub("\ufffd+", "\ufffd", data.decode("utf-8", "replace"))
            assert known or reason in text, (record["id"], reason)
        json.dumps(chunks)


def reasons_of(kind: Format, record: JSON) -> set[str]:
    """Return how a recorded stream ends when nothing is wrong with it.

    One that called a tool may end so before its own reason to end is known.
    """
    parser = TRANSLATORS[kind.translator].stream_parser(reply_to(record))
    reasons = {reason for _, reason in finishes(run(parser, body_of(record), 4096))}
    return reasons | ({"tool_calls"} if "tool_call" in record["tags"] else set())
