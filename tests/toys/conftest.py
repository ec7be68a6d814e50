"""Adds the toys to a running gateway, as one would to the packages."""

import pytest

from gateway.doors import DOORS
from gateway.entry import routes
from gateway.translators import TRANSLATORS
from providers.vendors import VENDORS
from tests.gateway.conftest import (  # noqa: F401  fixtures
    chat,
    completion,
    gateway,
    ledger,
    upstream,
)
from tests.toys import toy_door, toy_format, toy_vendor


@pytest.fixture
def door(monkeypatch):
    """The toy's door, open at /v1/ask and pinned to a provider at /v1/p/<name>/ask."""
    endpoints = routes.endpoints_of(r"(?:v1/)?ask", toy_door)
    monkeypatch.setitem(DOORS, toy_door.NAME, toy_door)
    monkeypatch.setattr(routes, "ENDPOINTS", (*routes.ENDPOINTS, *endpoints))
    routes._match.cache_clear()
    yield "/v1/ask"
    routes._match.cache_clear()


@pytest.fixture
def toy_type(monkeypatch):
    """The toy among the types of providers, and its format among those we speak."""
    monkeypatch.setitem(VENDORS, "toy", toy_vendor.VENDOR)
    monkeypatch.setitem(TRANSLATORS, "toy", toy_format)


@pytest.fixture
def registered(toy_type, logged_in_client):
    """A provider of the toy's type, entered in the browser's form."""
    fields = {
        "name": "toys",
        "provider_type": "toy",
        "endpoint": "https://toys.example",
        "auth_type": "none",
        "models": "bear",
        "priority": "100",
        "enabled": "on",
    }
    answer = logged_in_client.post("/models/new/", fields)
    assert answer.status_code == 302, answer.content
