"""What settled providers are told by is what all others are told by."""

import math

from hypothesis import given
from hypothesis import strategies as st

from providers.status.observer import Observer

KINDS = ("ok", "ok", "ok", "unreachable", "failed", "auth_rejected", "unusable")
SEEN = st.tuples(
    st.sampled_from((*KINDS, "ignored")),
    st.sampled_from(("m", "n")),
    st.sampled_from((0.0, 1.0, 30.0, 60.0, 61.0)),
)


@given(st.lists(SEEN, max_size=60))
def test_a_settled_provider_is_concluded_on_as_others_are(seen):
    now = 0.0
    short, long = Observer(lambda: now), Observer(lambda: now)
    for kind, model, seconds in seen:
        now += seconds
        for each in long._seen.values():
            each.settled_until = -math.inf
        told = short.observe(1, kind, model)
        assert told == long.observe(1, kind, model)
