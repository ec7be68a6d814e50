"""A believable installation: providers, agents, a month of calls, a log of changes.

Run with a server's environment: python -m tests.screenshots.world
The same data each time, counted back from now. No provider is asked for anything.
"""

import os
import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.utils import timezone  # noqa: E402

from gateway import models as ledger  # noqa: E402
from gateway.ledger import summaries  # noqa: E402
from providers.models import ModelProvider, WorkspaceKey  # noqa: E402
from runagents.agents import registration  # noqa: E402
from runagents.agents.models import Agent, AgentKey  # noqa: E402
from runagents.models import AuditEntry  # noqa: E402

DAYS, CALLS_A_DAY = 30, 160
Status = ModelProvider.Status


def _key(header: str, prefix: str, secret: str) -> dict[str, Any]:
    config = {"name": header, "valuePrefix": prefix, "secretRef": {"name": secret}}
    return {"type": "APIKey", "apiKeyConfig": config}


REGISTRY = {
    "model_providers": [
        {
            "name": "openai",
            "spec": {
                "provider": "openai",
                "endpoint": "https://api.openai.com",
                "models": [
                    "gpt-4o",
                    "gpt-4o-mini",
                    "o4-mini",
                    "gpt-4.1",
                    "gpt-4.1-mini",
                    "text-embedding-3-small",
                ],
                "rateLimit": {"requestsPerMinute": 600},
                "auth": _key("Authorization", "Bearer ", "openai"),
            },
        },
        {
            "name": "anthropic",
            "spec": {
                "provider": "anthropic",
                "endpoint": "https://api.anthropic.com",
                "models": ["claude-sonnet-4-20250514", "claude-opus-4-5"],
                "rateLimit": {"requestsPerMinute": 300},
                "auth": _key("x-api-key", "", "anthropic"),
            },
        },
        {
            "name": "bedrock",
            "spec": {
                "provider": "bedrock",
                "endpoint": "https://bedrock-runtime.us-east-1.amazonaws.com",
                "models": [
                    "anthropic.claude-sonnet-4-20250514-v1:0",
                    "amazon.nova-pro-v1:0",
                ],
                "auth": {
                    "type": "AWSSignature",
                    "awsConfig": {
                        "region": "us-east-1",
                        "credentialsSecretRef": {"name": "aws"},
                    },
                },
            },
        },
        {
            "name": "ollama",
            "spec": {
                "provider": "ollama",
                "endpoint": "http://localhost:11434",
                "models": ["llama3.2:3b", "qwen3:8b"],
                "auth": {"type": "None"},
                "options": {"private_network": True},
            },
        },
        {
            "name": "azure-eu",
            "spec": {
                "provider": "openai",
                "endpoint": "https://contoso-eu.openai.azure.com/openai/v1",
                "models": ["gpt-4o-mini"],
                "auth": _key("api-key", "", "azure"),
            },
        },
    ],
    "secrets": [
        {"name": "openai", "data": {"api_key": {"env": "DEMO_KEY"}}},
        {"name": "anthropic", "data": {"api_key": {"env": "DEMO_KEY"}}},
        {"name": "azure", "data": {"api_key": {"env": "DEMO_KEY"}}},
        {
            "name": "aws",
            "data": {
                "aws_access_key_id": {"env": "DEMO_KEY"},
                "aws_secret_access_key": {"env": "DEMO_KEY"},
            },
        },
    ],
}
"""What `manage.py providers apply` is given before the rest."""

STATUSES = {
    "openai": (Status.AVAILABLE, ""),
    "anthropic": (Status.AVAILABLE, ""),
    "bedrock": (
        Status.FAILED,
        "Stored secret cannot be decrypted with the current keys.",
    ),
    "ollama": (
        Status.UNAVAILABLE,
        "Cannot reach localhost:11434 (connection refused). Is it running and reachable"
        " from this server?",
    ),
    "azure-eu": (Status.AVAILABLE, ""),
}

AGENTS = {
    "support-bot": {
        "default": ("openai", "gpt-4o-mini"),
        "classify": ("azure-eu", "gpt-4o-mini"),
    },
    "research-agent": {
        "default": ("anthropic", "claude-sonnet-4-20250514"),
        "chat": ("openai", "gpt-4.1"),
    },
    "code-reviewer": {"default": ("anthropic", "claude-opus-4-5")},
    "night-batch": {"default": ("ollama", "llama3.2:3b")},
}

SONNET = "claude-sonnet-4-20250514"
# caller, kind, provider, model, share, usual milliseconds, dollars per 1,000 tokens
TRAFFIC = (
    ("support-bot", "agent", "openai", "gpt-4o-mini", 46, 900, "0.0003"),
    (
        "research-agent",
        "agent",
        "anthropic",
        "claude-sonnet-4-20250514",
        24,
        3200,
        "0.006",
    ),
    ("research-agent", "agent", "openai", "gpt-4.1", 10, 2100, "0.004"),
    ("code-reviewer", "agent", "anthropic", "claude-opus-4-5", 9, 5200, "0.012"),
    ("night-batch", "agent", "ollama", "llama3.2:3b", 7, 1500, None),
    ("pipeline", "workspace", "openai", "gpt-4o", 4, 1800, "0.005"),
    (
        "pipeline",
        "workspace",
        "openai",
        "text-embedding-3-small",
        5,
        260,
        "0.00002",
    ),
)
# By caller, where it does not ask for chat completions: door and client.
DOORS = {
    "code-reviewer": ("messages", "claude-code"),
    "night-batch": ("ollama", ""),
}
PURPOSES = ("main", "main", "main", "title", "compaction")
SESSION = "0199f3a4-{:04d}-7c1e-9a52-3be1c0de{:04d}"
SESSIONS = 40

