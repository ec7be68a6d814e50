"""Providers and secrets as objects: what the HTTP API and registry files hold.

The shape of a provider is RunAgents': ``{name, spec: {provider, endpoint, models, auth,
rateLimit, options}, status}``; the flat form of its command line, with the fields of
`spec` at the top, is read too. All rules about values are in `ProviderForm`; here is
only which field goes where, and back.
https://docs.runagents.io/api/model-providers/
"""

from typing import Any

from providers import endpoints, starter
from providers.api.object_reader import (
    AUTH_NAMES,
    COLUMNS,
    MODEL_SETTINGS,
    ObjectError,
    Parsed,
)
from providers.forms import presets
from providers.forms.entries import PRICES
from providers.forms.provider import ProviderForm
from providers.models import ModelProvider, ProviderModel, Secret

Object = dict[str, Any]
Auth = ModelProvider.Auth

NAMESPACE = "default"
"""RunAgents' objects carry one; here there is a single workspace."""

# Where each way to authenticate keeps the name of its secret.
SECRET_PATHS: dict[str, str] = {
    Auth.API_KEY: "auth.apiKeyConfig.secretRef.name",
    Auth.AWS_SIGV4: "auth.awsConfig.credentialsSecretRef.name",
    Auth.OAUTH2: "auth.oauth2Config.credentialsSecretRef.name",
}

# Form field -> path below `spec`, for error messages.
PATHS: dict[str, str] = {
    "provider_type": "provider",
    "endpoint": "endpoint",
    "models": "models",
    "auth_type": "auth.type",
    "header_name": "auth.apiKeyConfig.name",
    "value_prefix": "auth.apiKeyConfig.valuePrefix",
    "region": "auth.awsConfig.region",
    "authorization_url": "auth.oauth2Config.authUrl",
    "token_url": "auth.oauth2Config.tokenUrl",
    "scopes": "auth.oauth2Config.scopes",
    "token_params": "auth.oauth2Config.authParams",
    "client_auth": "auth.oauth2Config.clientAuth",
    "requests_per_minute": "rateLimit.requestsPerMinute",
    "private_network": "options.private_network",
    "priority": "options.priority",
    "enabled": "options.enabled",
    "options": "options",
    "network_secret": "options.network_secret",
    "proxy_user": "options.network_secret",
    "proxy_password": "options.network_secret",
    "client_key": "options.network_secret",
}

# --- rows to objects ---


def provider_object(provider: ModelProvider) -> Object:
    """Return the provider as the API shows it; secrets by name only.

    RunAgents' document has bare ids for models: what is special about one stands among
    the options. Its command line reads three fields beside `spec`.
    """
    spec = _with_bare_models(spec_of(provider))
    return {
        "name": provider.name,
        "namespace": NAMESPACE,
        "provider": spec["provider"],
        "endpoint": spec["endpoint"],
        "models": spec["models"],
        "spec": spec,
        "status": {
            "phase": provider.status.capitalize(),
            "message": provider.status_message,
        },
    }


def spec_of(provider: ModelProvider) -> Object:
    """Return what of a provider is entered, as opposed to found out."""
    spec: Object = {
        "provider": provider.provider_type,
        "endpoint": provider.endpoint,
        "models": _models(provider),
        "auth": _auth(provider),
    }
    if provider.requests_per_minute is not None:
        spec["rateLimit"] = {"requestsPerMinute": provider.requests_per_minute}
    options = {name: getattr(provider, name) for name in COLUMNS}
    if provider.network_secret is not None:
        options["network_secret"] = provider.network_secret.name
    spec["options"] = options | provider.options
    return spec


def _with_bare_models(spec: Object) -> Object:
    """Return `spec` with ids for its models, and their settings as an option."""
    settings = {
        model["id"]: {name: value for name, value in model.items() if name != "id"}
        for model in spec["models"]
        if isinstance(model, dict)
    }
    ids = [m["id"] if isinstance(m, dict) else m for m in spec["models"]]
    options = {**spec["options"], MODEL_SETTINGS: settings} if settings else None
    return {**spec, "models": ids, "options": options or spec["options"]}


def _models(provider: ModelProvider) -> list[str | Object]:
    rows = provider.provider_models.all()
    models = [_model(row) for row in rows]
    if not starter.is_sandbox(provider):
        return models
    # That the sandbox costs nothing goes without saying.
    free = dict.fromkeys(PRICES, 0.0)
    return [
        row.model_id if model == {"id": row.model_id, "prices": free} else model
        for row, model in zip(rows, models, strict=True)
    ]


