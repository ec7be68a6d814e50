"""No request of a client, whatever is in it, is answered with 500."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# The doors, kept answers, lists, what they call besides, and anything else.
KNOWN = (
    "/v1/chat/completions",
    "/chat/completions",
    "/v1/responses",
    "/v1/responses/resp_x",
    "/v1/responses/resp_x/cancel",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/embeddings",
    "/v1/models",
    "/v1/models/x",
    "/v1/p/openai/chat/completions",
    "/v1/p/x/responses",
    "/sandbox/v1/chat/completions",
    "/sandbox/v1/embeddings",
    "/tools/echo-tool/echo",
    "/openai/v1/nowhere",
)
DOORS = [f"/v1/{end}" for end in ("chat/completions", "responses", "embeddings")]
DOORS += ["/v1/messages", "/v1/messages/count_tokens"]
PATHS = st.sampled_from(KNOWN) | (
    st.text(st.characters(codec="utf-8"), max_size=30).map(lambda tail: f"/v1/{tail}")
)
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
PARTS = ("role", "content", "type", "text", "image_url", "url", "source", "input", "id")
PARTS += ("name", "call_id", "output", "tool_use_id", "function", "arguments", "schema")
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(PARTS),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
# Messages of a known role get further than any others.
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool"])},
    optional=dict.fromkeys(("content", "tool_calls", "type", "tool_call_id"), JSON),
)
TURNS = st.lists(MESSAGES | JSON, max_size=3) | JSON
FIELDS = ("stream", "tools", "stop", "n", "response_format", "max_tokens", "system")
FIELDS += ("tool_choice", "thinking", "instructions", "text", "reasoning", "store")
FIELDS += ("previous_response_id", "encoding_format", "dimensions", "metadata")
BODIES = st.fixed_dictionaries(
    {"model": st.just("gpt-4o-mini") | st.just("claude") | JSON},
    optional={"messages": TURNS, "input": TURNS, **dict.fromkeys(FIELDS, JSON)},
)


@pytest.mark.proves("1.7")
@pytest.mark.django_db(transaction=True)
def test_no_request_is_answered_with_500(provider, upstream, gateway, completion):
    provider()
    provider("anthropic", provider_type="anthropic", models=("claude",))
    upstream(json=completion)
    client = gateway()
    seen = set()

    @settings(suppress_health_check=list(HealthCheck), max_examples=150)
    @given(
        st.sampled_from(["post"] * 8 + ["get", "delete"]),
        PATHS,
        st.dictionaries(NAMES, VALUES, max_size=3),
        BODIES | st.binary(),
    )
    def ask(method: str, path: str, headers: dict[str, Any], body: Any) -> None:
        text = body if isinstance(body, bytes) else repr_json(body)
        given_headers = {"content-type": "application/json", **headers}
        response = client.ask(method, quoted(path), content=text, headers=given_headers)
        assert response.status_code != 500, response.text
        seen.add(response.status_code)

    ask()
    assert {400, 404} <= seen


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", DOORS)
def test_no_body_of_a_door_is_answered_with_500(
    provider, upstream, gateway, completion, path
):
    provider()
    provider("anthropic", provider_type="anthropic", models=("claude",))
    upstream(json=completion)
    client = gateway()

    @settings(suppress_health_check=list(HealthCheck), max_examples=60)
    @given(BODIES)
    def ask(body: Any) -> None:
        headers = {"content-type": "application/json"}
        response = client.post(path, content=repr_json(body), headers=headers)
        assert response.status_code != 500, response.text

    ask()


def repr_json(body: Any) -> bytes:
    """Return JSON as a client may write it, NaN and lone surrogates included."""
    return json.dumps(body).encode()


def quoted(path: str) -> str:
    """Return a path as it stands in a request line."""
    return quote(path)
