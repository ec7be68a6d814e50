"""What others than Claude have written is found in every turn, quickly or slowly."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.translators.anthropic.relay import history

CITATIONS = st.none() | st.lists(
    st.just("x")
    | st.fixed_dictionaries({"encrypted_index": st.sampled_from(["", "a"])})
)
SIGNATURES = st.sampled_from(["", "s", None, 0, []])
BLOCKS = (
    st.none()
    | st.just("thinking")
    | st.fixed_dictionaries(
        {"type": st.sampled_from(["text", "thinking", "tool_use", None, ["thinking"]])},
        optional={"signature": SIGNATURES, "citations": CITATIONS, "text": st.text()},
    )
)
TURNS = (
    st.none()
    | st.just("assistant")
    | st.fixed_dictionaries(
        {},
        optional={
            "role": st.sampled_from(["user", "assistant", "assistant", None, []]),
            "content": st.none() | st.text() | st.lists(BLOCKS) | st.just({}),
        },
    )
)


def turn(*blocks: Any, role: str = "assistant") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


@given(st.lists(TURNS))
@example([turn({"type": "thinking", "signature": "s"})])
@example([turn({"type": "thinking"})])
@example([turn({"type": "thinking"}, role="user")])
@example([turn({"type": "text"}), turn({"type": "text", "citations": []})])
@example([turn({"type": "text", "citations": [{"encrypted_index": ""}]})])
def test_turns_that_seem_plain_stay_as_they_are(messages):
    accepted = history.acceptable(messages)
    looked_at = history._accepted(messages)
    assert accepted == looked_at
    assert (accepted is messages) is (looked_at is messages)


def test_a_long_talk_with_signed_thinking_is_plain():
    talk = [
        turn({"type": "text", "text": "hi"}, role="user"),
        turn({"type": "thinking", "thinking": "a", "signature": "s"}),
        {"role": "user", "content": "more"},
    ]
    assert history._are_plain(talk)
    assert not history._are_plain([*talk, turn({"type": "thinking", "thinking": "a"})])
