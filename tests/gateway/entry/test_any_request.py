"""No request of a client, whatever is in it, is answered with 500."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PATHS = st.sampled_from(
    ["/v1/chat/completions", "/chat/completions", "/v1/models", "/v1/models/x"]
) | st.text(st.characters(codec="utf-8"), max_size=30).map(lambda tail: f"/v1/{tail}")
NAMES = st.sampled_from(
    [
        "authorization",
        "x-api-key",
        "via",
        "x-request-id",
        "idempotency-key",
        "x-end-user-id",
        "x-run-id",
        "content-type",
        "content-length",
        "content-encoding",
        "transfer-encoding",
        "x-forwarded-for",
        "host",
        "cookie",
    ]
)
# What gunicorn lets through: no control characters.
VALUES = st.sampled_from(["", "9" * 5000, "chunked", "gzip, chunked", "Bearer "]) | (
    st.binary(max_size=20).map(lambda raw: bytes(b for b in raw if b > 31 and b != 127))
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "image_url", "url"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("gpt-4o-mini") | JSON, "messages": st.lists(JSON) | JSON},
    optional=dict.fromkeys(("stream", "tools", "stop", "n", "response_format"), JSON),
)


@pytest.mark.django_db(transaction=True)
def test_no_request_is_answered_with_500(provider, upstream, gateway, completion):
    provider()
    upstream(json=completion)
    client = gateway()
    seen = set()

    @settings(suppress_health_check=list(HealthCheck), max_examples=150)
    @given(PATHS, st.dictionaries(NAMES, VALUES, max_size=4), BODIES | st.binary())
    def ask(path: str, headers: dict[str, Any], body: Any) -> None:
        text = body if isinstance(body, bytes) else repr_json(body)
        given_headers = {"content-type": "application/json", **headers}
        response = client.post(quoted(path), content=text, headers=given_headers)
        assert response.status_code != 500, response.text
        seen.add(response.status_code)

    ask()
    assert {400, 404} <= seen


def repr_json(body: Any) -> bytes:
    """Return JSON as a client may write it, NaN and lone surrogates included."""
    return json.dumps(body).encode()


def quoted(path: str) -> str:
    """Return a path as it stands in a request line."""
    return quote(path)
