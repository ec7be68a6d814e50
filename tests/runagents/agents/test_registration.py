"""Wires are made exactly as told, and Hello World arrives fully wired."""

import pytest

from providers.models import ModelProvider, RegistryVersion
from runagents.agents.models import Agent, Wire
from runagents.agents.registration import (
    connections,
    deploy_hello_world,
    served_models,
    wire,
)

pytestmark = pytest.mark.django_db


def test_hello_world_is_wired_to_the_playground():
    agent = deploy_hello_world()
    assert (agent.name, agent.builtin, agent.access) == (
        "hello-world",
        "hello-world",
        "wired",
    )
    assert connections(agent) == [
        ("default", "playground-llm", "openai", "gpt-4o-mini", "", "chat", None)
    ]
    assert agent.tools == ["echo-tool"]


def test_deploying_again_changes_nothing():
    deploy_hello_world()
    before = RegistryVersion.current()
    deploy_hello_world()
    assert RegistryVersion.current() == before
    assert (Agent.objects.count(), ModelProvider.objects.count()) == (1, 1)


def test_deploying_again_keeps_a_wire_chosen_by_an_administrator(provider):
    agent = deploy_hello_world()
    wire(agent, {"default": (provider(models=("gpt-4o",)), "gpt-4o")})
    deploy_hello_world()
    assert [c.model_id for c in connections(agent)] == ["gpt-4o"]


def test_an_agent_that_had_the_name_becomes_runnable():
    Agent.objects.create(name="hello-world")
    assert deploy_hello_world().builtin == "hello-world"


def test_wiring_adds_changes_and_removes(provider):
    agent = Agent.objects.create(name="a")
    one = provider("one", models=("m1", "m2"))
    wire(agent, {"default": (one, "m1"), "chat": (one, "m1")})
    kept = Wire.objects.get(role="default").pk
    wire(agent, {"default": (one, "m2"), "embedding": (one, "m1")})
    assert {(w.role, w.model_id) for w in Wire.objects.all()} == {
        ("default", "m2"),
        ("embedding", "m1"),
    }
    assert Wire.objects.get(role="default").pk == kept


def test_only_enabled_providers_are_offered(provider):
    provider("one", models=("b", "a"))
    provider("two", enabled=False)
    assert {name: list(models) for name, models in served_models().items()} == {
        "one": ["b", "a"]
    }
