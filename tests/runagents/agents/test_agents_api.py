"""`/api/v1` about agents keeps the contract of RunAgents' SDK."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from providers.models import WorkspaceKey
from runagents.agents.api.views import _period
from runagents.agents.models import Agent, AgentKey, Wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(db):
    """Asks the API as a program with a workspace key: `ask("GET", "/agents")`."""
    key = WorkspaceKey.issue("ci").plaintext
    headers = {"Authorization": f"Bearer {key}"}

    def send(method, path, body=None):
        data = b"" if body is None else json.dumps(body).encode()
        return Client().generic(
            method, f"/api/v1{path}", data, "application/json", headers=headers
        )

    return send


@pytest.fixture
def agent(provider):
    """The agent `support`, wired to gpt-4o-mini."""
    row = Agent.objects.create(name="support", system_prompt="Be brief.")
    Wire.objects.create(agent=row, provider=provider(), model_id="gpt-4o-mini")
    return row


@pytest.fixture
def used(record, monkeypatch):
    """Stores a call that cost something: `used(Decimal("0.5"), model="gpt-4o")`.

    The clock stands, so that no month ends meanwhile.
    """
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    return lambda cost, **fields: record(
        0, **{"caller": "support", "cost": cost, **fields}
    )


def test_an_agents_key_opens_nothing(agent):
    key = AgentKey.issue(agent).plaintext
    answer = Client().get("/api/v1/agents", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 401


def test_agents_are_listed_and_shown(ask, agent):
    (listed,) = ask("GET", "/agents").json()
    assert listed == ask("GET", "/agents/support").json()
    assert listed["spec"] == {
        "image": "",
        "systemPrompt": "Be brief.",
        "llmConfig": {"provider": "openai", "model": "gpt-4o-mini"},
    }


def test_an_agent_is_deleted(ask, agent):
    assert ask("DELETE", "/agents/support").json() == {"status": "deleted"}
    assert ask("GET", "/agents/support").status_code == 404


def test_the_configuration_shows_roles_and_spend(ask, agent, used):
    used(Decimal("0.25"))
    used(None)
    used(Decimal("5"), caller="other")
    config = ask("GET", "/agents/support/config").json()
    assert config["system_prompt"] == "Be brief."
    assert config["llm_configs"] == [
        {
            "role": "default",
            "model_provider": "openai",
            "provider": "openai",
            "model": "gpt-4o-mini",
        }
    ]
    assert config["model_usage"][0]["estimated_spend_usd"] == 0.25
    assert config["model_usage"][0]["status"] == "Uncapped"


def test_the_configuration_is_changed(ask, agent, provider):
    provider("two", models=("gpt-4o",))
    configs = [
        {"role": "default", "model_provider": "two", "model": "gpt-4o"},
        {"role": "chat", "provider": "OpenAI", "model": "gpt-4o-mini"},
    ]
    body = {"system_prompt": "Be long.", "llm_configs": configs}
    answer = ask("PUT", "/agents/support/config", body)
    assert answer.status_code == 200
    assert answer.json()["system_prompt"] == "Be long."
    wires = {(w.role, w.provider.name, w.model_id) for w in Wire.objects.all()}
    assert wires == {("default", "two", "gpt-4o"), ("chat", "openai", "gpt-4o-mini")}


def test_what_is_left_out_stays(ask, agent):
    ask("PUT", "/agents/support/config", {"system_prompt": ""})
    agent.refresh_from_db()
    assert agent.system_prompt == ""
    assert Wire.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"llm_configs": {}}, "llm_configs: must be a list."),
        ({"llm_configs": ["x"]}, "llm_configs[0]: must be an object."),
        ({"llm_configs": [{}]}, "llm_configs[0].model: is required."),
        (
            {"llm_configs": [{"model": "gpt-9"}]},
            'llm_configs[0].model: no provider serves "gpt-9".',
        ),
        (
            {"llm_configs": [{"model": "gpt-9", "model_provider": "openai"}]},
            'llm_configs[0].model: model provider "openai" does not serve "gpt-9".',
        ),
        (
            {"llm_configs": [{"model": "m", "model_provider": "nobody"}]},
            'llm_configs[0].model_provider: model provider "nobody" not found.',
        ),
        ({"llm_configs": [{"model": 5}]}, "llm_configs[0].model: must be text."),
        (
            {"llm_configs": [{"model": "m", "role": "A B"}]},
            "llm_configs[0].role: 'A B' is not a lower-case word.",
        ),
        (
            {"llm_configs": [{"model": "gpt-4o-mini"}, {"model": "gpt-4o-mini"}]},
            "llm_configs[1].role: default stands twice.",
        ),
        (
            {"llm_configs": [{"model": "gpt-4o-mini", "monthly_budget_usd": 5}]},
            "llm_configs[0].monthly_budget_usd: budgets are not supported here.",
        ),
        ({"policies": ["p"]}, "policies: is not supported by this gateway."),
        ({"prompt": "x"}, "prompt: is not a field of an agent's configuration."),
        ({"system_prompt": 5}, "system_prompt: must be text."),
    ],
)
def test_a_mistake_is_named_and_nothing_changes(ask, agent, body, error):
    answer = ask("PUT", "/agents/support/config", body)
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert Wire.objects.get().model_id == "gpt-4o-mini"


def test_the_spend_of_the_month_is_summed(ask, agent, used):
    used(Decimal("0.25"))
    used(Decimal("0.5"))
    used(Decimal("2"), caller="other", model="gpt-4o")
    used(Decimal("9"), started_at=datetime(2020, 1, 1, tzinfo=UTC))
    spend = ask("GET", "/model-spend").json()
    assert spend["summary"]["total_estimated_spend_usd"] == 2.75
    assert spend["warnings"] == []
    top = [(row["agent_name"], row["role"]) for row in spend["top_models"]]
    assert top == [("other", ""), ("support", "default")]


def test_without_calls_nothing_was_spent(ask):
    spend = ask("GET", "/model-spend").json()
    assert spend["summary"]["total_estimated_spend_usd"] == 0
    assert spend["top_models"] == []


def test_a_month_ends_where_the_next_begins():
    start, end = _period(datetime(2025, 12, 31, 23, 59, tzinfo=UTC))
    assert start == datetime(2025, 12, 1, tzinfo=UTC)
    assert end == datetime(2026, 1, 1, tzinfo=UTC)


SOURCE = """
from openai import OpenAI
import boto3, os

