"""Registries in the words of the registry file, for tests to apply."""

from collections.abc import Iterable
from typing import Any

Provider = dict[str, Any]


def registry(*providers: Provider, **secrets: dict[str, str]) -> dict[str, Any]:
    """Return a registry file: `secrets` maps name -> {key: variable}."""
    return {
        "secrets": [
            {
                "name": name.replace("_", "-"),
                "data": {key: {"env": variable} for key, variable in data.items()},
            }
            for name, data in secrets.items()
        ],
        "model_providers": list(providers),
    }


def _provider(
    name: str, kind: str, endpoint: str, models: Iterable[Any], options: dict[str, Any]
) -> Provider:
    limit = options.pop("requests_per_minute", 0)
    spec: dict[str, Any] = {
        "provider": kind,
        "endpoint": endpoint,
        "models": list(models),
        "auth": {"type": "None"},
        "options": {"private_network": True, **options},
    }
    if limit:
        spec["rateLimit"] = {"requestsPerMinute": limit}
    return {"name": name, "spec": spec}


def openai(name: str, endpoint: str, *models: Any, **options: Any) -> Provider:
    """Return a provider of type OpenAI without authentication."""
    return _provider(name, "openai", endpoint, models, options)


def anthropic(name: str, endpoint: str, *models: Any, **options: Any) -> Provider:
    """Return a provider of type Anthropic without authentication."""
    return _provider(name, "anthropic", endpoint, models, options)


def bedrock(name: str, endpoint: str, *models: Any, **options: Any) -> Provider:
    """Return a provider of type Bedrock without authentication."""
    return _provider(name, "bedrock", endpoint, models, options)


def ollama(name: str, endpoint: str, *models: Any, **options: Any) -> Provider:
    """Return a provider of type Ollama without authentication."""
    return _provider(name, "ollama", endpoint, models, options)


def with_key(
    provider: Provider, secret: str, header: str = "Authorization", prefix: str = ""
) -> Provider:
    """Return `provider` with an API key in a header."""
    config = {
        "in": "Header",
        "name": header,
        "valuePrefix": prefix,
        "secretRef": {"name": secret},
    }
    return _with_auth(provider, {"type": "APIKey", "apiKeyConfig": config})


def with_aws(provider: Provider, secret: str, region: str) -> Provider:
    """Return `provider` signed with AWS keys or a Bedrock API key."""
    config = {"region": region, "credentialsSecretRef": {"name": secret}}
    return _with_auth(provider, {"type": "AWSSignature", "awsConfig": config})


def with_oauth2(provider: Provider, secret: str, token_url: str) -> Provider:
    """Return `provider` with client credentials."""
    config = {
        "tokenUrl": token_url,
        "scopes": ["chat"],
        "credentialsSecretRef": {"name": secret},
    }
    return _with_auth(provider, {"type": "OAuth2", "oauth2Config": config})


def _with_auth(provider: Provider, auth: dict[str, Any]) -> Provider:
    return {**provider, "spec": {**provider["spec"], "auth": auth}}
