"""The built-in Playground LLM: one provider that works before anybody has a key.

With `PLAYGROUND_LLM_API_KEY` it is OpenAI itself. Without, it is the offline sandbox, a
small upstream that this server offers to itself in OpenAI's format.
"""

import hashlib
import hmac
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from providers.models import ModelProvider, Secret, SecretNotAllowed
from providers.sealing import UnreadableSecret
from providers.vendors import VENDORS

NAME = "playground-llm"
TYPE = "openai"
MODEL = "gpt-4o-mini"
EMBEDDING_MODEL = "sandbox-embedding"
SECRET_NAME = "playground-llm-key"  # noqa: S105
SANDBOX_PATH = "/sandbox"
SANDBOX_NOTE = (
    "Answers come from the offline sandbox, not from a model. Set "
    "PLAYGROUND_LLM_API_KEY, or edit this provider and add a key."
)

# A mark inside the secret. Whoever enters a key replaces all that the secret holds, the
# mark included: what an administrator entered is never taken for ours.
_MARK = "managed_by"
_MARK_VALUE = "starter kit"
_PRICES = ("input_price", "output_price", "cached_input_price")


class _Target(NamedTuple):
    """Where the Playground LLM belongs by the settings of now."""

    endpoint: str
    key: str
    private_network: bool


def sandbox_key() -> str:
    """Return the key by which the sandbox knows its own provider's calls.

    Derived from SECRET_KEY, so that all workers and hosts of an installation agree.
    """
    digest = hmac.new(settings.SECRET_KEY.encode(), b"offline sandbox", hashlib.sha256)
    return f"sandbox-{digest.hexdigest()}"


def own_address() -> str:
    """Return scheme, host and port at which this server reaches itself."""
    host = settings.LISTEN_HOST
    if host in {"localhost", "0.0.0.0", "::"}:  # noqa: S104
        host = "127.0.0.1"
    bracketed = f"[{host}]" if ":" in host else host
    return f"http://{bracketed}:{settings.LISTEN_PORT}"


def sandbox_endpoint() -> str:
    """Return the sandbox's address, for the Playground LLM."""
    return own_address() + SANDBOX_PATH


def is_sandbox(provider: ModelProvider) -> bool:
    """Tell whether `provider` is answered by the offline sandbox, on whatever port."""
    if provider.provider_type != TYPE:
        return False
    parts = urlsplit(provider.endpoint)
    own = urlsplit(sandbox_endpoint())
    return parts.path == SANDBOX_PATH and parts.hostname in {own.hostname, "127.0.0.1"}


@transaction.atomic
def add_playground_llm() -> ModelProvider:
    """Return the Playground LLM, made or moved to where the settings want it.

    Calling again changes nothing while the settings stay the same. A provider whose
    endpoint or key an administrator has edited is returned as it is.
    """
    target = _target()
    provider, created = ModelProvider.objects.select_related("secret").get_or_create(
        name=NAME,
        defaults={
            "provider_type": TYPE,
            "endpoint": target.endpoint,
            "private_network": target.private_network,
            "auth_type": ModelProvider.Auth.API_KEY,
            "header_name": "Authorization",
            "value_prefix": "Bearer ",
        },
    )
    if created:
        provider.provider_models.create(model_id=MODEL)
        provider.secret = _secret()
        _point(provider, target)
    elif is_managed(provider) and not _points_to(provider, target):
        _point(provider, target)
    return provider


@transaction.atomic
def refresh_sandbox_address() -> bool:
    """Follow the server to the port and key of now; tell whether anything moved.

    For `serve` at its start. Only a Playground LLM that already is in the sandbox is
    touched; moving it to OpenAI stays the administrator's decision.
    """
    provider = ModelProvider.objects.select_related("secret").filter(name=NAME).first()
    if provider is None or not is_managed(provider) or not is_sandbox(provider):
        return False
    target = _sandbox()
    if _points_to(provider, target):
        return False
    _point(provider, target)
    return True


def _target() -> _Target:
    key = settings.PLAYGROUND_LLM_API_KEY
    if not key:
        return _sandbox()
    return _Target(VENDORS[TYPE].endpoint, key, False)


def _sandbox() -> _Target:
    return _Target(sandbox_endpoint(), sandbox_key(), True)


def _secret() -> Secret:
    """Return the secret to write: one left by an earlier starter kit, or a new one."""
    taken = {
        secret.name: secret
        for secret in Secret.objects.filter(name__startswith=SECRET_NAME)
    }
    names = [SECRET_NAME, *(f"{SECRET_NAME}-{n}" for n in range(2, len(taken) + 3))]
    for name in names:
        if name not in taken:
            return Secret(name=name)
        if _MARK in taken[name].keys and not taken[name].providers.exists():
            return taken[name]
    raise AssertionError("there are more names than secrets")


def is_managed(provider: ModelProvider) -> bool:
    """Tell whether endpoint and key are still what this module wrote."""
    openai = VENDORS[TYPE].endpoint
    return (
        provider.secret is not None
        and _MARK in provider.secret.keys
        and provider.auth_type == ModelProvider.Auth.API_KEY
        and (provider.endpoint == openai or is_sandbox(provider))
    )


def _points_to(provider: ModelProvider, target: _Target) -> bool:
    if provider.endpoint != target.endpoint:
        return False
    try:
        stored = provider.credentials()["api_key"]
    except (SecretNotAllowed, UnreadableSecret):
        return False
    return hmac.compare_digest(stored.encode(), target.key.encode())


def _point(provider: ModelProvider, target: _Target) -> None:
    """Write `target` into the provider and its secret; it is checked anew."""
    secret = provider.secret
    if secret is None:
        raise ValueError("the Playground LLM has no secret to write to")
    provider.endpoint = target.endpoint
    provider.private_network = target.private_network
    provider.header_name, provider.value_prefix = "Authorization", "Bearer "
    provider.status, provider.status_message = ModelProvider.Status.PENDING, ""
    provider.status_checked_at = None
    provider.version += 1
    values = {"api_key": target.key, _MARK: _MARK_VALUE}
    secret.store(values, provider.required_origins())
    secret.save()
    provider.secret = secret
    provider.save()
    _price(provider)


def _price(provider: ModelProvider) -> None:
    """Let the sandbox's answers cost nothing, and OpenAI's what its list says.

    Prices that an administrator has entered stay.
    """
    ours = {None, Decimal(0)}
    price = Decimal(0) if is_sandbox(provider) else None
    for row in provider.provider_models.all():
        if {getattr(row, column) for column in _PRICES} <= ours:
            for column in _PRICES:
                setattr(row, column, price)
            row.save(update_fields=_PRICES)
