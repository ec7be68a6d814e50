"""A streamed answer is put together again as it would have come whole."""

from gateway.hub.answers.assembly import assembled
from gateway.hub.protocol import JSON


def chunk(**choice: object) -> JSON:
    return {"id": "c", "choices": [{"index": 0, "finish_reason": None, **choice}]}


def test_null_for_no_calls_is_no_list_of_calls() -> None:
    whole = assembled([chunk(delta={"content": "hi", "tool_calls": None})])
    assert whole["choices"][0]["message"] == {"content": "hi", "tool_calls": None}


def test_a_message_that_a_server_repeats_in_each_chunk_is_not_said_again() -> None:
    """Perplexity tells the message so far beside the delta."""
    chunks = [
        chunk(delta={"content": "one "}, message={"content": "one "}),
        chunk(delta={"content": "two"}, message={"content": "one two"}),
    ]
    assert assembled(chunks)["choices"][0]["message"] == {"content": "one two"}
