"""A search of Claude's own that pauses goes on unseen, but for those who know of it."""

import httpx
import pytest

from tests.doors import CHAT, MESSAGES, RESPONSES
from tests.gateway.calls.test_pauses import (
    MODEL,
    OPTIONS,
    RAIN,
    answering,
    turns_of,
)

SEARCH = {
    CHAT.name: {"web_search_options": {}},
    RESPONSES.name: {"tools": [{"type": "web_search"}]},
}


@pytest.fixture
def claude(provider):
    return provider(
        "claude", provider_type="anthropic", models=(MODEL,), options=OPTIONS
    )


@pytest.mark.parametrize("door", [CHAT, RESPONSES], ids=lambda door: door.name)
def test_a_search_that_pauses_is_one_answer(claude, upstream, gateway, door, ledger):
    seen = upstream(answering(*RAIN))
    told = door.ask(gateway(), model=MODEL, **SEARCH[door.name])
    assert door.text_in(told.json()) == "Let me see. It rains."
    assert [len(turn) for turn in turns_of(seen)] == [1, 2, 2]
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"]) == ("ok", 12)


@pytest.mark.parametrize("door", [CHAT, RESPONSES], ids=lambda door: door.name)
def test_a_search_that_pauses_is_one_stream(claude, upstream, gateway, door, ledger):
    seen = upstream(answering(*RAIN))
    told = door.ask(gateway(), model=MODEL, stream=True, **SEARCH[door.name])
    assert door.said_in(told.content) == ("Let me see. It rains.", (), "")
    assert [len(turn) for turn in turns_of(seen)] == [1, 2, 2]
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"]) == ("ok", 12)


@pytest.mark.parametrize("door", [CHAT, RESPONSES], ids=lambda door: door.name)
def test_a_later_refusal_ends_the_stream_with_an_error(
    claude, upstream, gateway, door, ledger
):
    seen = upstream(answering(RAIN[0], httpx.Response(529, json={})))
    told = door.ask(gateway(), model=MODEL, stream=True, **SEARCH[door.name])
    said = door.said_in(told.content)
    assert (said.text, bool(said.failure), len(seen)) == ("Let me see. ", True, 2)
    (row,) = ledger()
    assert (row["outcome"], row["output_tokens"]) == ("upstream_error", 4)


def test_who_speaks_claudes_own_format_goes_on_by_itself(claude, upstream, gateway):
    seen = upstream(answering(*RAIN))
    tools = [{"type": "web_search_20250305", "name": "web_search"}]
    told = MESSAGES.ask(gateway(), model=MODEL, tools=tools)
    assert (told.json()["stop_reason"], len(seen)) == ("pause_turn", 1)
