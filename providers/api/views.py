"""`/api/v1`: the registry over HTTP, as RunAgents' SDK and command line expect it.

https://docs.runagents.io/api/model-providers/ and the paths `/starter-kit` and
`/auth/api-keys` of its OpenAPI document; `/secrets` and `/check` are ours.
"""

from typing import Any

from asgiref.sync import async_to_sync
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse

from providers import keys, starter, status
from providers.api import key_objects, object_secrets, objects
from providers.api.access import (
    KEY_HEADER,
    APIError,
    body_of,
    reply,
    too_many,
    workspace_api,
)
from providers.api.object_reader import parse
from providers.attempts import checks
from providers.forms.provider import EditConflict
from providers.models import ModelProvider, Secret, WorkspaceKey

CHANGED_MEANWHILE = "Somebody else changed it at the same time. Try again."


# --- model providers ---


@workspace_api("GET", "POST")
def model_providers(request: HttpRequest) -> HttpResponse:
    """List all model providers, or create or update one by its name."""
    if request.method == "GET":
        return reply([objects.provider_object(row) for row in _providers()])
    parsed = parse(body_of(request))
    try:
        with transaction.atomic():
            provider = objects.form_for(parsed).save()
    except (EditConflict, IntegrityError):
        raise APIError(409, CHANGED_MEANWHILE) from None
    return reply(objects.provider_object(_provider(provider.name)), 201)


@workspace_api("GET", "DELETE")
def model_provider(request: HttpRequest, name: str) -> HttpResponse:
    """Show or delete one model provider."""
    provider = _provider(name)
    if request.method == "DELETE":
        try:
            provider.delete()
        except ProtectedError as error:
            users = ", ".join(sorted({_owner(row) for row in error.protected_objects}))
            raise APIError(
                409,
                f'model provider "{name}" is wired to {users}. Wire it to another '
                "provider first, or disable this one with spec.options.enabled.",
            ) from None
        return reply({"status": "deleted"})
    return reply(objects.provider_object(provider))


@workspace_api("POST")
def model_provider_check(request: HttpRequest, name: str) -> HttpResponse:
    """Ask the provider whether it works, store and return what came of it."""
    provider = _provider(name)
    key: WorkspaceKey = request.workspace_key  # type: ignore[attr-defined]
    if wait := checks.add_now(f"key-{key.pk}"):
        raise too_many("checks", wait)
    result = async_to_sync(status.check)(provider)
    status.keep(provider, result, by_hand=True)
    found = {
        "hint": result.hint,
        "httpStatus": result.http_status,
        "durationMs": result.duration_ms,
        "missingModels": [missing.model for missing in result.missing],
    }
    return reply({**objects.provider_object(provider), "check": found})


def _owner(row: Any) -> str:
    """Return whom a row that keeps a provider belongs to: a wire's agent."""
    return str(getattr(row, "agent", row))


def _providers() -> QuerySet[ModelProvider]:
    return ModelProvider.objects.select_related("secret").prefetch_related(
        "provider_models"
    )


def _provider(name: str) -> ModelProvider:
    provider = _providers().filter(name=name).first()
    if provider is None:
        raise APIError(404, f'model provider "{name}" not found')
    return provider


# --- secrets ---


@workspace_api("GET", "POST")
def secrets(request: HttpRequest) -> HttpResponse:
    """List secrets without their values, or store one."""
    if request.method == "GET":
        rows = Secret.objects.prefetch_related("providers")
        return reply([objects.secret_object(row) for row in rows])
    parsed = object_secrets.parse_secret(body_of(request))
    try:
        with transaction.atomic():
            secret = object_secrets.store_secret(parsed)
    except IntegrityError:
        raise APIError(409, CHANGED_MEANWHILE) from None
    return reply(objects.secret_object(secret), 201)


@workspace_api("GET", "DELETE")
def secret(request: HttpRequest, name: str) -> HttpResponse:
    """Show one secret without its values, or delete it unless a provider uses it."""
    row = Secret.objects.prefetch_related("providers").filter(name=name).first()
    if row is None:
        raise APIError(404, f'secret "{name}" not found')
    if request.method == "GET":
        return reply(objects.secret_object(row))
    try:
        row.delete()
    except ProtectedError:
        users = ", ".join(provider.name for provider in row.users())
        raise APIError(409, f'secret "{name}" is used by {users}') from None
    return reply({"status": "deleted"})


# --- starter kit ---


@workspace_api("POST")
def starter_kit(request: HttpRequest) -> HttpResponse:
    """Make the starter kit, the Playground LLM and the echo tool; twice is harmless."""
    is_new = not ModelProvider.objects.filter(name=starter.NAME).exists()
    provider = starter.add_playground_llm()
    message = "The starter kit is ready."
    if starter.is_sandbox(provider):
        message += f" {starter.SANDBOX_NOTE}"
    created = {
        "tool_created": "echo-tool",
        "tools_created": ["echo-tool"],
        "model_provider_created": provider.name,
        "model_providers_created": [provider.name],
    }
    return reply({**(created if is_new else {}), "message": message}, 201)


# --- API keys ---


@workspace_api("GET", "POST")
def api_keys(request: HttpRequest) -> HttpResponse:
    """List the live workspace keys, or create one and show its token once."""
    if request.method == "GET":
        rows = WorkspaceKey.objects.filter(revoked_at=None)
        return reply([key_objects.key_object(row) for row in rows])
    row = WorkspaceKey()
    key_objects.change(row, {"name": None, **body_of(request)})
    return _with_new_token(row, 201)


@workspace_api("PATCH", "DELETE")
def api_key(request: HttpRequest, key_id: int) -> HttpResponse:
    """Change a workspace key's name, end, reach or pause, or revoke it."""
    row = _workspace_key(key_id)
    if request.method == "DELETE":
        row.revoke()
        return reply({"status": "deleted"})
    key_objects.change(row, body_of(request))
    row.save(update_fields=["name", "models", "expires_at", "paused_at"])
    return reply(key_objects.key_object(row))


@workspace_api("POST")
def api_key_rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    """Give a key a new token; the old one is refused from now on."""
    row = _workspace_key(key_id)
    body = body_of(request) if request.body else {}
    key_objects.change(row, body)
    row.last_used_at = None
    return _with_new_token(row, 200)


def _with_new_token(row: WorkspaceKey, status: int) -> HttpResponse:
    key = keys.generate(keys.WORKSPACE_PREFIX)
    row.take(key)
    row.save()
    answer = {
        "key": key_objects.key_object(row),
        "token": key.plaintext,
        "header": KEY_HEADER,
    }
    return reply(answer, status)


def _workspace_key(key_id: int) -> WorkspaceKey:
    row = WorkspaceKey.objects.filter(pk=key_id, revoked_at=None).first()
    if row is None:
        raise APIError(404, f'API key "{key_id}" not found')
    return row


# --- everything else ---


@workspace_api("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
def not_found(request: HttpRequest) -> HttpResponse:
    """Answer paths that do not exist in the API's own words."""
    raise APIError(404, f"{request.path} does not exist")
