"""Providers of other types, which have none of the small formats."""

from collections.abc import Callable

import pytest

OTHERS = {
    "anthropic": {"header_name": "x-api-key", "value_prefix": ""},
    "ollama": {},
}


@pytest.fixture(params=OTHERS)
def other(request, provider) -> Callable[..., object]:
    """Makes a provider of a type that only answers chat."""
    kind = {"provider_type": request.param, **OTHERS[request.param]}
    return lambda *names, **changes: provider(*names, **kind, **changes)
