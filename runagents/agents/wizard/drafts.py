"""From an analysis of code to an agent: what it needs, and how that is wired."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from django.db import transaction

from gateway.doors import NAMES
from providers import starter
from providers.keys import NewKey
from providers.models import ModelProvider
from runagents.agents import registration
from runagents.agents.detection import Analysis, ModelUsage
from runagents.agents.detection.obstacles import Obstacle, obstacles
from runagents.agents.detection.vendors import DEFAULT_ROLE, UNSERVED, bare
from runagents.agents.forms import ROLE
from runagents.agents.models import Agent, AgentKey, Draft
from runagents.agents.names import suggested_name
from runagents.agents.registration import ROLES, Place
from runagents.agents.wiring import variable_name

MAX_NEEDS = 50
Served = Mapping[str, Mapping[str, str]]
"""Provider name -> its models, id -> kind."""


@dataclass(frozen=True)
class Need:
    """A role of an agent that wants a model: one card of the Wire step.

    `vendor`, `model` and `variable` are what the code says, `api` in which format it
    asks, `places` where (file and line); `provider` and `model_id` what is chosen.
    `is_settled` once a person chose.
    """

    role: str
    vendor: str = ""
    model: str = ""
    variable: str = ""
    places: list[tuple[str, int]] = field(default_factory=list)
    provider: str = ""
    model_id: str = ""
    is_settled: bool = False
    api: str = ""

    @property
    def kind(self) -> str:
        """What the role's model is to be for."""
        return registration.kind_of_role(self.role)

    @property
    def is_wired(self) -> bool:
        """Whether a provider and one of its models are chosen."""
        return bool(self.provider and self.model_id)

    @property
    def own_variable(self) -> str:
        """The variable of the agent's environment that names the role's model."""
        return f"LLM_MODEL_{variable_name(self.role)}"

    def place(self) -> Place:
        """Return the first place in the code, and what that calls the model."""
        file, line = self.places[0] if self.places else ("", None)
        return Place(file, line, self.variable)

    @property
    def asks_for_another(self) -> bool:
        """Whether the code names a model, and not the one that is chosen."""
        is_fixed = bool(self.model and not self.variable)
        return self.is_wired and is_fixed and bare(self.model) != self.model_id


# --- what the code needs ---


def needs_of(usages: Iterable[ModelUsage]) -> list[Need]:
    """Return one need per model that the code asks for, each with a role of its own.

    Calls for the same model in the same role are one need with several places. Roles
    named by a variable keep their name; others that would share it are counted up.
    """
    grouped: dict[tuple[str, str], Need] = {}
    for usage in usages:
        key = (usage.role, bare(usage.model) or usage.variable)
        need = grouped.get(key) or Need(
            usage.role, usage.provider, usage.model, usage.variable, api=usage.api
        )
        places = [*need.places, (usage.file, usage.line)]
        grouped[key] = replace(need, places=places)
    taken: set[str] = set()
    named = sorted(grouped.values(), key=lambda need: not need.variable)
    roles = {id(need): _free_role(need.role, taken) for need in named}
    needs = [replace(need, role=roles[id(need)]) for need in grouped.values()]
    return needs[:MAX_NEEDS] or [Need(DEFAULT_ROLE)]


def _free_role(wanted: str, taken: set[str]) -> str:
    base = wanted.strip("_")[:55] or DEFAULT_ROLE
    base = base if ROLE.fullmatch(base) else f"role-{base}"
    role, number = base, 2
    while role in taken:
        role, number = f"{base}-{number}", number + 1
    taken.add(role)
    return role


def serving(need: Need, served: Served) -> list[tuple[str, str]]:
    """Return who serves the model that the code names: (provider, model id)."""
    if not need.model:
        return []
    wanted = dict.fromkeys([need.model, bare(need.model)])
    return [
        (name, model)
        for model in wanted
        for name, models in served.items()
        if model in models
    ]


