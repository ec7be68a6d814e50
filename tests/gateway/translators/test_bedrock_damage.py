"""Requests, answers and streams that are not what they should be: never a surprise."""

import copy
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.protocol import JSON, Reply, Route
from gateway.translators import bedrock
from gateway.translators.bedrock.families.tags import TagSplitter, split
from tests.at_once import at_once
from tests.gateway.frames import stream_bytes

CASES = Path(__file__).parents[1] / "cases/bedrock"

JUNK: list[Any] = [None, 0, -1, 1.5, "", "x", [], {}, [None], [{}], {"a": 1}, True]
JUNK += [[[1]], {"type": "text"}, {"url": 5}, "data:image/png;base64,xx"]


def having(name: str) -> list[Any]:
    return [
        pytest.param(case, id=case.name)
        for case in sorted(CASES.iterdir())
        if (case / name).exists()
    ]


def read(case: Path, name: str) -> Any:
    return json.loads((case / name).read_text())


def route_of(case: Path) -> tuple[Route, Reply]:
    given = read(case, "route.json")
    reply = given.pop("reply", {})
    given.pop("avoid", None)
    if "stop" in reply:
        reply["stop"] = tuple(reply["stop"])
    return Route(**{"model": "alias", **given}), Reply("alias", **reply)


def damaged(value: Any, chance: random.Random) -> Any:
    """Return a copy with up to three of its values removed or replaced by junk."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 2, 3))):
        holders = [each for each in _holders(value) if each]
        if not holders:
            break
        holder = chance.choice(holders)
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = chance.choice(keys)
        if chance.random() < 0.2:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(chance.choice(JUNK))
    return value


def _holders(value: Any) -> list[Any]:
    if not isinstance(value, dict | list):
        return []
    children = value.values() if isinstance(value, dict) else value
    return [value, *(holder for child in children for holder in _holders(child))]


@at_once("case", having("request.json"))
def test_a_damaged_request_is_rendered_or_refused(case: Path) -> None:
    request, (route, _) = read(case, "request.json"), route_of(case)
    chance = random.Random(case.name)
    for _ in range(40):
        body = damaged(request, chance)
        bedrock.remote_urls(body, route)
        try:
            bedrock.render_request(body, route)
        except GatewayError as refused:
            status = refused.status
            assert status == 400


@pytest.mark.parametrize("case", having("upstream_response.json"))
def test_a_damaged_answer_is_parsed_or_refused(case: Path) -> None:
    response, (route, reply) = read(case, "upstream_response.json"), route_of(case)
    if not reply.wire:
        reply = bedrock.render_request(read(case, "request.json"), route).reply
    chance = random.Random(case.name)
    for _ in range(60):
        try:
            answer = bedrock.parse_response(damaged(response, chance), {}, reply)
        except GatewayError:
            continue
        assert answer["choices"][0]["message"]["role"]


@pytest.mark.parametrize("case", having("upstream_events.json"))
def test_a_damaged_stream_ends_with_one_reason_or_an_error(case: Path) -> None:
    events, (route, reply) = read(case, "upstream_events.json"), route_of(case)
    if (case / "request.json").exists():
        reply = bedrock.render_request(read(case, "request.json"), route).reply
    chance = random.Random(case.name)
    for _ in range(60):
        broken = [_damaged_event(event, chance) for event in events]
        parser = bedrock.stream_parser(reply)
        chunks = parser.feed(stream_bytes(broken)) + parser.close()
        reasons = [
            choice["finish_reason"]
            for chunk in chunks
            for choice in chunk["choices"]
            if choice["finish_reason"] is not None
        ]
        assert len(reasons) == (1 if parser.state.error is None else 0)


def _damaged_event(event: JSON, chance: random.Random) -> JSON:
    ((name, payload),) = event.items()
    if name in ("exception", "error") or chance.random() < 0.5:
        return event
    return {name: damaged(payload, chance)}


@given(
    text=st.lists(
        st.sampled_from(
            ["<think>", "</think>", "<reasoning>", "</reasoning>", "<", "a"]
        ),
        max_size=8,
    ).map("".join),
    cuts=st.lists(st.integers(min_value=0, max_value=60), max_size=6),
    starts_open=st.booleans(),
)
def test_tags_are_found_however_the_text_is_cut(
    text: str, cuts: list[int], starts_open: bool
) -> None:
    splitter = TagSplitter(starts_open=starts_open)
    reasoning = content = ""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for start, end in pairwise(edges):
        thought, said = splitter.feed(text[start:end])
        reasoning, content = reasoning + thought, content + said
    thought, said = splitter.end()
    whole = (reasoning + thought, content + said)
    assert whole == split(text, starts_open=starts_open)
    if not text.startswith("<") and not starts_open:
        assert whole == ("", text)


def test_only_a_tag_at_the_beginning_counts() -> None:
    assert split("\n<reasoning>r</reasoning>hi") == ("r", "hi")
    assert split("hi <think>no</think>") == ("", "hi <think>no</think>")
    assert split("<thinking>") == ("", "<thinking>")
    assert split("<think>cut off") == ("cut off", "")
    assert split("hm</think>yes", starts_open=True) == ("hm", "yes")


@pytest.mark.parametrize("size", [1 << 16, 1 << 20, 1 << 30])
def test_a_delta_of_nine_mebibytes_is_read(size: int) -> None:
    text = "A" * (9 << 20)
    ends = {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
    raw = stream_bytes([{"chunk": ends}])
    parser = bedrock.stream_parser(Reply("m", wire="oai", largest=16 << 20))
    chunks = [
        chunk
        for start in range(0, len(raw), size)
        for chunk in parser.feed(raw[start : start + size])
    ]
    chunks += parser.close()
    assert parser.state.error is None
    told = [chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks]
    assert "".join(told) == text


def test_a_frame_beyond_the_limit_of_an_answer_is_refused() -> None:
    raw = stream_bytes([{"chunk": {"choices": [{"delta": {"content": "A" * 2000}}]}}])
    parser = bedrock.stream_parser(Reply("m", wire="oai", largest=1000))
    parser.feed(raw)
    assert parser.state.error is not None
    assert parser.state.error.code == "upstream_invalid_response"
