"""What many tests share."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings

from gateway.identifiers import token
from gateway.models import UsageRecord
from gateway.worker.runtime import runtime
from providers.models import ModelProvider, ProviderModel, Secret
from tests import doors, limits

# A busy machine makes an example slow, not wrong.
settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
# Of 27,000 tests that are collected nothing is garbage: looking takes a third of it.
gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage again, but never among what was collected."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, so that no process ends alone with one."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _nobody_has_tried_yet(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Counts are kept in files, and all tests come from one address."""
    limiter = limits.of_a_test(tmp_path_factory.getbasetemp() / f"limits-{token(8)}")
    monkeypatch.setattr(runtime, "limiter", limiter)
    yield
    # It waits for nothing, and Playwright's loop goes on running on this thread.
    with suppress(StopIteration):
        limiter.aclose().send(None)


@pytest.fixture
def administrator(db: None) -> User:
    """An administrator of the console."""
    return User.objects.create_superuser("admin", "admin@example.com", "correct horse")


@pytest.fixture
def logged_in_client(administrator: User) -> Client:
    """A browser session of the administrator, with CSRF checks off."""
    client = Client()
    client.force_login(administrator)
    return client


@pytest.fixture
def provider(db: None) -> Callable[..., ModelProvider]:
    """Makes a saved provider: `provider("openai", models=[...], key="sk-...", ...)`."""

    def make(
        name: str = "openai",
        *,
        models: tuple[str, ...] = ("gpt-4o-mini",),
        key: str = "sk-upstream-key-0123456789",
        **fields: Any,
    ) -> ModelProvider:
        defaults = {
            "provider_type": "openai",
            "endpoint": "http://127.0.0.1:9",
            "private_network": True,
            "auth_type": "api_key",
            "header_name": "Authorization",
            "value_prefix": "Bearer ",
        }
        row = ModelProvider(name=name, **{**defaults, **fields})
        row.clean()
        if row.needs_secret and row.secret is None:
            row.secret = Secret(name=f"{name}-secret")
            row.secret.store({"api_key": key}, row.required_origins())
            row.secret.save()
        row.save()
        for position, model_id in enumerate(models):
            ProviderModel.objects.create(
                provider=row, model_id=model_id, position=position
            )
        return row

    return make


@pytest.fixture
def record(db: None) -> Callable[..., UsageRecord]:
    """Makes a row of the ledger: `record(minutes_ago=5, status=502, ...)`."""
    made = 0

    def make(minutes_ago: float = 1, **fields: Any) -> UsageRecord:
        nonlocal made
        made += 1
        defaults = {
            "call_id": f"{made:032x}",
            "request_id": f"req_{made}",
            "started_at": timezone.now() - timedelta(minutes=minutes_ago),
            "caller": "support-bot",
            "caller_kind": "agent",
            "provider": "openai",
            "model": "gpt-4o-mini",
            "upstream_model": "gpt-4o-mini",
            "status": 200,
            "input_tokens": 10,
            "output_tokens": 5,
            "duration_ms": 1240,
        }
        row = {**defaults, **fields}
        ended_well = row.get("outcome", "ok") in ("ok", "client_closed")
        row.setdefault("failed", row["status"] >= 400 or not ended_well)
        return UsageRecord.objects.create(**row)

    return make


@pytest.fixture(params=doors.EVERY, ids=lambda door: door.name)
def door(request: pytest.FixtureRequest) -> doors.ClientDoor:
    """Each door."""
    found: doors.ClientDoor = request.param
    return found


@pytest.fixture(params=doors.CONVERSING, ids=lambda door: door.name)
def streaming_door(request: pytest.FixtureRequest) -> doors.ClientDoor:
    """Each door in which conversations are held."""
    found: doors.ClientDoor = request.param
    return found
