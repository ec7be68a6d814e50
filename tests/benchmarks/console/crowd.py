"""A large installation: many providers and agents, a month of very many calls.

Run with a server's environment:

    python -m tests.benchmarks.console.crowd PROVIDERS CALLS

The same data each time, counted back from now. No provider is asked for anything.
"""

import os
import random
import sys
from datetime import datetime, timedelta
from decimal import Decimal

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runagents.settings")
django.setup()

from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from gateway.ledger import summaries  # noqa: E402
from gateway.models import UsageRecord  # noqa: E402
from providers.models import (  # noqa: E402
    ModelProvider,
    ProviderModel,
    RegistryVersion,
    Secret,
)
from providers.vendors import VENDORS  # noqa: E402
from runagents.agents import registration  # noqa: E402
from runagents.agents.models import Agent  # noqa: E402
from tests.benchmarks.console import AGENT, agent_name, model_id, provider_name  # noqa: E402

DAYS = 30
MODELS = 4
ROUTED = 500
AGENTS = 300
BATCH = 5_000
FAILURES = (
    (429, "upstream_error", "upstream_rate_limit"),
    (502, "upstream_error", "upstream_error"),
    (504, "upstream_error", "upstream_timeout"),
    (400, "upstream_error", "context_length_exceeded"),
)


def main() -> None:
    """Create the database that the environment names, and fill it."""
    providers, calls = map(int, sys.argv[1:])
    call_command("migrate", verbosity=0)
    call_command("createsuperuser", interactive=False, verbosity=0)
    _register(providers)
    now = timezone.now()
    chance = random.Random(11)
    # A few providers get most of the calls, as everywhere.
    shares = [1 / (place + 1) for place in range(providers)]
    for start in range(0, calls, BATCH):
        count = min(BATCH, calls - start)
        UsageRecord.objects.bulk_create(
            _call(chance, start + place, calls, provider, now)
            for place, provider in enumerate(
                chance.choices(range(providers), shares, k=count)
            )
        )
    hours = 24 * (DAYS + 1)
    first = summaries.hour_of(now) - timedelta(hours=hours)
    summaries.refresh(first + timedelta(hours=number) for number in range(hours + 1))


def _register(count: int) -> None:
    """Make providers and agents; every tenth model is served by two providers.

    Beside the `count` providers there is one that routes to very many models.
    """
    now, types = timezone.now(), list(VENDORS)
    secrets = [Secret(name=f"{provider_name(number)}-key") for number in range(count)]
    for number, secret in enumerate(secrets):
        secret.store({"api_key": f"sk-{number:032}"}, [_endpoint(number)])
    Secret.objects.bulk_create(secrets)
    ModelProvider.objects.bulk_create(
        ModelProvider(
            name=provider_name(number),
            provider_type=types[number % len(types)],
            endpoint=_endpoint(number),
            auth_type=ModelProvider.Auth.API_KEY,
            header_name="Authorization",
            value_prefix="Bearer ",
            secret=secrets[number],
            region="us-east-1" if number % 4 == 2 else "",
            requests_per_minute=600,
            status=ModelProvider.Status.AVAILABLE,
            status_checked_at=now,
        )
        for number in range(count)
    )
    rows = list(ModelProvider.objects.order_by("pk"))
    ProviderModel.objects.bulk_create(
        ProviderModel(
            provider=provider,
            model_id=model_id(number, place)
            if number % 10
            else model_id(number - 1, place),
            upstream_id=model_id(number, place),
        )
        for number, provider in enumerate(rows)
        for place in range(MODELS)
    )
    router = ModelProvider.objects.create(
        name="router",
        endpoint="https://router.example.com",
        auth_type=ModelProvider.Auth.NONE,
        status=ModelProvider.Status.AVAILABLE,
        status_checked_at=now,
    )
    ProviderModel.objects.bulk_create(
        ProviderModel(provider=router, model_id=f"routed/{place}", position=place)
        for place in range(ROUTED)
    )
    for number in range(AGENTS):
        provider = rows[number * 7 % count]
        model = provider.provider_models.first()
        assert model is not None
        agent = Agent.objects.create(name=agent_name(number))
        registration.wire(agent, {"default": (provider, model.model_id)})
    RegistryVersion.bump()


def _endpoint(number: int) -> str:
    return f"https://host-{number}.models.example.com"


def _call(
    chance: random.Random, number: int, calls: int, provider: int, now: datetime
) -> UsageRecord:
    duration = round(900 * chance.lognormvariate(0, 0.6))
    tokens = chance.randrange(200, 6_000), chance.randrange(20, 900)
    row = UsageRecord(
        call_id=f"{number:032x}",
        request_id=f"req_{number:028x}",
        started_at=now - timedelta(days=DAYS) * (1 - number / calls),
        caller=agent_name(provider * 7 % AGENTS),
        caller_kind=AGENT,
        key_hint="ra_…",
        provider=provider_name(provider),
        model=model_id(provider, number % MODELS),
        upstream_model=model_id(provider, number % MODELS),
        stream=number % 2 == 0,
        status=200,
        upstream_status=200,
        finish_reason="stop",
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        cached_tokens=0,
        routed_ms=1,
        upstream_ms=2,
        first_byte_ms=duration // 3,
        duration_ms=duration,
        cost=Decimal(sum(tokens)) / 1_000_000,
    )
    # One in a hundred fails; now and then one that nobody waited for.
    if number % 100 == 7:
        row.status, row.outcome, row.error_code = chance.choice(FAILURES)
        row.failed, row.finish_reason, row.cost = True, "", None
        row.error_message = "The provider answered with an error."
    elif number % 10_000 == 3:
        row.outcome, row.status = UsageRecord.Outcome.CLIENT_CLOSED, 499
    return row


if __name__ == "__main__":
    main()
