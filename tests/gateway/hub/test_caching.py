"""Marks for the prompt cache: read in all dialects, four at most."""

import pytest

from gateway.hub.requests.caching import cache_mark, limit_marks, tool_cache_mark

SHORT = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        ({}, None),
        ({"cache_control": None}, None),
        ({"cache_control": SHORT}, SHORT),
        ({"cache_control": LONG}, LONG),
        ({"cache_control": {"type": "ephemeral", "ttl": "5m"}}, {**SHORT, "ttl": "5m"}),
        ({"cache_control": {"type": "ephemeral", "ttl": "9y"}}, SHORT),
        ({"prompt_cache_breakpoint": {"mode": "explicit"}}, SHORT),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}, LONG),
        ({"prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}, LONG),
    ],
)
def test_a_mark_is_read_in_either_dialect(holder, expected):
    assert cache_mark(holder) == expected


def test_a_tools_mark_may_stand_inside_its_function():
    assert tool_cache_mark({"function": {"cache_control": LONG}}) == LONG
    assert tool_cache_mark({"cache_control": SHORT, "function": {}}) == SHORT


def marked(count, mark=SHORT):
    return [{"n": number, "cache_control": mark} for number in range(count)]


def kept(blocks):
    return [block["n"] for block in blocks if "cache_control" in block]


@pytest.mark.parametrize(
    ("tools", "system", "messages", "left"),
    [
        (0, 0, 4, ([], [], [0, 1, 2, 3])),
        (1, 1, 3, ([0], [0], [1, 2])),
        (2, 2, 2, ([0, 1], [0, 1], [])),
        (5, 1, 1, ([2, 3, 4], [0], [])),
    ],
)
def test_marks_of_tools_and_system_outlive_old_messages(tools, system, messages, left):
    lists = marked(tools), marked(system), marked(messages)
    limit_marks(*lists)
    assert tuple(kept(blocks) for blocks in lists) == left


def test_automatic_caching_takes_one_place():
    messages = marked(4)
    limit_marks([], [], messages, {"cache_control": SHORT})
    assert kept(messages) == [1, 2, 3]


def test_a_longer_life_after_a_shorter_one_is_shortened():
    system, messages = marked(1), marked(1, LONG)
    limit_marks([], system, messages)
    assert messages[0]["cache_control"] == SHORT


def test_a_longer_life_before_a_shorter_one_stays():
    system, messages = marked(1, LONG), marked(1)
    limit_marks([], system, messages)
    assert system[0]["cache_control"] == LONG
