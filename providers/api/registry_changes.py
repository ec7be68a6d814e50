"""Makes the registry what a file says, object by object; tells what changed.

See `registry_files.py` for the file itself.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import ProtectedError

from providers import starter
from providers.api import objects, registry_secrets
from providers.api.object_reader import ObjectError, Parsed, parse
from providers.forms.credentials import NETWORK_VALUES
from providers.forms.provider import EditConflict, ProviderForm
from providers.models import ModelProvider, Secret


class RegistryFileError(Exception):
    """A file that cannot be applied; `problems` says why, one sentence each."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class Change(NamedTuple):
    """What happened to one object: its kind and name, and the fields that differ.

    `action` is ``add``, ``change`` or ``remove``; `fields` maps the path of each field
    to its value before and after, None where it was or is absent.
    """

    action: str
    kind: str
    name: str
    fields: dict[str, tuple[Any, Any]]


def managed_providers() -> list[ModelProvider]:
    """Return the providers that files are about: all but the starter kit's own."""
    rows = ModelProvider.objects.select_related("secret").prefetch_related(
        "provider_models"
    )
    return [row for row in rows if not _is_starters(row)]


def _is_starters(provider: ModelProvider) -> bool:
    return provider.name == starter.NAME and starter.is_managed(provider)


def managed_secrets() -> list[Secret]:
    """Return the secrets that files are about: all but the starter kit's own."""
    rows = Secret.objects.prefetch_related("providers__secret")
    return [row for row in rows if not any(map(_is_starters, row.providers.all()))]


class Application:
    """One file being applied: collects changes, and problems instead of stopping."""

    def __init__(
        self,
        things: dict[str, list[Any]],
        environ: Mapping[str, str],
        *,
        by_administrator: bool = True,
    ) -> None:
        self._things = things
        self._environ = environ
        self._by_administrator = by_administrator
        self._changes: list[Change] = []
        self._problems: list[str] = []

    def run(self, prune: bool) -> list[Change]:
        """Apply everything; raises RegistryFileError, which undoes it."""
        providers = self._parsed_providers()
        names = self._names("secrets", self._things["secrets"])
        wanted = self._origins(providers)
        for position, thing in enumerate(self._things["secrets"]):
            self._noting(f"secrets[{position}]", partial(self._secret, thing, wanted))
        for where, parsed in providers:
            self._noting(where, partial(self._provider, parsed))
        if prune and not self._problems:
            self._prune({parsed.name for _, parsed in providers}, names)
        if self._problems:
            raise RegistryFileError(self._first_causes(names))
        return self._changes

    def _first_causes(self, names: set[str]) -> list[str]:
        """Return the problems without those that follow from a secret's own."""
        missing = tuple(f"There is no secret named `{name}`." for name in names)
        return [problem for problem in self._problems if not problem.endswith(missing)]

    def _noting(self, where: str, step: Callable[[], None]) -> None:
        try:
            with transaction.atomic():
                step()
        except ObjectError as error:
            self._problems += [f"{where}.{problem}" for problem in error.problems]
        except EditConflict as error:
            self._problems.append(f"{where}: {error}")

    def _names(self, section: str, things: list[Any]) -> set[str]:
        names: set[str] = set()
        for position, thing in enumerate(things):
            name = thing.get("name") if isinstance(thing, Mapping) else None
            if name in names:
                self._problems.append(
                    f"{section}[{position}].name: {name} stands twice."
                )
            if isinstance(name, str):
                names.add(name)
        return names

    def _parsed_providers(self) -> list[tuple[str, Parsed]]:
        things = self._things["model_providers"]
        self._names("model_providers", things)
        parsed = []
        for position, thing in enumerate(things):
            where = f"model_providers[{position}]"
            try:
                parsed.append((where, parse(thing)))
            except ObjectError as error:
                self._problems += [f"{where}.{problem}" for problem in error.problems]
        return parsed

    # --- secrets ---

    def _origins(self, providers: list[tuple[str, Parsed]]) -> dict[str, set[str]]:
        """Return secret name -> where the providers of this file send it."""
        wanted: dict[str, set[str]] = {}
        for _, parsed in providers:
            name = parsed.values.get("secret")
            form = objects.whole_form(parsed)
            form.is_valid()
            if {"endpoint", "token_url", "region", "options"} & set(form.errors):
                continue
            if name:
                places = form.instance.required_origins()
                wanted.setdefault(name, set()).update(places)
            if name := parsed.values.get("network_secret"):
                places = form.instance.network_origins(NETWORK_VALUES)
                wanted.setdefault(name, set()).update(places)
        return wanted

    def _secret(self, thing: Any, wanted: Mapping[str, set[str]]) -> None:
        if changed := registry_secrets.entered(thing, wanted, self._environ):
            self._note("secret", *changed)

    # --- providers ---

    def _provider(self, parsed: Parsed) -> None:
        """Store one provider, unless it already is what the file says."""
        stored = objects.stored(parsed.name)
        before = None if stored is None else objects.spec_of(stored)
        form = objects.whole_form(parsed)
        form.by_administrator = self._by_administrator
        objects.checked(form, parsed)
        point = transaction.savepoint()
        after = objects.spec_of(_fresh(form))
        if before == after:
            transaction.savepoint_rollback(point)
            return
        transaction.savepoint_commit(point)
        self._note("model provider", parsed.name, before, after)

    # --- the rest ---

    def _prune(self, providers: set[str], secrets: set[str]) -> None:
        for provider in managed_providers():
            if provider.name not in providers:
                self._remove("model provider", provider, objects.spec_of(provider))
        for secret in managed_secrets():
            is_used = bool(secret.users())
            if secret.name not in secrets and not is_used:
                self._remove("secret", secret, registry_secrets.shown(secret))

    def _remove(
        self, kind: str, row: ModelProvider | Secret, before: dict[str, Any]
    ) -> None:
        name = row.name
        try:
            row.delete()
        except ProtectedError as error:
            users = {str(getattr(r, "agent", r)) for r in error.protected_objects}
            self._problems.append(
                f"The {kind} {name} cannot be removed: it is wired to "
                f"{', '.join(sorted(users))}."
            )
            return
        self._note(kind, name, before, None)

    def _note(
        self,
        kind: str,
        name: str,
        before: dict[str, Any] | None,
        after: dict[str, Any] | None,
    ) -> None:
        action = "change"
        if before is None:
            action = "add"
        if after is None:
            action = "remove"
        fields = difference(before or {}, after or {})
        self._changes.append(Change(action, kind, name, fields))


def _fresh(form: ProviderForm) -> ModelProvider:
    """Save the form and return what the database then holds."""
    provider = objects.stored(form.save().name)
    if provider is None:
        raise AssertionError("a provider just saved is there")
    return provider


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> dict[str, tuple[Any, Any]]:
    """Return path -> (before, after) for every field that differs."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    paths = [*old, *(path for path in new if path not in old)]
    return {
        path: (old.get(path), new.get(path))
        for path in paths
        if old.get(path) != new.get(path)
    }


def _flat(thing: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in thing.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
