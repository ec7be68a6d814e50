"""No JSON that anybody sends to the API is answered with 500."""

import copy
import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.models import WorkspaceKey
from runagents.agents.models import Agent

pytestmark = pytest.mark.django_db

TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["openai", "None", "OAuth2", "Query", "http://x", "\x00", "a/b"]),
)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)
PROVIDER = {
    "name": "p",
    "spec": {
        "provider": "ollama",
        "endpoint": "http://localhost:11434",
        "models": ["m", {"id": "n", "prices": {"input": 1}, "capabilities": {}}],
        "auth": {
            "type": "None",
            "apiKeyConfig": {"in": "Header", "name": "x", "secretRef": {"name": "s"}},
            "awsConfig": {"region": "us-east-1", "credentialsSecretRef": {"name": "s"}},
            "oauth2Config": {"tokenUrl": "https://t.example/x", "scopes": ["a"]},
        },
        "rateLimit": {"requestsPerMinute": 5},
        "options": {"priority": 1, "timeouts": {"connect": 1}, "extra_headers": {}},
    },
}
SECRET = {"name": "s", "data": {"api_key": "k"}, "origins": ["https://a.example"]}
CONFIG = {"system_prompt": "x", "llm_configs": [{"role": "chat", "model": "m"}]}
KEY = {"name": "k", "expiresInDays": 5}
TARGETS = [
    # As much as all others together: it has the most parts.
    *[("POST", "/model-providers", PROVIDER)] * 3,
    ("POST", "/secrets", SECRET),
    ("PUT", "/agents/a/config", CONFIG),
    ("POST", "/auth/api-keys", KEY),
]


@st.composite
def spoiled(draw, thing):
    """Return `thing` with one or two of its parts replaced by anything."""
    thing = copy.deepcopy(thing)
    for _ in range(draw(st.integers(1, 2))):
        parent, key = None, None
        node = thing
        # Three times of four one level deeper, so that all levels are met.
        while isinstance(node, dict | list) and node and draw(st.integers(0, 3)):
            parent = node
            keys = list(node) if isinstance(node, dict) else range(len(node))
            key = draw(st.sampled_from(keys))
            node = node[key]
        if parent is None:
            return draw(VALUES)
        parent[key] = draw(VALUES)
    return thing


@pytest.fixture
def key(db):
    """A key of the API, and the agent that requests are about."""
    Agent.objects.create(name="a")
    return WorkspaceKey.issue("ci").plaintext


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_no_body_is_answered_with_500(key, data):
    method, path, thing = data.draw(st.sampled_from(TARGETS))
    body = json.dumps(data.draw(spoiled(thing))).encode()
    client = Client(raise_request_exception=True)
    answer = client.generic(
        method,
        f"/api/v1{path}",
        body,
        "application/json",
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code in {200, 201, 400, 409}
    assert isinstance(answer.json(), dict)
