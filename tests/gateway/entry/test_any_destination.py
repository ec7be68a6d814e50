"""Only a saved provider says where a call goes and as whom, whatever a client sends."""

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from providers.models import WorkspaceKey

ELSEWHERE = (
    "http://169.254.169.254/latest",
    "https://evil.example",
    "//evil.example/v1",
    "evil.example:8443",
    "../../admin",
    "?key=1",
    "#",
)
MODELS = st.sampled_from(
    [
        "gpt-4o-mini",
        "openai/gpt-4o-mini",
        "openai/../gpt-4o-mini",
        "../../gpt-4o-mini",
        "gpt-4o-mini/../../../x",
        "gpt-4o-mini?a=b",
        "gpt-4o-mini%2f..%2fx",
        "http://evil.example/gpt-4o-mini",
    ]
)
FIELDS = (
    "api_base",
    "base_url",
    "api_key",
    "endpoint",
    "url",
    "host",
    "proxy",
    "provider",
    "extra_headers",
    "extra_query",
    "extra_body",
    "custom_llm_provider",
)
HEADERS = (
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-original-url",
    "x-rewrite-url",
    "x-api-base",
    "x-upstream-host",
    "x-target-url",
    "forwarded",
    "openai-organization",
    "cookie",
    "proxy-authorization",
)
WORDS = st.sampled_from(ELSEWHERE)
VALUES = WORDS | st.fixed_dictionaries({}, optional={"base_url": WORDS, "host": WORDS})
PATHS = {
    "/v1/chat/completions": "/v1/chat/completions",
    "/v1/messages": "/v1/chat/completions",
    "/v1/embeddings": "/v1/embeddings",
}


@pytest.mark.proves("3.1")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PATHS)
def test_nothing_that_a_client_sends_changes_where_a_call_goes(
    provider, upstream, gateway, completion, path
):
    provider()
    sent = upstream(json=completion)
    key = {"authorization": f"Bearer {WorkspaceKey.issue('ci').plaintext}"}
    reached = 0

    @settings(suppress_health_check=list(HealthCheck), max_examples=60)
    @given(
        MODELS,
        st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=3),
        st.dictionaries(st.sampled_from(HEADERS), WORDS, max_size=3),
    )
    @example("gpt-4o-mini", {"api_base": ELSEWHERE[0]}, {"x-forwarded-host": "evil"})
    def ask(model: str, fields: dict[str, Any], headers: dict[str, str]) -> None:
        nonlocal reached
        sent.clear()
        message = {"role": "user", "content": "hi"}
        body = {"model": model, "messages": [message], "input": "hi", "max_tokens": 5}
        # The registry is read again: what a call decides may be kept for the next.
        gateway(headers=key).post(path, json={**body, **fields}, headers=headers)
        for each in sent:
            reached += 1
            assert str(each.url) == f"http://127.0.0.1:9{PATHS[path]}"
            assert "host" not in each.headers
            assert each.headers["authorization"] == "Bearer sk-upstream-key-0123456789"
            assert not {"cookie", "forwarded", "x-forwarded-host"} & set(each.headers)

    ask()
    assert reached
