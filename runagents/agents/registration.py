"""Agents and their wires as rows: making them, changing them, reading them."""

from collections.abc import Mapping
from typing import NamedTuple

from django.db import transaction

from providers import endpoints, starter
from providers.models import ModelProvider, ProviderModel
from providers.models.kinds import BEHIND, CHAT, EMBEDDING, kind_of
from runagents.agents.models import Agent, Wire
from runagents.agents.wiring import ECHO_TOOL, Connection, environment

ROLES = ("default", "chat", "embedding", "classify", "reranking")
"""The roles that RunAgents knows; an agent may have others."""

HELLO_WORLD = "hello-world"


def connections(agent: Agent) -> list[Connection]:
    """Return the agent's wires as `wiring` takes them."""
    wires = list(agent.wires.select_related("provider"))
    rows = _rows_of(wires)
    return [
        Connection(
            wire.role,
            wire.provider.name,
            wire.provider.provider_type,
            wire.model_id,
            wire.variable,
            *_told_of(wire, rows.get((wire.provider_id, wire.model_id))),
        )
        for wire in wires
    ]


def _rows_of(wires: list[Wire]) -> dict[tuple[int, str], ProviderModel]:
    """Return the models that `wires` lead to, by provider and id, as far as served."""
    rows = ProviderModel.objects.filter(
        provider__in={wire.provider_id for wire in wires},
        model_id__in={wire.model_id for wire in wires},
    )
    return {(row.provider_id, row.model_id): row for row in rows}


def _told_of(wire: Wire, row: ProviderModel | None) -> tuple[str, int | None]:
    """Return the kind of a wire's model and its window, None where nobody said it."""
    if row is None:
        return kind_of(wire.model_id), None
    window = row.capabilities.get("max_input_tokens")
    is_number = isinstance(window, int) and not isinstance(window, bool)
    return row.kind, window if is_number and window > 0 else None


def environment_of(agent: Agent, base_url: str, key: str = "") -> dict[str, str]:
    """Return the environment the agent runs with, `key` in it where it is known."""
    return environment(
        agent.name,
        connections(agent),
        base_url,
        key=key,
        system_prompt=agent.system_prompt,
        tools=agent.tools,
        doors=agent.doors,
    )


class Place(NamedTuple):
    """Where in the code a role is, and what that calls the model's variable."""

    file: str = ""
    line: int | None = None
    variable: str = ""


def wire(
    agent: Agent,
    targets: Mapping[str, tuple[ModelProvider, str]],
    places: Mapping[str, Place] | None = None,
) -> None:
    """Make the agent's wires exactly `targets`: role -> (provider, model id).

    `places` says where in the code a role is.
    """
    existing = {row.role: row for row in agent.wires.all()}
    for role, (provider, model_id) in targets.items():
        row = existing.pop(role, None) or Wire(agent=agent, role=role)
        if places and role in places:
            row.file, row.line = places[role].file[:255], places[role].line
            row.variable = places[role].variable[:255]
        if (row.provider_id, row.model_id) != (provider.pk, model_id):
            row.provider, row.model_id = provider, model_id
            row.save()
    for row in existing.values():
        row.delete()


def priorities() -> dict[str, int]:
    """Return provider name -> its priority, for the enabled providers."""
    rows = ModelProvider.objects.filter(enabled=True)
    return dict(rows.values_list("name", "priority"))


def homes() -> dict[str, list[str]]:
    """Return provider type -> the enabled providers that may take a further model.

    Those at the vendor's own address come alone where there are any: a server of the
    same format elsewhere has models of its own.
    """
    own: dict[str, list[str]] = {}
    others: dict[str, list[str]] = {}
    rows = ModelProvider.objects.filter(enabled=True).order_by("priority", "pk")
    for row in rows:
        usual = endpoints.origin(row.vendor.endpoint.replace("{region}", row.region))
        is_own = endpoints.origin(row.endpoint) == usual
        found = own if is_own else others
        found.setdefault(row.provider_type, []).append(row.name)
    return others | own


def kind_of_role(role: str) -> str:
    """Return the kind of model that a role asks for, by its name.

    >>> kind_of_role("embedding-2")
    'embedding'
    """
    return EMBEDDING if role.startswith("embedding") else CHAT


def served_models() -> dict[str, dict[str, str]]:
    """Return provider name -> its models, id -> kind, for the enabled providers."""
    served: dict[str, dict[str, str]] = {}
    rows = ProviderModel.objects.filter(provider__enabled=True)
    rows = rows.order_by("provider__name", "position")
    for name, model_id, *behind in rows.values_list(
        "provider__name", "model_id", *BEHIND
    ):
        served.setdefault(name, {})[model_id] = kind_of(model_id, *behind)
    return served


def fitting_first(models: Mapping[str, str], kind: str) -> list[str]:
    """Return the ids of `models` (id -> kind), those of a kind before the others."""
    return sorted(models, key=lambda model: models[model] != kind)


@transaction.atomic
def deploy_hello_world() -> Agent:
    """Return the Hello World agent, made together with the starter kit if need be.

    Calling again changes nothing: wires that an administrator has chosen stay.
    """
    provider = starter.add_playground_llm()
    agent, _created = Agent.objects.get_or_create(
        name=HELLO_WORLD, defaults={"builtin": HELLO_WORLD, "tools": [ECHO_TOOL]}
    )
    if agent.builtin != HELLO_WORLD:
        agent.builtin, agent.tools = HELLO_WORLD, [ECHO_TOOL]
        agent.save(update_fields=["builtin", "tools"])
    if not agent.wires.exists():
        model = provider.provider_models.first()
        model_id = model.model_id if model is not None else starter.MODEL
        wire(agent, {"default": (provider, model_id)})
    return agent
