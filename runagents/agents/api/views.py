"""`/api/v1` about agents: which model each role uses, and what that costs.

The shapes are those of `AgentConfig` and `ModelSpendResponse` in RunAgents' OpenAPI
document and SDK. What this console does not have (budgets, tools, policies, identity
providers) is refused by name rather than stored without effect.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from gateway.ledger import totals
from gateway.models import CallerKind
from providers.api.access import APIError, body_of, reply, workspace_api
from providers.api.object_reader import ObjectError
from providers.api.objects import NAMESPACE
from providers.models import ModelProvider, ProviderModel
from runagents.agents import registration
from runagents.agents.forms import ROLE, Target
from runagents.agents.models import Agent
from runagents.agents.wiring import main_connection

TOP_MODELS = 20
SPENT_BY = ("provider", "model", "caller_kind", "caller")
UNCAPPED = "Uncapped"
UNSUPPORTED = ("identity_provider", "required_tools", "policies")
CONFIG_FIELDS = {"system_prompt", "llm_configs", *UNSUPPORTED}
LLM_FIELDS = {"role", "model_provider", "provider", "model", "monthly_budget_usd"}


# --- agents ---


@workspace_api("GET")
def agents(request: HttpRequest) -> HttpResponse:
    """List all agents."""
    rows = Agent.objects.prefetch_related("wires__provider")
    return reply([_agent_object(row) for row in rows])


@workspace_api("GET", "DELETE")
def agent(request: HttpRequest, name: str) -> HttpResponse:
    """Show one agent, or delete it with its keys and wires."""
    row = _agent(name)
    if request.method == "DELETE":
        row.delete()
        return reply({"status": "deleted"})
    return reply(_agent_object(row))


@workspace_api("GET", "PUT")
def agent_config(request: HttpRequest, name: str) -> HttpResponse:
    """Show an agent's prompt and models, or change those that the request gives."""
    row = _agent(name)
    if request.method == "PUT":
        with transaction.atomic():
            _configure(row, body_of(request))
    return reply(_config_object(row))


def _agent(name: str) -> Agent:
    row = Agent.objects.filter(name=name).first()
    if row is None:
        raise APIError(404, f'agent "{name}" not found')
    return row


def _agent_object(row: Agent) -> dict[str, Any]:
    main = main_connection(registration.connections(row))
    llm = {"provider": main.provider_type, "model": main.model_id} if main else {}
    return {
        "name": row.name,
        "namespace": NAMESPACE,
        "spec": {"image": "", "systemPrompt": row.system_prompt, "llmConfig": llm},
        "status": {
            "phase": "Registered",
            "message": "Registered with its model access; it runs where you run it.",
        },
    }


def _config_object(row: Agent) -> dict[str, Any]:
    wires = registration.connections(row)
    start, end = _period(timezone.now())
    spent = _spent_by_model(row, start)
    return {
        "agent_name": row.name,
        "namespace": NAMESPACE,
        # An agent runs where its people run it: there is no image of it here.
        "image": "",
        "system_prompt": row.system_prompt,
        "llm_configs": [
            {
                "role": wire.role,
                "model_provider": wire.provider_name,
                "provider": wire.provider_type,
                "model": wire.model_id,
            }
            for wire in wires
        ],
        "model_usage": [
            {
                "label": f"{wire.role}: {wire.model_id}",
                "role": wire.role,
                "model_provider": wire.provider_name,
                "provider": wire.provider_type,
                "model": wire.model_id,
                "estimated_spend_usd": spent.get(
                    (wire.provider_name, wire.model_id), 0.0
                ),
                "period_start": start.isoformat(),
                "period_end": end.isoformat(),
                "status": UNCAPPED,
            }
            for wire in wires
        ],
        "required_tools": [],
        "policies": [],
    }


def _spent_by_model(row: Agent, start: datetime) -> dict[tuple[str, str], float]:
    names = {"caller": row.name, "caller_kind": CallerKind.AGENT}
    found = totals.since(start, "provider", "model", **names)
    return {
        (name, model): float(each.cost or 0) for (name, model), each in found.items()
    }


# --- changing the configuration ---


def _configure(row: Agent, body: Mapping[str, Any]) -> None:
    """Store what `body` gives; raises ObjectError naming each wrong field."""
    problems = [
        f"{field}: is not a field of an agent's configuration."
        for field in body
        if field not in CONFIG_FIELDS
    ]
    problems += [
        f"{field}: is not supported by this gateway."
        for field in UNSUPPORTED
        if body.get(field)
    ]
    prompt = body.get("system_prompt")
    if prompt is not None and not isinstance(prompt, str):
        problems.append("system_prompt: must be text.")
    targets = None
    if body.get("llm_configs") is not None:
        targets = _targets(body["llm_configs"], problems)
    if problems:
        raise ObjectError(problems)
    if isinstance(prompt, str):
        row.system_prompt = prompt
        row.save(update_fields=["system_prompt"])
    if targets is not None:
        registration.wire(row, targets)


