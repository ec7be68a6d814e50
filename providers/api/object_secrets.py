"""Secrets as objects: ``{name, data, origins}``, written and never read back."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db.models import Q

from providers import endpoints
from providers.api.object_reader import ObjectError
from providers.forms import credentials, network
from providers.models import NAME_RULE, REGION_RULE, ModelProvider, Secret

FIELDS = {"name", "data", "origins"}
REGION_PREFIX = "region:"


class ParsedSecret(NamedTuple):
    """A secret as entered. `origins` is None where it was left out."""

    name: str
    values: dict[str, str]
    origins: list[str] | None

    def __repr__(self) -> str:
        return f"ParsedSecret({self.name}, {sorted(self.values)})"


def parse_secret(thing: Any) -> ParsedSecret:
    """Return the secret in an object; raises ObjectError naming each wrong field."""
    if not isinstance(thing, Mapping):
        raise ObjectError(["The secret must be an object."])
    problems = [
        f"{key}: is not a field of secrets." for key in thing if key not in FIELDS
    ]
    name = thing.get("name")
    try:
        NAME_RULE(name)
    except ValidationError as error:
        problems.append(f"name: {' '.join(error.messages)}")
    values = thing.get("data")
    problems += data_problems(values)
    origins = None
    if thing.get("origins") is not None:
        origins, wrong = parse_origins(thing["origins"])
        problems += wrong
    if problems:
        raise ObjectError(problems)
    return ParsedSecret(str(name), dict(values or {}), origins)


def data_problems(values: Any) -> list[str]:
    """Return what is wrong with the values of a secret, without repeating any."""
    if not isinstance(values, Mapping) or not values:
        return ['data: is required, for example {"api_key": "..."}.']
    problems = [
        f"data.{name}: is not known. A secret holds {_choices()}."
        for name in values
        if name not in (*credentials.ALL_VALUES, *credentials.NETWORK_VALUES)
    ]
    problems += [
        f"data.{name}: must be text that is not empty."
        for name, value in values.items()
        if not isinstance(value, str) or not value
    ]
    if problems:
        return problems
    if set(values) <= set(credentials.NETWORK_VALUES):
        return _of_network(values)
    for auth_type, names in credentials.VALUES.items():
        if set(values) <= set(names):
            return _incomplete(auth_type, values)
    return [f"data: mixes values of several kinds. A secret holds {_choices()}."]


def _incomplete(auth_type: str, values: Mapping[str, str]) -> list[str]:
    probe = ModelProvider(auth_type=auth_type, header_name="Authorization")
    try:
        credentials.check_values(probe, values)
    except credentials.CredentialError as error:
        return [f"data.{error.field}: {error}"]
    return []


def _of_network(values: Mapping[str, str]) -> list[str]:
    try:
        network.check_values(values)
    except network.NetworkError as error:
        return [f"data.{error.field}: {error}"]
    return []


def _choices() -> str:
    kinds = [*credentials.VALUES.values(), credentials.NETWORK_VALUES]
    groups = [" and ".join(names) for names in kinds if names]
    return ", or ".join(groups)


def parse_origins(value: Any) -> tuple[list[str], list[str]]:
    """Return the places a secret may be sent to, and what is wrong with them.

    An origin such as ``https://api.openai.com``, for OAuth2 also the whole token URL,
    for AWS also ``region:us-east-1``.
    """
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        return [], ["origins: must be a list of addresses."]
    origins, problems = [], []
    for position, text in enumerate(value):
        try:
            origins.append(_origin(text))
        except (endpoints.EndpointError, ValidationError) as error:
            message = error.message if isinstance(error, ValidationError) else error
            problems.append(f"origins[{position}]: {message}")
    return origins, problems


def _origin(text: str) -> str:
    if text.startswith(REGION_PREFIX):
        REGION_RULE(text.removeprefix(REGION_PREFIX))
        return text
    address = endpoints.normalize(text, strip_tail=False)
    is_bare = address.count("/") == 2
    return endpoints.origin(address) if is_bare else address


def store_secret(parsed: ParsedSecret) -> Secret:
    """Return the saved secret, new or with its values replaced.

    Without origins a stored secret keeps its own: the values were entered for the same
    use. A new one has none, until the first provider that names it.
    """
    secret = Secret.objects.filter(name=parsed.name).first() or Secret(name=parsed.name)
    origins = secret.origins if parsed.origins is None else parsed.origins
    secret.store(parsed.values, origins)
    secret.save()
    # What is known about the providers that use it was found out with other values.
    ModelProvider.objects.filter(Q(secret=secret) | Q(network_secret=secret)).update(
        status=ModelProvider.Status.PENDING, status_message=""
    )
    return secret