def prewired(need: Need, served: Served, priorities: Mapping[str, int]) -> Need:
    """Return the need wired where there is one sensible way to wire it.

    A person's choice stays as it is. Of several providers that serve the model of the
    code it is the one that calls go to first, if one has the lowest priority number;
    the Playground LLM comes after all others. Without a model in the code the one model
    of the role's kind that is served is the only way. What has no door is not wired.
    """
    if need.is_settled or need.is_wired or need.api in UNSERVED:
        return need
    ways = serving(need, served)
    if not need.model:
        ways = [
            (name, model)
            for name, models in served.items()
            for model, kind in models.items()
            if kind == need.kind
        ]
    elif len(ways) > 1:
        ways = [way for way in ways if way[0] != starter.NAME] or ways
        first = min(priorities.get(name, 0) for name, _model in ways)
        ways = [way for way in ways if priorities.get(way[0], 0) == first]
    if len(ways) != 1:
        return need
    return replace(need, provider=ways[0][0], model_id=ways[0][1])


# --- drafts ---


def begin(analysis: Analysis, files: Iterable[str]) -> Draft:
    """Store a new draft for the code that `analysis` is of."""
    taken = set(Agent.objects.values_list("name", flat=True))
    draft = Draft(
        name=suggested_name(files, taken), analysis=msgspec.to_builtins(analysis)
    )
    store_needs(draft, _prewired(needs_of(analysis.usages)))
    return draft


def _prewired(needs: Iterable[Need], served: Served | None = None) -> list[Need]:
    served = registration.served_models() if served is None else served
    priorities = registration.priorities()
    return [prewired(need, served, priorities) for need in needs]


def analysis_of(draft: Draft) -> Analysis:
    """Return what reading the draft's code found."""
    return msgspec.convert(draft.analysis, Analysis)


def obstacles_of(draft: Draft) -> list[Obstacle]:
    """Return what in the draft's code does not reach the gateway as it stands."""
    return obstacles(analysis_of(draft))


def needs(draft: Draft) -> list[Need]:
    """Return the draft's needs."""
    return msgspec.convert(draft.needs, list[Need])


def still_wired(needs: list[Need]) -> list[Need]:
    """Return the needs, those whose provider was deleted meanwhile as not wired."""
    names = {need.provider for need in needs if need.provider}
    found = set(
        ModelProvider.objects.filter(name__in=names).values_list("name", flat=True)
    )
    return [
        need if need.provider in found else replace(need, provider="", model_id="")
        for need in needs
    ]


def store_needs(draft: Draft, needs: Iterable[Need]) -> None:
    """Store the draft with these needs."""
    draft.needs = msgspec.to_builtins(list(needs))
    draft.save()


@transaction.atomic
def refresh(draft: Draft, served: Served) -> list[Need]:
    """Wire what became obvious since, such as a model registered meanwhile."""
    before = needs(draft)
    after = _prewired(before, served)
    if after != before:
        store_needs(draft, after)
    return after


def added(needs: list[Need]) -> list[Need]:
    """Return the needs with a further role, for a model that reading did not find."""
    taken = {need.role for need in needs}
    known = [role for role in ROLES if role not in taken]
    return [*needs, Need(known[0] if known else _free_role("role", taken))][:MAX_NEEDS]


def left_to_do(draft: Draft) -> dict[str, Any]:
    """Return, as plain JSON, what is left to change in the code before it runs."""
    found: dict[str, Any] = msgspec.to_builtins(
        {"keys": analysis_of(draft).keys, "obstacles": []}
    )
    found["obstacles"] = [each._asdict() for each in obstacles_of(draft)]
    found["others"] = [
        {
            "model": need.model,
            "chosen": need.model_id,
            "variable": need.own_variable,
            "place": "{}:{}".format(*need.places[0]) if need.places else "",
        }
        for need in still_wired(needs(draft))
        if need.asks_for_another
    ]
    return found


@transaction.atomic
def deploy(draft: Draft, name: str, system_prompt: str) -> tuple[Agent, NewKey]:
    """Register the agent with its wires and a key; the draft is gone then."""
    wired = [need for need in still_wired(needs(draft)) if need.is_wired]
    rows: dict[str, ModelProvider] = ModelProvider.objects.in_bulk(
        {need.provider for need in wired}, field_name="name"
    )
    targets: dict[str, Any] = {
        need.role: (rows[need.provider], need.model_id)
        for need in wired
        if need.provider in rows
    }
    places = {need.role: need.place() for need in wired}
    analysis = analysis_of(draft)
    agent = Agent.objects.create(
        name=name,
        system_prompt=system_prompt,
        tools=analysis.tools,
        doors=sorted({usage.api for usage in analysis.usages} & set(NAMES)),
    )
    registration.wire(agent, targets, places)
    key = AgentKey.issue(agent)
    draft.delete()
    return agent, key
