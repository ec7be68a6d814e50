"""How much reasoning is asked for, in all dialects, and what is replayed."""

import pytest

from gateway.hub.requests.reasoning import Reasoning, reasoning_of
from gateway.hub.requests.replay import ReplayedBlock, in_order, replay_of

SIGNED = {"type": "thinking", "thinking": "hm", "signature": "s"}
ENCRYPTED = {"type": "redacted_thinking", "data": "x"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, Reasoning()),
        ({"reasoning_effort": "low"}, Reasoning("low")),
        ({"reasoning": {"effort": "high"}}, Reasoning("high", param="reasoning")),
        (
            {"reasoning": {"effort": "high"}, "reasoning_effort": "low"},
            Reasoning("high", param="reasoning"),
        ),
        (
            {"reasoning": {"max_tokens": 2000}},
            Reasoning(budget=2000, param="reasoning"),
        ),
        ({"reasoning": {"enabled": True}}, Reasoning("medium", param="reasoning")),
        (
            {"reasoning": {"enabled": True}, "reasoning_effort": "low"},
            Reasoning("low", param="reasoning"),
        ),
        (
            {"reasoning": {"enabled": False, "max_tokens": 5}},
            Reasoning("none", param="reasoning"),
        ),
        (
            {"reasoning": {"exclude": True}, "reasoning_effort": "low"},
            Reasoning("low", exclude=True),
        ),
        (
            {"thinking": {"type": "adaptive"}, "reasoning_effort": "low"},
            Reasoning("low", raw={"type": "adaptive"}, param="thinking"),
        ),
    ],
)
def test_the_most_detailed_request_wins(body, expected):
    assert reasoning_of(body) == expected


@pytest.mark.parametrize(
    "message",
    [
        {"thinking_blocks": [{**SIGNED, "index": 2}, ENCRYPTED]},
        {
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "s", "index": 2},
                {"type": "reasoning.encrypted", "data": "x"},
            ]
        },
    ],
)
def test_both_dialects_of_replay_give_the_same_blocks(message):
    replay = replay_of(message)
    assert replay.is_complete
    assert replay.blocks == [ReplayedBlock(SIGNED, 2), ReplayedBlock(ENCRYPTED, None)]


def test_the_place_of_a_streamed_block_is_the_upstreams():
    message = {"thinking_blocks": [{**SIGNED, "index": 0, "block_index": 3}]}
    assert replay_of(message).blocks == [ReplayedBlock(SIGNED, 3)]


@pytest.mark.parametrize(
    "message",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"thinking_blocks": [SIGNED, {"type": "thinking", "thinking": "unsigned"}]},
        {"thinking_blocks": [{**SIGNED, "signature": ""}]},
        {"thinking_blocks": [{"type": "redacted_thinking", "data": ""}]},
        {"thinking_blocks": ["hm"]},
        {"thinking_blocks": "hm"},
    ],
)
def test_thinking_that_cannot_be_rebuilt_is_left_out_whole(message):
    assert replay_of(message) == ([], False)


def test_a_message_without_thinking_replays_nothing():
    assert replay_of({"content": "x", "thinking_blocks": []}) == ([], True)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], ["text", "tool"]),
        ([0], ["t0", "text", "tool"]),
        ([None], ["t0", "text", "tool"]),
        ([1], ["text", "t0", "tool"]),
        ([0, 2], ["t0", "text", "t1", "tool"]),
        ([2, 0], ["t1", "text", "t0", "tool"]),
        ([0, 9], ["t0", "text", "tool", "t1"]),
        ([0, 0], ["t0", "t1", "text", "tool"]),
        ([-5], ["text", "tool", "t0"]),
    ],
)
def test_thinking_takes_its_places_among_the_other_blocks(places, expected):
    blocks = [
        ReplayedBlock({"name": f"t{number}"}, place)
        for number, place in enumerate(places)
    ]
    ordered = in_order(blocks, [{"name": "text"}, {"name": "tool"}])
    assert [block["name"] for block in ordered] == expected