FAILURES = (
    (502, 503, "upstream_error", "The provider answered with an error: overloaded."),
    (504, None, "upstream_timeout", "The provider did not answer in time."),
    (429, 429, "upstream_rate_limit", "Rate limit reached for requests."),
    (400, 400, "context_length_exceeded", "This model takes 128000 tokens at most."),
)


def main() -> None:
    """Fill the database that the environment names."""
    chance = random.Random(7)
    now = timezone.now()
    for name, (status, message) in STATUSES.items():
        ModelProvider.objects.filter(name=name).update(
            status=status,
            status_message=message,
            status_checked_at=now - timedelta(seconds=chance.randrange(20, 280)),
        )
    for name, wires in AGENTS.items():
        agent = Agent.objects.create(name=name)
        targets = {
            role: (ModelProvider.objects.get(name=provider), model)
            for role, (provider, model) in wires.items()
        }
        registration.wire(agent, targets)
        AgentKey.issue(agent)
    for name in ("pipeline", "evaluation"):
        WorkspaceKey.issue(name)
    ledger.UsageRecord.objects.bulk_create(
        _call(chance, number, now) for number in range(DAYS * CALLS_A_DAY)
    )
    first_hour = summaries.hour_of(now - timedelta(days=DAYS + 1))
    summaries.refresh(
        first_hour + timedelta(hours=number) for number in range(24 * (DAYS + 1) + 1)
    )
    AuditEntry.objects.bulk_create(_change(chance, number) for number in range(140))


def _call(chance: random.Random, number: int, now: datetime) -> ledger.UsageRecord:
    caller, kind, provider, model, _share, usual, price = chance.choices(
        TRAFFIC, [each[4] for each in TRAFFIC]
    )[0]
    # More by day than by night, and a little more each day.
    age = timedelta(days=DAYS * (1 - (number / (DAYS * CALLS_A_DAY)) ** 0.8))
    duration = round(usual * chance.lognormvariate(0, 0.45))
    tokens = chance.randrange(200, 6000), chance.randrange(20, 900)
    streams = chance.random() < 0.6
    row = ledger.UsageRecord(
        call_id=f"{number:08x}{chance.getrandbits(96):024x}",
        request_id=f"req_{chance.getrandbits(96):024x}",
        started_at=now - age - timedelta(seconds=chance.randrange(40, 2400)),
        caller=caller,
        caller_kind=kind,
        key_hint="ra_…" if kind == "agent" else "ws_…",
        provider=provider,
        model=model,
        upstream_model=model,
        stream=streams,
        status=200,
        upstream_status=200,
        finish_reason=chance.choice(["stop", "stop", "stop", "tool_calls", "length"]),
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cached_tokens=tokens[0] // 2 if chance.random() < 0.3 else 0,
        routed_ms=1,
        upstream_ms=3,
        first_byte_ms=round(duration * (0.25 if streams else 0.97)),
        duration_ms=duration,
        cost=Decimal(price) * sum(tokens) / 1000 if price else None,
        dropped=["logit_bias"] if chance.random() < 0.03 else [],
    )
    if model == "text-embedding-3-small":
        row.door, row.stream, row.output_tokens = "embeddings", False, 0
        row.details = {"inputs": 64, "upstream_calls": 1, "dimensions": 1536}
    elif caller in DOORS:
        row.door, row.client = DOORS[caller]
    if caller == "code-reviewer":
        session = number * SESSIONS // (DAYS * CALLS_A_DAY)
        row.session_id = SESSION.format(session, session)
        row.agent_id = chance.choice(["", "reviewer-2"])
        row.request_class = chance.choice(PURPOSES)
    if chance.random() < (0.2 if provider == "ollama" else 0.015):
        row.status, row.upstream_status, row.error_code, row.error_message = (
            chance.choice(FAILURES)
        )
        row.outcome, row.failed, row.finish_reason = "upstream_error", True, ""
        row.input_tokens = row.output_tokens = row.cached_tokens = row.cost = None
    return row


def _change(chance: random.Random, number: int) -> AuditEntry:
    actors = [User.objects.order_by("pk").first(), "maria", "deploy (manage.py)"]
    kind, label, action, fields = chance.choice(
        [
            ("model provider", "openai", "change", ["models", "requests per minute"]),
            ("model provider", "ollama", "change", ["endpoint"]),
            ("secret", "anthropic", "change", ["values"]),
            ("agent", "support-bot", "add", []),
            ("wire", "research-agent: default", "change", ["model"]),
            ("API key", "evaluation", "revoke", ["revoked at"]),
            ("user", "", "log_in_failed", []),
            ("user", "maria", "log_in", []),
        ]
    )
    return AuditEntry(
        actor="" if action == "log_in_failed" else str(chance.choice(actors)),
        address=chance.choice(["10.0.4.17", "2001:db8:85a3::8a2e:370:7334", ""]),
        action=action,
        kind=kind,
        label=label,
        fields=fields,
        operation=f"{number:032x}",
    )


if __name__ == "__main__":
    main()
