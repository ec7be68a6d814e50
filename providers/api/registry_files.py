"""The registry as a YAML file: written by `export`, made true by `apply`.

A file holds the same objects as the HTTP API and no secret: where a secret's value is
to be entered it says ``{env: NAME}``, the name of a variable in the environment of
whoever applies it. A file is the whole truth about the providers it names.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from providers.api import objects
from providers.api.registry_changes import (
    Application,
    Change,
    RegistryFileError,
    managed_providers,
    managed_secrets,
)

HEADER = """\
# The registry of model providers. Apply it with: manage.py providers apply FILE
# Secrets are never written here. To enter one, name a variable of the environment:
#   data: {api_key: {env: OPENAI_API_KEY}}
"""
SECTIONS = ("secrets", "model_providers")


# --- export ---


def export() -> str:
    """Return the registry as YAML, without any secret's value.

    The Playground LLM is left out while the starter kit looks after it: its address and
    key belong to this installation.
    """
    providers = [
        {"name": row.name, "spec": objects.spec_of(row)} for row in managed_providers()
    ]
    secrets = [
        {
            "name": row.name,
            "keys": row.keys,
            "origins": row.origins,
            "secret_set": True,
        }
        for row in managed_secrets()
    ]
    import yaml  # here, because a server that serves has no use for it

    things = {"secrets": secrets, "model_providers": providers}
    text = yaml.safe_dump(
        things, sort_keys=False, allow_unicode=True, default_flow_style=False
    )
    return HEADER + text


# --- apply ---


def apply(
    text: str,
    environ: Mapping[str, str],
    *,
    dry_run: bool = False,
    prune: bool = False,
    by_administrator: bool = True,
) -> list[Change]:
    """Make the registry what the file says; return what changed.

    All or nothing: with any problem nothing is stored and RegistryFileError lists them
    all. With `dry_run` nothing is stored either way. With `prune` what the file does
    not name is deleted. Who is no administrator may not change everything.
    """
    things = _load(text)
    with transaction.atomic():
        application = Application(things, environ, by_administrator=by_administrator)
        changes = application.run(prune)
        if dry_run:
            transaction.set_rollback(True)
    return changes


def _load(text: str) -> dict[str, list[Any]]:
    import yaml  # see export

    try:
        # An alias stands for as much as its anchor, and nine of nine of nine such for
        # more than can be read: a registry has no use for them.
        if any(isinstance(each, yaml.AliasEvent) for each in yaml.parse(text)):
            raise RegistryFileError(
                ["The file holds a YAML alias (*name); write out what it stands for."]
            )
        loaded = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RegistryFileError([f"The file is not valid YAML: {error}"]) from None
    if not isinstance(loaded, dict):
        raise RegistryFileError(
            [f"The file must hold {' and '.join(SECTIONS)}, each a list."]
        )
    problems = [f"{key}: is not a section." for key in loaded if key not in SECTIONS]
    things: dict[str, list[Any]] = {}
    for section in SECTIONS:
        value = loaded.get(section)
        things[section] = [] if value is None else value
        if not isinstance(things[section], list):
            problems.append(f"{section}: must be a list.")
    if problems:
        raise RegistryFileError(problems)
    return things
