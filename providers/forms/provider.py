"""One form that validates a provider for browser, HTTP API and registry files."""

import copy
import sys
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from providers import endpoints, vendors
from providers.forms import credentials, entries, option_fields
from providers.forms.network import NetworkEntry, split_proxy
from providers.forms.provider_fields import ProviderFields
from providers.forms.secret_entry import SecretEntry
from providers.models import ModelProvider, OAuthToken, sharing
from providers.options import ADMINISTRATORS, NETWORK

Auth = ModelProvider.Auth

CONFLICT = _("This provider changed since you opened it.")
PRIVATE_NETWORK_NOTE = _(
    "This address, or that of the proxy, is on this machine or a private network, so "
    "connecting to it was allowed for this provider."
)

# The fields that mean nothing unless the provider authenticates in this way. What they
# hold otherwise is neither checked nor stored.
FIELDS_OF_AUTH: dict[str, tuple[str, ...]] = {
    Auth.API_KEY: ("header_name", "value_prefix"),
    Auth.OAUTH2: ("authorization_url", "token_url", "scopes", "token_params"),
}

FOR_ADMINISTRATORS = _(
    "Only an administrator may change this: it decides whom this server trusts, or as "
    "whom it acts."
)

# Words that the console's own addresses use where a provider's name stands.
RESERVED_NAMES = {"new", "starter"}


class EditConflict(Exception):
    """Somebody else saved the provider between reading and writing it."""


