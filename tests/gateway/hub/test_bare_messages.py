"""Messages that hold a text and nothing else are written as those with more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.hub.protocol import JSON, Route
from gateway.translators import TRANSLATORS

HOSTS = [
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-opus-4-8"),
    ("bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ("bedrock", "amazon.nova-pro-v1:0"),
]
SAID = st.tuples(
    st.sampled_from(["user", "assistant", "system", "developer"]),
    st.sampled_from(["Hi", "Yes. ", " ", "", "\n"]),
)


@pytest.mark.parametrize(("kind", "model"), HOSTS)
@given(st.lists(SAID))
def test_a_text_alone_is_written_as_one_with_a_name_beside_it(kind, model, said):
    asked: list[JSON] = [{"role": "user", "content": "Hello"}]
    asked += [{"role": role, "content": text} for role, text in said]
    named = [{**message, "name": "who"} for message in asked]
    route = Route("alias", model, region="us-east-1")
    bare, full = (
        TRANSLATORS[kind].render_request({"messages": messages}, route)
        for messages in (asked, named)
    )
    assert bare.body == full.body
    assert (bare.dropped, bare.downgraded) == (full.dropped, full.downgraded)
