"""What somebody enters as a provider's credentials, and where they are put.

The rule that no page, API or file may break: a stored secret is sent to an address only
if somebody entered it for that address.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from providers import options
from providers.models import ModelProvider, Secret, keys_in
from providers.sealing import UnreadableSecret

Auth = ModelProvider.Auth

# The values that each way of authenticating may take; the first is where messages about
# missing or unusable credentials appear.
VALUES: dict[str, tuple[str, ...]] = {
    Auth.API_KEY: ("api_key",),
    Auth.AWS_SIGV4: (
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "bedrock_api_key",
    ),
    Auth.OAUTH2: ("client_id", "client_secret"),
    Auth.NONE: (),
}
NETWORK_VALUES = ("proxy_user", "proxy_password", "client_key")
"""Values of the secret that is for connections, whatever the authentication."""

ALL_VALUES = tuple(name for names in VALUES.values() for name in names)

LABELS: dict[str, Any] = {
    "api_key": _("API key"),
    "aws_access_key_id": _("AWS access key ID"),
    "aws_secret_access_key": _("AWS secret access key"),
    "aws_session_token": _("AWS session token"),
    "bedrock_api_key": _("Bedrock API key"),
    "client_id": _("Client ID"),
    "client_secret": _("Client secret"),
    "proxy_user": _("Proxy user"),
    "proxy_password": _("Proxy password"),
    "client_key": _("Key of the client certificate"),
}
MAX_LENGTH = 8000


class CredentialError(ValueError):
    """Credentials that cannot be used; `field` is the form field to say it at."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def typed(auth_type: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Return the non-empty values in `values` that belong to `auth_type`."""
    return {
        name: values[name] for name in VALUES.get(auth_type, ()) if values.get(name)
    }


def check_values(provider: ModelProvider, values: Mapping[str, str]) -> None:
    """Raise CredentialError unless newly entered `values` are complete and sendable."""
    for name, value in values.items():
        if re.search(r"[^\x21-\x7e]", value):
            raise CredentialError(
                name,
                f"The {LABELS[name]} holds a space, line break or character that no "
                "key has. Copy it again.",
            )
        if len(value) > MAX_LENGTH:
            raise CredentialError(
                name, f"The {LABELS[name]} is longer than {MAX_LENGTH} characters."
            )
    match provider.auth_type:
        case Auth.API_KEY:
            _check_api_key(provider, values)
        case Auth.AWS_SIGV4:
            _check_aws(values)
        case Auth.OAUTH2:
            _check_oauth2(provider, values)


def _check_api_key(provider: ModelProvider, values: Mapping[str, str]) -> None:
    try:
        for key in keys_in(values["api_key"]):
            options.check_header(provider.header_name, provider.value_prefix + key)
    except options.HeaderError as error:
        if error.field != "header_name":
            raise CredentialError("api_key", str(error)) from None


def _check_aws(values: Mapping[str, str]) -> None:
    if "bedrock_api_key" in values:
        if len(values) > 1:
            raise CredentialError(
                "bedrock_api_key",
                "Enter either a Bedrock API key or an AWS access key, not both.",
            )
        return
    for name in ("aws_access_key_id", "aws_secret_access_key"):
        if name not in values:
            raise CredentialError(name, f"Enter the {LABELS[name]} too.")
    if values["aws_access_key_id"].startswith("ASIA") and (
        "aws_session_token" not in values
    ):
        raise CredentialError(
            "aws_session_token",
            "Access keys that start with ASIA are temporary: enter their session "
            "token.",
        )


def _check_oauth2(provider: ModelProvider, values: Mapping[str, str]) -> None:
    if "client_id" not in values:
        raise CredentialError("client_id", "Enter the Client ID too.")
    had_secret = provider.secret is not None and "client_secret" in provider.secret.keys
    if "client_secret" not in values and (had_secret or not provider.authorization_url):
        raise CredentialError("client_secret", "Enter the Client secret too.")