class ProviderForm(ProviderFields):
    """Everything about one provider.

    From a browser it takes the posted fields. The HTTP API and registry files use
    `for_values`. `secret` is the name of a stored secret; the fields of
    `credentials.VALUES` take new values, and all of them blank keeps the stored ones.
    Options come as one mapping (`options`), as fields of their own (``option_...``,
    ``timeout_...``), or both, the fields winning.
    """

    # What an operator may not decide stays as it is; see `options.ADMINISTRATORS`.
    by_administrator = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound and "@" in str(self.data.get("option_proxy", "")):
            self.data = _split(self.data)
        self._entry = SecretEntry(self.instance, self.original, {})
        self._network = NetworkEntry(self.instance, self.original, {})

    # --- cleaning ---

    def clean_name(self) -> str:
        """Keep names apart from the console's own addresses."""
        name: str = self.cleaned_data["name"]
        if name in RESERVED_NAMES:
            raise ValidationError(
                _("`%(name)s` stands for something else in the console's addresses."),
                params={"name": name},
            )
        return name

    def clean(self) -> dict[str, Any]:
        """Settle what the fields mean together, before the model checks itself."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self._check_types()
        kind = cleaned.get("provider_type", "")
        auth = cleaned.get("auth_type") or vendors.of(kind).auth_type
        if "auth_type" not in self.errors:
            cleaned["auth_type"] = auth
        self._forget_other_auths(auth)
        if cleaned.get("priority") is None and "priority" not in self.errors:
            cleaned["priority"] = 100
        self._settle_region(kind, auth)
        self._settle_options()
        if not self._is_given("private_network"):
            cleaned["private_network"] = _are_private(
                cleaned.get("endpoint", ""), cleaned.get("options")
            )
        self._check_version()
        return cleaned

    def _is_given(self, name: str) -> bool:
        return self.add_prefix(name) in self.data

    def _check_types(self) -> None:
        """Refuse values of the wrong JSON type; a browser sends texts only."""
        if isinstance(self.data, QueryDict):
            return
        for name, field in self.fields.items():
            value = self.data.get(self.add_prefix(name))
            if value is None or name in self.errors:
                continue
            if isinstance(field, forms.BooleanField) and not isinstance(value, bool):
                self.add_error(name, _("Must be true or false."))
            elif type(field) is forms.CharField and not isinstance(value, str):
                self.add_error(name, _("Must be text."))

    def _forget_other_auths(self, auth: str) -> None:
        """Blank the fields of other ways to authenticate, mistakes in them included."""
        for owner, names in FIELDS_OF_AUTH.items():
            for name in names if owner != auth else ():
                self.errors.pop(name, None)
                self.cleaned_data[name] = {} if name == "token_params" else ""

    def _settle_region(self, kind: str, auth: str) -> None:
        """Let endpoint and region follow each other, where there are regions."""
        cleaned = self.cleaned_data
        if not vendors.of(kind).has_regions and auth != Auth.AWS_SIGV4:
            self.errors.pop("region", None)
            cleaned["region"] = ""
            return
        if "region" in self.errors or "endpoint" in self.errors:
            return
        region, endpoint = cleaned.get("region", ""), cleaned.get("endpoint", "")
        if region:
            endpoint = _template_of(endpoint, self.original.region)
        cleaned["endpoint"] = endpoint.replace("{region}", region)
        if "{region}" in endpoint and not region:
            cleaned["endpoint"] = endpoint
            self.add_error("region", _("Enter the AWS region."))
            return
        in_host = vendors.region_of(cleaned["endpoint"])
        if region and in_host and in_host != region:
            self.add_error(
                "region",
                _("The endpoint is in %(host)s, the region says %(region)s.")
                % {"host": in_host, "region": region},
            )

    def _settle_options(self) -> None:
        if "options" in self.errors:
            return
        given = self._is_given("options")
        base = self.cleaned_data.get("options") if given else self.original.options
        base = {} if base is None else base
        if not isinstance(base, dict):
            self.add_error("options", _("Options must be an object."))
            return
        values, problems = option_fields.merged(base, self.cleaned_data, self._is_given)
        self.cleaned_data["options"] = values
        for field, problem in problems.items():
            self.add_error(field, problem)

    def _check_version(self) -> None:
        version = self.cleaned_data.get("version")
        if not self.instance.pk or version is None or version == self.original.version:
            return
        if not self.cleaned_data.get("overwrite"):
            raise ValidationError(CONFLICT, code="conflict")

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if "options" not in self.errors:
            self._check_credentials()
            self._check_network()

    def _check_credentials(self) -> None:
        wrong = set(self.errors)
        if not self.instance.needs_secret or {"auth_type", "secret"} & wrong:
            return
        self._entry = SecretEntry(self.instance, self.original, self.cleaned_data)
        try:
            self._entry.check(not {"endpoint", "token_url", "region"} & wrong)
        except credentials.CredentialError as error:
            self.add_error(error.field, str(error))

    def _check_network(self) -> None:
        if {"endpoint", "network_secret"} & set(self.errors):
            return
        cleaned, is_named = self.cleaned_data, self._is_given("network_secret")
        self._network = NetworkEntry(
            self.instance, self.original, cleaned, is_named=is_named
        )
        try:
            self._network.check()
        except credentials.CredentialError as error:
            self.add_error(error.field, str(error))
            return
        if not self.by_administrator:
            self._check_role()

    def _check_role(self) -> None:
        """Leave to administrators whom the server trusts and as whom it acts."""
        before, after = self.original.options, self.instance.options
        for name in ADMINISTRATORS:
            if before.get(name) != after.get(name):
                self.add_error(f"option_{name}", FOR_ADMINISTRATORS)
        if self._network.is_changed:
            self.add_error(None, FOR_ADMINISTRATORS)

    # --- what came of it ---

    @property
    def is_conflict(self) -> bool:
        """Whether the provider was changed by somebody else meanwhile."""
        return self.has_error("__all__", "conflict")

    @property
    def private_network_note(self) -> str:
        """Why private addresses were allowed by themselves; empty if they were not."""
        endpoint = self["endpoint"].value() or ""
        proxy = str(self["option_proxy"].value() or "")
        is_private = _are_private(endpoint, {"proxy": proxy})
        return str(PRIVATE_NETWORK_NOTE) if is_private else ""

    def draft(self) -> ModelProvider | None:
        """Return the provider as entered, unsaved, to test it or to list its models.

        None while anything but the name and the models is wrong.
        """
        if set(self.errors) - {"name", "models"}:
            return None
        provider: ModelProvider = copy.copy(self.instance)
        if provider.needs_secret:
            provider.secret = self._entry.drafted()
        provider.network_secret = self._network.drafted()
        if self._is_connection_changed(provider):
            # A row of its own: nothing remembered about the stored one applies.
            provider.pk, provider.uid = None, uuid.uuid4()
        return provider

    def _is_connection_changed(self, provider: ModelProvider) -> bool:
        before = self.original
        return (
            not before.pk
            or bool(self._entry.values)
            or self._network.is_changed
            or any(before.options.get(n) != provider.options.get(n) for n in NETWORK)
            or before.auth_type != provider.auth_type
            or before.secret != provider.secret
            or before.required_origins() != provider.required_origins()
        )

    def model_ids(self) -> list[str]:
        """Return the ids entered, as far as they are valid."""
        return [entry.model_id for entry in self.cleaned_data.get("models", ())]

    def shares(self) -> dict[str, sharing.Told]:
        """Return who would be asked for a model, where there is something to tell."""
        row, options = self.instance, self.instance.options or {}
        pk = row.pk or sys.maxsize
        own = sharing.Serving(row.priority, pk, row.name, options.get("weight"))
        ids = self.model_ids()
        found = sharing.serving(ids)
        told = {}
        for model_id in ids:
            others = [x for x in found.get(model_id, ()) if x.pk != own.pk]
            told[model_id] = sharing.told([*others, own], own.name)
        return {model_id: each for model_id, each in told.items() if each.label}

    def lost_wires(self) -> list[Any]:
        """Return the wires of agents whose model would be served no more."""
        if not self.original.pk:
            return []
        served = self.original.provider_models.values_list("model_id", flat=True)
        lost = set(served) - set(self.model_ids())
        wires = self.original.wires.select_related("agent")
        return list(wires.filter(model_id__in=lost))

    @transaction.atomic
    def save(self, commit: bool = True) -> ModelProvider:
        """Store provider, models and credentials together, to be checked afterwards.

        The provider is Pending then; a background task checks it within a second.
        Raises EditConflict when somebody else saved it meanwhile.
        """
        provider: ModelProvider = self.instance
        if provider.pk:
            self._claim(provider)
        provider.secret = self._entry.save()
        provider.network_secret = self._network.save()
        provider.status = ModelProvider.Status.PENDING
        provider.status_message = ""
        provider.save()
        if self._is_connection_changed(provider):
            # A token was obtained for the addresses and credentials of before.
            OAuthToken.objects.filter(provider=provider).delete()
        entries.store(provider, self._entries())
        return provider

    def _entries(self) -> list[entries.ModelEntry]:
        """Return the models to store, those of a copy as they are at its source."""
        models: list[entries.ModelEntry] = self.cleaned_data["models"]
        name = "" if self.original.pk else self.cleaned_data.get("clone", "")
        source = ModelProvider.objects.filter(name=name).first() if name else None
        return entries.with_settings_of(source, models) if source else models

    def _claim(self, provider: ModelProvider) -> None:
        rows = ModelProvider.objects.filter(pk=provider.pk)
        if not self.cleaned_data.get("overwrite"):
            rows = rows.filter(version=self.original.version)
        if not rows.update(version=F("version") + 1):
            raise EditConflict(CONFLICT)
        provider.version = rows.model.objects.values_list("version", flat=True).get(
            pk=provider.pk
        )


def _template_of(endpoint: str, region: str) -> str:
    """Return what `endpoint` was made of, if it is a vendor's own one in `region`."""
    for vendor in vendors.VENDORS.values():
        own = vendor.endpoint.replace("{region}", region or "-")
        if vendor.has_regions and endpoint.rstrip("/") == own:
            return vendor.endpoint
    return endpoint


def _split(posted: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what was posted, a user within the proxy's address in its own fields."""
    if not isinstance(posted, QueryDict):
        return split_proxy(dict(posted))
    copied = posted.copy()
    for name, value in split_proxy(posted.dict()).items():
        if value != posted.get(name):
            copied[name] = value
    return copied


def _are_private(endpoint: str, options: Any) -> bool:
    """Tell whether the endpoint or the proxy looks like one on a private network."""
    proxy = options.get("proxy") if isinstance(options, dict) else None
    places = [endpoint, proxy] if isinstance(proxy, str) and proxy else [endpoint]
    return any(map(_looks_private, places))


def _looks_private(endpoint: str) -> bool:
    try:
        return endpoints.is_private(endpoints.normalize(endpoint))
    except endpoints.EndpointError:
        return False
