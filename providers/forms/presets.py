"""What a new provider starts with: its type's endpoint and authentication, or a preset.

From the vendors' own documentation; the form fills these in, the HTTP API uses them
for whatever a request leaves out.
"""

from collections.abc import Collection, Mapping
from typing import Any

from providers import vendors
from providers.forms import option_fields
from providers.models import ModelProvider
from providers.vendors import VENDORS
from providers.vendors.presets import PRESETS

DEFAULT_REGION = "us-east-1"


def initial(provider_type: str, auth_type: str = "") -> dict[str, Any]:
    """Return what a new provider of this type starts with, by form field name.

    With `auth_type` the fields of that scheme are filled instead of the type's usual
    one. An unknown type gives nothing: the form then names the mistake.
    """
    if provider_type not in VENDORS:
        return {}
    vendor = VENDORS[provider_type]
    values: dict[str, Any] = {
        "provider_type": provider_type,
        "endpoint": vendor.endpoint,
        "auth_type": auth_type or vendor.auth_type,
        "region": DEFAULT_REGION,
        "priority": 100,
        "enabled": True,
        "client_auth": ModelProvider.ClientAuth.HEADER,
        **vendor.key_fields,
    }
    if vendor.is_local:
        values["private_network"] = True
    return values


def of_preset(name: str) -> dict[str, Any]:
    """Return what a preset starts with, by form field name; nothing for an unknown."""
    preset = PRESETS.get(name)
    if preset is None:
        return {}
    own = {
        "endpoint": preset.endpoint,
        "auth_type": preset.auth_type,
        "header_name": preset.header_name,
        "value_prefix": preset.value_prefix,
        "token_url": preset.token_url,
        "scopes": preset.scopes,
        "client_auth": preset.client_auth,
        **option_fields.initial(preset.options),
    }
    given = {field: value for field, value in own.items() if value is not None}
    return {**initial(preset.provider_type), "name": name, **given}


# What changes with the type as long as nobody typed something else.
_FOLLOWS_TYPE = ("name", "endpoint", "auth_type", "region", "private_network")


def switched(
    values: Mapping[str, Any], before: str, after: str, taken: Collection[str] = ()
) -> dict[str, Any]:
    """Return entered `values` for another type: what stood preset changes with it.

    What somebody typed stays. `taken` are names that the suggestion must avoid.
    """
    old = {**initial(before), "name": before}
    new = {**initial(after), "name": free_name(after, taken)}
    changed = {**values, "provider_type": after}
    for name in _FOLLOWS_TYPE:
        entered = values.get(name) or ""
        suggested = old.get(name, "")
        if entered in ("", suggested) or (
            name == "name" and str(entered).startswith(f"{before}-")
        ):
            changed[name] = new.get(name, "")
    if values.get("header_name", "") in ("", old.get("header_name")):
        changed |= vendors.of(after).key_fields
    if old.get("private_network"):
        changed["private_network"] = new.get("private_network", "")
    return changed


def free_name(wanted: str, taken: Collection[str]) -> str:
    """Return a name to suggest for a new provider: `wanted`, counted up when taken."""
    if wanted not in taken:
        return wanted
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"
