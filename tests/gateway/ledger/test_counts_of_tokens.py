"""What of an answer's usage goes into the ledger: each count by itself."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.usage import usage_fields

MOST = 2**31 - 1
COUNTS = st.integers(-1, 3) | st.sampled_from([MOST, MOST + 1])
TOLD = COUNTS | st.sampled_from([None, True, "3", 1.5, [], {}])
DETAILS = {
    ("prompt_tokens_details", "cached_tokens"): "cached_tokens",
    ("prompt_tokens_details", "cache_write_tokens"): "cache_write_tokens",
    ("completion_tokens_details", "reasoning_tokens"): "reasoning_tokens",
    ("cache_creation", "ephemeral_1h_input_tokens"): "cache_write_1h_tokens",
}


def some(told: st.SearchStrategy[Any], *names: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(names, told))


def details(outer: str) -> st.SearchStrategy[Any]:
    return TOLD | some(TOLD, *(inner for name, inner in DETAILS if name == outer))


USAGE = st.fixed_dictionaries(
    {},
    optional={
        "prompt_tokens": TOLD,
        "completion_tokens": TOLD,
        "total_tokens": TOLD,
        **{outer: details(outer) for outer, _ in DETAILS},
    },
)


def is_count(told: Any) -> bool:
    return type(told) is int and 0 <= told <= MOST


@given(USAGE | TOLD)
def test_each_count_is_taken_that_is_one(usage):
    told = usage if isinstance(usage, dict) else {}
    expected = {
        "input_tokens": told.get("prompt_tokens"),
        "output_tokens": told.get("completion_tokens"),
    }
    for (outer, inner), column in DETAILS.items():
        within = told.get(outer)
        expected[column] = within.get(inner) if isinstance(within, dict) else None
    expected = {name: count for name, count in expected.items() if is_count(count)}
    assert usage_fields(usage) == expected