def check_stored(provider: ModelProvider, secret: Secret | None) -> None:
    """Raise CredentialError unless `secret` may be used by `provider` as it stands."""
    field = VALUES[provider.auth_type][0]
    if secret is None:
        raise CredentialError(
            field, f"Enter the {LABELS[field]}, or choose a stored secret."
        )
    check_kind(provider, secret)
    if not secret.origins:
        try:
            # Opens it, so that a broken one is told now; the save stores the result.
            secret.adopt(provider.required_origins())
        except UnreadableSecret as error:
            raise CredentialError(field, str(error)) from None
    elif missing := secret.lacking(provider.required_origins()):
        raise CredentialError(
            field,
            f"Enter the {LABELS[field]} again: {secret.name} was entered for "
            f"{places(secret.origins)} and is never sent anywhere else. Missing is "
            f"{places(missing)}. Over /api/v1/secrets it is given with the "
            f"credential, as {_listed(secret.origins, missing)}.",
        )


def check_kind(provider: ModelProvider, secret: Secret | None) -> None:
    """Raise CredentialError if `secret` holds what another authentication needs."""
    if secret is not None and not _fits(provider.auth_type, secret):
        raise CredentialError(
            "secret",
            f"The secret {secret.name} holds {', '.join(secret.keys) or 'nothing'}; "
            f"this authentication needs {_needs(provider.auth_type)}.",
        )


def outline(secret: Secret) -> str:
    """Return what tells a secret from others without giving it away."""
    for name in ("api_key", "aws_access_key_id", "bedrock_api_key", "client_id"):
        if name in secret.hints:
            return f"••••{secret.hints[name]}"
    return ", ".join(str(LABELS.get(key, key)) for key in secret.keys)


def _fits(auth_type: str, secret: Secret) -> bool:
    held = set(secret.keys)
    match auth_type:
        case Auth.API_KEY:
            return "api_key" in held
        case Auth.AWS_SIGV4:
            pair = {"aws_access_key_id", "aws_secret_access_key"}
            return "bedrock_api_key" in held or pair <= held
        case Auth.OAUTH2:
            return "client_id" in held
    return False


def _needs(auth_type: str) -> str:
    if auth_type == Auth.AWS_SIGV4:
        return "aws_access_key_id and aws_secret_access_key, or bedrock_api_key"
    return " and ".join(VALUES[auth_type])


def _listed(origins: list[str], missing: list[str]) -> str:
    """Return the origins as they are written in an object of the API or in a file."""
    return json.dumps({"origins": [*origins[:3], *missing]})


def places(origins: list[str]) -> str:
    """Return origins for a sentence, ports that go without saying left out."""
    shown = [
        origin.removesuffix(":443") if origin.startswith("https") else origin
        for origin in origins
    ]
    return " and ".join(shown[:3])


def store(
    provider: ModelProvider, values: dict[str, str], chosen: Secret | None
) -> Secret:
    """Return the saved secret that holds newly entered `values` for `provider`.

    `chosen` is the stored secret that is to take them. It keeps the addresses it was
    allowed for if other providers use it: the values were entered for those too.
    Without it a secret of the provider's own is made, or replaced if it has one.
    """
    required = provider.required_origins()
    secret = chosen if chosen is not None else _own_secret(provider)
    if secret is None:
        secret = Secret(name=free_name(f"{provider.name[:50]}-key"))
    shared = secret.pk and secret.providers.exclude(pk=provider.pk).exists()
    secret.store(values, [*required, *(secret.origins if shared else ())])
    secret.save()
    return secret


def _own_secret(provider: ModelProvider) -> Secret | None:
    """Return the provider's current secret unless another provider uses it too."""
    secret = provider.secret
    if secret is None or secret.providers.exclude(pk=provider.pk).exists():
        return None
    return secret


def free_name(base: str) -> str:
    """Return a name for a new secret: `base`, with a number where that is taken."""
    taken = set(
        Secret.objects.filter(name__startswith=base).values_list("name", flat=True)
    )
    names = (base if n == 1 else f"{base}-{n}" for n in range(1, len(taken) + 3))
    return next(name for name in names if name not in taken)
