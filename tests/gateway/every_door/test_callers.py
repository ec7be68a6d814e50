"""Who may call, at every door: keys, programs on this machine, what may be read."""

from datetime import UTC, datetime

import pytest

from gateway.entry.request import Found
from gateway.worker.registry import registry
from providers.models import WorkspaceKey
from runagents.agents.models import Agent, AgentKey, Wire


def test_malformed_json_is_a_400(provider, gateway, door):
    provider()
    response = gateway().post(
        door.path, content=b"{", headers={"content-type": "application/json"}
    )
    door.check_refused(response, 400, "invalid_json")


def test_a_body_over_the_limit_is_a_413(provider, gateway, settings, door):
    settings.REQUEST_BODY_LIMIT = 1000
    response = gateway().post(door.path, json={"model": "x" * 2000})
    door.check_refused(response, 413, "request_too_large")


@pytest.mark.proves("1.6")
@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/plain"}, {"content-encoding": "gzip"}],
)
def test_a_body_that_is_not_plain_json_is_a_415(gateway, headers, door):
    headers = {"content-type": "application/json", **headers}
    response = gateway().post(door.path, content=b"{}", headers=headers)
    door.check_refused(response, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "headers",
    [
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
        {"origin": "http://127.0.0.1:8000"},
        {"x-forwarded-port": "80"},
        {"x_forwarded_for": "127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"true-client-ip": "10.0.0.1"},
        {"x-cluster-client-ip": "10.0.0.1"},
        {"cf-connecting-ip": "10.0.0.1"},
        {"cf-ray": "0"},
        {"fly-region": "ams"},
        {"x-envoy-external-address": "10.0.0.1"},
        {"sec-fetch-mode": "cors"},
        {"sec_ch_ua": "x"},
        {"host": "attacker.example"},
        {"host": "é".encode()},
        {"host": "["},
    ],
)
def test_keyless_calls_need_a_program_on_this_machine(provider, gateway, door, headers):
    provider()
    response = gateway().post(door.path, json=door.body, headers=headers)
    door.check_refused(response, 401, "invalid_api_key")


def test_keyless_calls_from_elsewhere_are_refused(provider, gateway, door):
    provider()
    response = door.ask(gateway(host="10.1.2.3"))
    door.check_refused(response, 401, "invalid_api_key")


def test_platform_managed_counts_as_no_key(provider, upstream, gateway, door):
    provider()
    upstream(json=door.upstream)
    headers = {"authorization": "Bearer platform-managed"}
    response = door.ask(gateway(headers=headers))
    assert response.status_code == 200


@pytest.mark.parametrize(
    "header", ["authorization", "x-api-key", "x-runagents-api-key"]
)
def test_a_key_is_taken_from_any_of_its_headers(
    provider, upstream, gateway, door, header
):
    provider()
    upstream(json=door.upstream)
    key = AgentKey.issue(Agent.objects.create(name="a", access="all")).plaintext
    value = f"Bearer {key}" if header == "authorization" else key
    client = gateway(host="10.1.2.3", headers={header: value})
    door.check_answered(door.ask(client))


def test_two_different_keys_are_ambiguous(provider, gateway, door):
    agent = Agent.objects.create(name="a", access="all")
    one, two = AgentKey.issue(agent).plaintext, AgentKey.issue(agent).plaintext
    headers = {"authorization": f"Bearer {one}", "x-api-key": two}
    response = door.ask(gateway(headers=headers))
    door.check_refused(response, 400, "ambiguous_credentials")


def test_a_revoked_key_is_refused(provider, gateway, door):
    key = AgentKey.issue(Agent.objects.create(name="a", access="all")).plaintext
    AgentKey.objects.get().revoke()
    headers = {"authorization": f"Bearer {key}"}
    assert door.ask(gateway(headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("end", "status"), [("revoked_at", 401), ("expires_at", 401), ("paused_at", 403)]
)
@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_who_says_the_same_again_is_known_as_long_as_the_key_counts(
    provider, upstream, gateway, door, header, end, status
):
    provider()
    upstream(json=door.upstream)
    key = AgentKey.issue(Agent.objects.create(name="a", access="all"))
    value = f"Bearer {key.plaintext}" if header == "authorization" else key.plaintext
    client = gateway(host="10.1.2.3", headers={header: value}, found=(found := Found()))
    door.check_answered(door.ask(client))
    assert found.key
    assert key.plaintext not in found.key
    door.check_answered(door.ask(client))
    # A body of another length, which is counted as ever.
    door.check_answered(door.ask(client, user="somebody"))
    row = AgentKey.objects.get()
    setattr(row, end, datetime(2026, 1, 1, tzinfo=UTC))
    row.save()
    registry.load()
    assert door.ask(client).status_code == status
    setattr(row, end, None)
    row.save()
    registry.load()
    door.check_answered(door.ask(client))


def test_who_says_a_wrong_key_again_is_as_wrong(provider, upstream, gateway, door):
    provider()
    upstream(json=door.upstream)
    found = Found()
    headers = {"authorization": f"Bearer {WorkspaceKey.issue('k').plaintext[:-1]}"}
    for _ in range(2):
        assert door.ask(gateway(headers=headers, found=found)).status_code == 401
    assert not found.key


def test_a_body_is_counted_behind_a_head_that_is_known(
    provider, upstream, gateway, door, settings
):
    provider()
    upstream(json=door.upstream)
    settings.REQUEST_BODY_LIMIT = 3000
    client = gateway(found=Found())
    door.check_answered(door.ask(client))
    response = client.post(door.path, json={"model": "x" * 4000})
    door.check_refused(response, 413, "request_too_large")


def asked_with(key, gateway, door):
    return door.ask(gateway(headers={"authorization": f"Bearer {key.plaintext}"}))


def test_an_expired_key_is_refused_with_its_date(provider, gateway, door):
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    for key in (
        WorkspaceKey.issue("old", expires_at=ended),
        AgentKey.issue(Agent.objects.create(name="a"), expires_at=ended),
    ):
        answer = asked_with(key, gateway, door)
        told = door.check_refused(answer, 401, "api_key_expired")
        assert "expired on 2026-01-02 at 00:00 UTC" in told


def test_an_expired_key_is_no_wrong_key(provider, gateway, door):
    ended = datetime(2026, 1, 2, tzinfo=UTC)
    key = WorkspaceKey.issue("old", expires_at=ended)
    headers = {"authorization": f"Bearer {key.plaintext}"}
    client = gateway(headers=headers)
    assert {door.ask(client).status_code for _ in range(62)} == {401}


def test_a_paused_key_is_refused_until_it_is_resumed(provider, upstream, gateway, door):
    provider()
    upstream(json=door.upstream)
    key = AgentKey.issue(Agent.objects.create(name="a", access="all"))
    AgentKey.objects.get().pause(paused=True)
    answer = asked_with(key, gateway, door)
    door.check_refused(answer, 403, "api_key_paused")
    AgentKey.objects.get().pause(paused=False)
    door.check_answered(asked_with(key, gateway, door))


@pytest.mark.parametrize(
    ("reach", "status"),
    [
        ([], 200),
        (["gpt-4o-mini"], 200),
        (["openai/gpt-4o-mini"], 200),
        (["openai/*"], 200),
        (["gpt-4o"], 403),
        (["other/gpt-4o-mini", "other/*"], 403),
    ],
)
def test_a_workspace_key_reaches_what_it_was_narrowed_to(
    provider, upstream, gateway, door, reach, status
):
    provider("openai", models=("gpt-4o-mini",))
    upstream(json=door.upstream)
    key = WorkspaceKey.issue("ci", reach)
    client = gateway(headers={"authorization": f"Bearer {key.plaintext}"})
    answer = door.ask(client)
    if status == 200:
        door.check_answered(answer)
    else:
        door.check_refused(answer, status, "model_not_allowed")
    listed = client.get("/v1/models").json()["data"]
    assert [each["id"] for each in listed] == (["gpt-4o-mini"] if status == 200 else [])


def test_a_bad_key_from_this_machine_is_not_treated_as_keyless(provider, gateway, door):
    provider()
    headers = {"authorization": "Bearer sk-something"}
    assert door.ask(gateway(headers=headers)).status_code == 401


def test_an_agent_reaches_exactly_what_it_is_wired_to(
    provider, upstream, gateway, door
):
    row = provider(models=("gpt-4o-mini", "gpt-4o"))
    upstream(json=door.upstream)
    agent = Agent.objects.create(name="a")
    Wire.objects.create(agent=agent, provider=row, model_id="gpt-4o-mini")
    headers = {"authorization": f"Bearer {AgentKey.issue(agent).plaintext}"}
    client = gateway(headers=headers)
    door.check_answered(door.ask(client))
    response = door.ask(client, model="gpt-4o")
    door.check_refused(response, 403, "model_not_allowed")
    listed = (client.get("/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["gpt-4o-mini"]


def test_a_workspace_key_reaches_every_model(provider, upstream, gateway, door):
    provider()
    upstream(json=door.upstream)
    headers = {"x-runagents-api-key": WorkspaceKey.issue("ci").plaintext}
    client = gateway(host="10.1.2.3", headers=headers)
    door.check_answered(door.ask(client))