def _targets(configs: Any, problems: list[str]) -> dict[str, Target]:
    """Return role -> (provider, model id), noting what is wrong in `problems`."""
    if not isinstance(configs, list):
        problems.append("llm_configs: must be a list.")
        return {}
    targets: dict[str, Target] = {}
    for position, config in enumerate(configs):
        path = f"llm_configs[{position}]"
        try:
            role, target = _target(config)
        except ObjectError as error:
            problems += [f"{path}{problem}" for problem in error.problems]
            continue
        if role in targets:
            problems.append(f"{path}.role: {role} stands twice.")
        targets[role] = target
    return targets


def _target(config: Any) -> tuple[str, Target]:
    if not isinstance(config, Mapping):
        raise ObjectError([": must be an object."])
    unknown = [field for field in config if field not in LLM_FIELDS]
    if unknown:
        raise ObjectError([f".{field}: is not known." for field in unknown])
    if config.get("monthly_budget_usd") is not None:
        raise ObjectError([".monthly_budget_usd: budgets are not supported here."])
    texts = {field: config.get(field) or "" for field in LLM_FIELDS}
    wrong = [field for field, value in texts.items() if not isinstance(value, str)]
    if wrong:
        raise ObjectError([f".{field}: must be text." for field in sorted(wrong)])
    role = texts["role"] or registration.ROLES[0]
    if not ROLE.fullmatch(role):
        raise ObjectError([f".role: {role[:63]!r} is not a lower-case word."])
    if not texts["model"]:
        raise ObjectError([".model: is required."])
    return role, (_provider(texts), texts["model"])


def _provider(texts: Mapping[str, str]) -> ModelProvider:
    """Return the provider that is named, or the first that serves the model."""
    model, name, kind = texts["model"], texts["model_provider"], texts["provider"]
    rows = ProviderModel.objects.filter(model_id=model).select_related("provider")
    rows = rows.order_by("provider__priority", "provider__pk")
    if name:
        rows = rows.filter(provider__name=name)
    else:
        rows = rows.filter(provider__enabled=True)
        if kind:
            rows = rows.filter(provider__provider_type=kind.lower())
    row = rows.first()
    if row is not None:
        return row.provider
    if name and not ModelProvider.objects.filter(name=name).exists():
        raise ObjectError([f'.model_provider: model provider "{name}" not found.'])
    who = f'model provider "{name}" does not serve' if name else "no provider serves"
    raise ObjectError([f'.model: {who} "{model}".'])


# --- spend ---


@workspace_api("GET")
def model_spend(request: HttpRequest) -> HttpResponse:
    """Show what this month's calls are estimated to have cost, dearest first."""
    start, end = _period(timezone.now())
    found = totals.since(start, *SPENT_BY)
    spent = {key: each.cost or Decimal() for key, each in found.items()}
    total = float(sum(spent.values()))
    dearest = sorted(spent, key=lambda key: (-spent[key], key))[:TOP_MODELS]
    types = dict(ModelProvider.objects.values_list("name", "provider_type"))
    roles = _roles(caller for *_names, caller in dearest)
    summary = {
        "total_estimated_spend_usd": total,
        "total_budget_usd": 0.0,
        "remaining_budget_usd": 0.0,
        "budgeted_model_count": 0,
        "near_budget_count": 0,
        "blocked_count": 0,
        "uncapped_spend_usd": total,
        "period_start": start.isoformat(),
        "period_end": end.isoformat(),
    }
    top = [
        {
            "agent_name": caller,
            "agent_namespace": NAMESPACE,
            "label": f"{caller}: {model}",
            "role": roles.get((caller, provider, model), ""),
            "model_provider": provider,
            "provider": types.get(provider, ""),
            "model": model,
            "estimated_spend_usd": float(spent[provider, model, kind, caller]),
            "period_start": start.isoformat(),
            "period_end": end.isoformat(),
            "status": UNCAPPED,
        }
        for provider, model, kind, caller in dearest
    ]
    return reply({"summary": summary, "warnings": [], "top_models": top})


def _roles(names: Iterable[str]) -> dict[tuple[str, str, str], str]:
    """Return (agent, provider, model) -> role, for the agents of these names."""
    rows = Agent.objects.filter(name__in=set(names)).values_list(
        "name", "wires__provider__name", "wires__model_id", "wires__role"
    )
    return {(name, provider, model): role for name, provider, model, role in rows}


def _period(now: datetime) -> tuple[datetime, datetime]:
    """Return the start of this month and of the next."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    month = start.month % 12 + 1
    return start, start.replace(year=start.year + (month == 1), month=month)
