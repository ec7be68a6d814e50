"""Moderations: passed on where a server has them, refused in words elsewhere."""

import json

import pytest

from providers.models import ProviderModel, WorkspaceKey
from tests.doors import JUDGED, MODERATIONS

URL = MODERATIONS.path


def test_a_request_goes_on_as_it_came(provider, upstream, gateway):
    provider()
    ProviderModel.objects.update(upstream_id="up-1")
    seen = upstream(json={**JUDGED, "model": "up-1"})
    raw = b'{"input":[{"type":"text","text":"x"}],"model": "gpt-4o-mini"}'
    answer = gateway().post(
        URL, content=raw, headers={"content-type": "application/json"}
    )
    assert answer.json() == JUDGED
    assert seen[0].url.path == "/v1/moderations"
    assert seen[0].content == raw.replace(b"gpt-4o-mini", b"up-1")


def test_who_names_no_model_asks_the_first_that_has_one(
    other, provider, upstream, gateway, ledger
):
    other("other", priority=1)
    provider("late", priority=30, endpoint="http://127.0.0.1:3")
    provider("early", priority=20, endpoint="http://127.0.0.1:2")
    judged = {**JUDGED, "model": "omni-moderation-2024-09-26"}
    seen = upstream(json=judged)
    answer = gateway().post(URL, json={"input": "hi"})
    assert answer.json() == judged
    assert json.loads(seen[0].content) == {"input": "hi"}
    assert answer.headers["x-gateway-provider"] == "early"
    (row,) = ledger()
    assert (row["door"], row["provider"], row["outcome"]) == (
        "moderations",
        "early",
        "ok",
    )


def test_a_provider_is_pinned_by_its_name(provider, upstream, gateway):
    provider("first", priority=1, endpoint="http://127.0.0.1:1")
    provider("second", priority=2, endpoint="http://127.0.0.1:2")
    upstream(json=JUDGED)
    answer = gateway().post("/v1/p/second/moderations", json={"input": "hi"})
    assert answer.headers["x-gateway-provider"] == "second"


def test_a_key_reaches_only_its_own_providers(provider, upstream, gateway):
    provider("first", priority=1, endpoint="http://127.0.0.1:1")
    provider("second", priority=2, endpoint="http://127.0.0.1:2")
    upstream(json=JUDGED)
    key = WorkspaceKey.issue("ci", ["second/*"]).plaintext
    client = gateway(headers={"authorization": f"Bearer {key}"})
    answer = client.post(URL, json={"input": "hi"})
    assert answer.headers["x-gateway-provider"] == "second"
    pinned = client.post("/v1/p/first/moderations", json={"input": "hi"})
    MODERATIONS.check_refused(pinned, 400, "unsupported_parameter")


@pytest.mark.parametrize("body", [{"input": "hi"}, MODERATIONS.body])
def test_where_nobody_moderates_it_is_said(other, upstream, gateway, body):
    other()
    seen = upstream(json={})
    answer = gateway().post(URL, json=body)
    told = MODERATIONS.check_refused(answer, 400, "unsupported_parameter")
    assert "moderate" in told
    assert not seen


def test_a_server_without_the_path_does_not_moderate(provider, upstream, gateway):
    provider()
    upstream(status=404, json={"detail": "Not Found"})
    answer = MODERATIONS.ask(gateway())
    told = MODERATIONS.check_refused(answer, 400, "unsupported_parameter")
    assert told.startswith("This model does not moderate.")


@pytest.mark.parametrize(
    ("body", "param"),
    [({}, "input"), ({"input": ""}, "input"), ({"input": "x", "model": 5}, "model")],
)
def test_what_cannot_be_asked_is_named(provider, gateway, body, param):
    provider()
    answer = gateway().post(URL, json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