def _model(row: ProviderModel) -> str | Object:
    prices = {
        key: float(price)
        for key, column in PRICES.items()
        if (price := getattr(row, column)) is not None
    }
    extras = {
        "upstream_id": row.upstream_id,
        "base_model": row.base_model,
        "prices": prices,
        "capabilities": row.capabilities,
    }
    given = {key: value for key, value in extras.items() if value}
    return {"id": row.model_id, **given} if given else row.model_id


def _auth(provider: ModelProvider) -> Object:
    auth: Object = {"type": AUTH_NAMES[provider.auth_type]}
    secret = {"name": provider.secret.name} if provider.secret is not None else None
    match provider.auth_type:
        case Auth.API_KEY:
            auth["apiKeyConfig"] = {
                "in": "Header",
                "name": provider.header_name,
                "valuePrefix": provider.value_prefix,
                "secretRef": secret,
            }
        case Auth.AWS_SIGV4:
            auth["awsConfig"] = {
                "region": provider.region,
                "credentialsSecretRef": secret,
            }
        case Auth.OAUTH2:
            auth["oauth2Config"] = {
                "authUrl": provider.authorization_url,
                "tokenUrl": provider.token_url,
                "scopes": provider.scopes.split(),
                "authParams": provider.token_params,
                "clientAuth": provider.client_auth,
                "credentialsSecretRef": secret,
            }
    return auth


def secret_object(secret: Secret) -> Object:
    """Return what may be told about a secret: never a value, nor a part of one."""
    return {
        "name": secret.name,
        "keys": secret.keys,
        "origins": secret.origins,
        "usedBy": [row.name for row in secret.users()],
        "createdAt": secret.created_at.isoformat(),
    }


# --- form values to rows ---


def form_for(parsed: Parsed) -> ProviderForm:
    """Return the form that creates or updates the provider; what is left out stays.

    Raises ObjectError with every problem, each by its path in the object.
    """
    provider = stored(parsed.name)
    form = ProviderForm.for_values(parsed.values, provider)
    return checked(form, parsed)


def whole_form(parsed: Parsed) -> ProviderForm:
    """Return the form that makes the provider what the object says and no more.

    For files that are the whole truth: what is left out falls back to the preset of the
    provider's type. Not yet validated; see `checked`.
    """
    values = parsed.values
    preset = presets.initial(
        values.get("provider_type", ""), values.get("auth_type") or ""
    )
    whole: dict[str, Any] = {
        "requests_per_minute": None,
        "options": {},
        "scopes": "",
        "authorization_url": "",
        "token_url": "",
        "token_params": {},
        "network_secret": "",
        **preset,
        **values,
    }
    given = whole["options"] if isinstance(whole["options"], dict) else {}
    places = (whole.get("endpoint"), given.get("proxy"))
    whole.setdefault("private_network", any(_is_private(each) for each in places))
    if isinstance(whole.get("models"), list):
        # As objects they bring all their settings, so that none of before is kept.
        whole["models"] = [
            {"id": model} if isinstance(model, str) else model
            for model in whole["models"]
        ]
    return ProviderForm.for_values(whole, stored(parsed.name))


def stored(name: str) -> ModelProvider | None:
    """Return the provider of this name, or None."""
    return ModelProvider.objects.select_related("secret").filter(name=name).first()


def checked(form: ProviderForm, parsed: Parsed) -> ProviderForm:
    """Return `form` if it is valid; raises ObjectError otherwise."""
    if form.is_valid():
        return form
    auth_type = form.instance.auth_type
    problems = []
    for field, errors in form.errors.items():
        path = _path(field, auth_type, parsed.prefix)
        problems += [f"{path}: {error}" if path else str(error) for error in errors]
    raise ObjectError(problems)


def _path(field: str, auth_type: str, prefix: str) -> str:
    """Return where in the object a form field's value came from."""
    if field in {"__all__", "name"}:
        return "" if field == "__all__" else "name"
    if field in PATHS:
        return prefix + PATHS[field]
    # The values of a credential are never in the object: the secret's name is.
    return prefix + SECRET_PATHS.get(auth_type, "auth")


def _is_private(endpoint: Any) -> bool:
    if not isinstance(endpoint, str) or not endpoint:
        return False
    try:
        return endpoints.is_private(endpoints.normalize(endpoint))
    except endpoints.EndpointError:
        return False