SYSTEM_PROMPT = "Be brief."
key = "sk-proj-0123456789abcdefghijABCDEFGHIJ0123456789"
OpenAI().chat.completions.create(model="gpt-4o")
boto3.client("bedrock-runtime").converse(modelId=os.environ["LLM_MODEL_DEEP"])
"""


def test_sources_are_analysed_as_the_sdk_asks_for_it(ask):
    answer = ask("POST", "/analyze", {"files": {"agent.py": SOURCE}})
    assert answer.status_code == 200
    found = answer.json()
    assert [
        (each["role"], each["model"], each["variable_name"], each["line"])
        for each in found["model_usages"]
    ] == [("chat", "gpt-4o", "gpt-4o", 7), ("deep", "", "LLM_MODEL_DEEP", 8)]
    (secret,) = found["secrets"]
    assert (secret["file"], secret["line"]) == ("agent.py", 6)
    assert "sk-proj" not in answer.content.decode()
    assert found["system_prompt_suggestion"] == "Be brief."
    assert {each["provider"] for each in found["model_providers"]} == {
        "openai",
        "bedrock",
    }
    (obstacle,) = found["obstacles"]
    assert (obstacle["file"], obstacle["line"]) == ("agent.py", 8)


@pytest.mark.parametrize("files", [None, {}, [], "x", {"a.py": 1}])
def test_what_is_no_source_is_refused(ask, files):
    answer = ask("POST", "/analyze", {"files": files})
    assert answer.status_code == 400
    assert "files" in answer.json()["error"]


def test_more_than_can_be_read_is_refused(ask):
    files = {f"{n}.py": "x" for n in range(501)}
    answer = ask("POST", "/analyze", {"files": files})
    assert answer.status_code == 400
    assert "500 files" in answer.json()["error"]


def test_analyses_are_bounded(ask, monkeypatch):
    monkeypatch.setattr("runagents.agents.api.analysis.checks.add_now", lambda who: 7.0)
    answer = ask("POST", "/analyze", {"files": {"a.py": ""}})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
