"""One secret of a registry's file: entered from the environment, or left as it is."""

from collections.abc import Mapping
from typing import Any

from providers.api import object_secrets
from providers.api.object_reader import ObjectError
from providers.api.object_secrets import ParsedSecret
from providers.models import Secret, SecretNotAllowed
from providers.sealing import UnreadableSecret

FIELDS = {"name", "keys", "data", "origins", "secret_set"}

Fields = dict[str, Any]


def entered(
    thing: Any, wanted: Mapping[str, set[str]], environ: Mapping[str, str]
) -> tuple[str, Fields | None, Fields] | None:
    """Store what `thing` enters; return name, what was shown of it before and after.

    None where nothing changes. `wanted` maps names to where the file's providers send
    them. Raises ObjectError.
    """
    if not isinstance(thing, Mapping):
        raise ObjectError(["must be an object."])
    unknown = [key for key in thing if key not in FIELDS]
    if unknown:
        raise ObjectError([f"{key}: is not a field of secrets." for key in unknown])
    stored = Secret.objects.filter(name=thing.get("name")).first()
    if thing.get("data") is None:
        _check_kept(thing, stored)
        return None
    given = {key: thing[key] for key in ("name", "origins") if key in thing}
    values = _resolved(thing["data"], environ)
    parsed = object_secrets.parse_secret({**given, "data": values})
    if parsed.origins is None:
        parsed = parsed._replace(origins=_places(parsed, stored, wanted))
    if stored is not None and _holds(stored, parsed):
        return None
    before = None if stored is None else shown(stored)
    after = shown(object_secrets.store_secret(parsed))
    if before is not None and before["keys"] == after["keys"]:
        after["values"] = "entered again"
    return parsed.name, before, after


def shown(secret: Secret) -> Fields:
    """Return what a change shows of a secret; never its values."""
    return {"keys": secret.keys, "origins": secret.origins}


def _check_kept(thing: Mapping[str, Any], stored: Secret | None) -> None:
    """Check an entry that enters no value: the secret stays what it is."""
    if stored is None:
        raise ObjectError(
            [
                f"data: {thing.get('name')} is not stored here. Enter it with "
                "{env: NAME}, the name of a variable that holds the value."
            ]
        )
    if thing.get("origins") is not None:
        origins, problems = object_secrets.parse_origins(thing["origins"])
        if not problems and sorted(set(origins)) != stored.origins:
            problems = [
                "origins: other addresses than those the secret was entered for "
                "need its value again. Add data."
            ]
        if problems:
            raise ObjectError(problems)


def _resolved(data: Any, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the values that `data` refers to."""
    if not isinstance(data, Mapping) or not data:
        raise ObjectError(["data: must map names to {env: NAME}."])
    values, problems = {}, []
    for name, reference in data.items():
        variable = reference.get("env") if isinstance(reference, Mapping) else None
        if not isinstance(variable, str) or set(reference) != {"env"}:
            problems.append(
                f"data.{name}: must be {{env: NAME}}; a registry file holds no secrets."
            )
        elif not environ.get(variable):
            problems.append(
                f"data.{name}: the variable {variable} is not set in the environment."
            )
        else:
            values[str(name)] = environ[variable]
    if problems:
        raise ObjectError(problems)
    return values


def _places(
    parsed: ParsedSecret, stored: Secret | None, wanted: Mapping[str, set[str]]
) -> list[str]:
    """Return where a secret may go whose entry names no origins.

    To the providers of this file that use it, and where it already went for others.
    """
    places = set(wanted.get(parsed.name, ()))
    if stored is not None and (stored.providers.exists() or not places):
        places |= set(stored.origins)
    return sorted(places)


def _holds(stored: Secret, parsed: ParsedSecret) -> bool:
    """Tell whether the stored secret already is what is entered."""
    if stored.origins != sorted(set(parsed.origins or ())):
        return False
    try:
        return stored.reveal([]) == parsed.values
    except (UnreadableSecret, SecretNotAllowed):
        return False
