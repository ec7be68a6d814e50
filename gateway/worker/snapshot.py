"""The registry as every call reads it: callers, providers, and who serves which model.

Nothing here is changed once it is made, but for the caches that say so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils.module_loading import import_string

from gateway.hub.protocol import Translator
from gateway.translators import TRANSLATORS
from providers.models import BodyWindow, ModelProvider, ProviderModel
from providers.models.kinds import kind_of
from providers.network import ways
from providers.transport import Outline, Repeats


class Caller(NamedTuple):
    """Who calls: an agent, a workspace key or, without a key, the machine itself.

    `wires` are the (provider, model) pairs an agent is wired to, `models` what its key
    was narrowed to: ``model``, ``provider/model`` or ``provider/*``; None stands for no
    restriction. `expires_at` is Unix time.
    """

    name: str
    kind: str
    hint: str = ""
    wires: frozenset[tuple[str, str]] | None = None
    models: frozenset[str] | None = None
    expires_at: float | None = None
    is_paused: bool = False

    def may_use(self, provider: str, model: str) -> bool:
        """Tell whether `model` of `provider` is within reach."""
        if self.models is not None and self.models.isdisjoint(
            (model, f"{provider}/{model}", f"{provider}/*")
        ):
            return False
        return self.wires is None or (provider, model) in self.wires


NOBODY = Caller("", "")
"""Who calls before it is known, or where it never will be."""

LOCAL = Caller("local", "local")
"""Keyless calls from trusted networks are booked under this caller."""


@dataclass(eq=False, repr=False)
class Provider:
    """A provider as the data plane needs it. `row` is detached and never written.

    `outlines`, `secrets` and `stored` are caches: what requests have in common, and the
    credentials' spellings, which must not come back to a client: all there will ever
    be, or those that are stored beside one that comes and goes. `avoided` are features
    that upstream models refused, `refused_schemas` those of single requests' schemas,
    by these (gateway/calls/attempts/avoidance.py), `repeats` what it may still be asked
    once more, `weight` its share among providers of its priority. `columns` are what
    the ledger is told of it, `extensions` go with each of its requests, `streaming`
    with those for a stream, whose first event may take `first_token` seconds; a call
    waits for it up to `patience` seconds while it is busy.
    """

    row: ModelProvider
    translator: Translator
    auth: httpx.Auth | None
    name: str
    uid: str
    host: str
    extra_headers: Mapping[str, str]
    columns: Mapping[str, object]
    extensions: dict[str, object]
    streaming: dict[str, object]
    first_token: float
    patience: float
    weight: int | None
    outlines: dict[tuple[object, ...], Outline] = field(default_factory=dict)
    avoided: dict[str, frozenset[str]] = field(default_factory=dict)
    refused_schemas: dict[str, dict[bytes, frozenset[str]]] = field(
        default_factory=dict
    )
    secrets: tuple[bytes, ...] | None = None
    stored: tuple[bytes, ...] | None = None
    repeats: Repeats = field(default_factory=Repeats)

    @classmethod
    def of(cls, row: ModelProvider, scheme: httpx.Auth | None) -> "Provider":
        """Return the provider of a row; `scheme` signs its requests."""
        own = row.options.get("timeouts", {})
        limits = {
            "connect": own.get("connect", settings.CONNECT_TIMEOUT),
            "first_byte": own.get("first_byte", settings.FIRST_BYTE_TIMEOUT),
            "silence": own.get("silence", settings.SILENCE_TIMEOUT),
            "total": own.get("total", settings.STREAM_TIMEOUT),
        }
        first_token = _first_token(own, row.private_network)
        first_byte = min(limits["first_byte"], first_token)
        repeats = Repeats()
        extensions = ways.extensions(row, timeout=limits, repeats=repeats)
        return cls(
            row=row,
            translator=TRANSLATORS[row.provider_type],
            auth=scheme,
            name=row.name,
            uid=str(row.uid),
            host=(urlsplit(row.endpoint).hostname or "").lower(),
            extra_headers={
                name.lower(): value
                for name, value in row.options.get("extra_headers", {}).items()
            },
            columns={
                "provider": row.name,
                "provider_type": row.provider_type,
                "endpoint": row.endpoint,
            },
            extensions=extensions,
            streaming={**extensions, "timeout": {**limits, "first_byte": first_byte}},
            first_token=first_token,
            patience=own.get("patience", settings.RETRY_PATIENCE),
            weight=row.options.get("weight"),
            repeats=repeats,
        )


def _first_token(own: Mapping[str, float], private_network: bool) -> float:
    """Return how long a stream's first event may take, by a provider's own times.

    A machine of one's own reads a coding agent's prompt for minutes: where nobody said
    otherwise it may take as long as a first byte.
    """
    if private_network:
        usual = settings.FIRST_BYTE_TIMEOUT
    else:
        usual = settings.FIRST_TOKEN_TIMEOUT
    return own.get("first_token", own.get("first_byte", usual))


class Target(NamedTuple):
    """One way to serve a model: a provider and what the model is called there.

    `columns` are what the ledger is told of it.
    """

    provider: Provider
    model_id: str
    upstream_id: str
    base_model: str
    capabilities: Mapping[str, object]
    prices: Mapping[str, str | None] | None
    columns: Mapping[str, object]

    @classmethod
    def of(
        cls,
        provider: Provider,
        model: str,
        upstream: str,
        base_model: str,
        capabilities: Mapping[str, object],
        prices: Mapping[str, str | None] | None,
    ) -> "Target":
        """Return the target of a model, of which the ledger is told all the same."""
        columns = {"model": model, "upstream_model": upstream, "prices": prices}
        return cls(
            provider,
            model,
            upstream,
            base_model,
            capabilities,
            prices,
            {**provider.columns, **columns},
        )

    @property
    def kind(self) -> str:
        """What the model is for (providers/models/kinds.py)."""
        return kind_of(
            self.model_id, self.upstream_id, self.base_model, self.capabilities
        )


class Window(NamedTuple):
    """A time in which bodies are kept; an empty name stands for any."""

    caller: str
    provider: str
    ends_at: float

    def holds(self, caller: str, provider: str, now: float) -> bool:
        """Tell whether a call at `now` (Unix time) is one of those."""
        return (
            now < self.ends_at
            and self.caller in ("", caller)
            and self.provider in ("", provider)
        )


@dataclass(frozen=True)
class Snapshot:
    """The whole registry at one version; replaced, never changed.

    `targets` lists who serves a model id, best first; `pinned` is the same by
    ``provider/model``.
    """

    version: int = -1
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    pinned: Mapping[str, Target] = field(default_factory=dict)
    callers: Mapping[str, Caller] = field(default_factory=dict)
    body_windows: tuple[Window, ...] = ()


def read(
    version: int, auth_of: Callable[[ModelProvider], httpx.Auth | None]
) -> Snapshot:
    """Return the registry at `version`, read from the database (blocking).

    The version was read before the rows, so that a later change shows up. `auth_of`
    gives what signs a provider's requests.
    """
    providers = {
        row.pk: Provider.of(row, auth_of(row))
        for row in ModelProvider.objects.filter(
            enabled=True, provider_type__in=TRANSLATORS
        )
        .select_related("secret", "network_secret", "oauth_token")
        .order_by("priority", "created_at", "pk")
    }
    models: dict[int, list[_ModelValues]] = {pk: [] for pk in providers}
    for values in ProviderModel.objects.values_list(*_ModelValues._fields):
        model = _ModelValues(*values)
        if model.provider_id in models:
            models[model.provider_id].append(model)
    targets: dict[str, list[Target]] = {}
    pinned = {}
    for pk, provider in providers.items():
        for model in models[pk]:
            target = _target(provider, model)
            targets.setdefault(model.model_id, []).append(target)
            pinned[f"{provider.name}/{model.model_id}"] = target
    callers: Callable[[], dict[str, Caller]] = import_string(settings.GATEWAY_CALLERS)
    return Snapshot(
        version=version,
        targets={name: tuple(found) for name, found in targets.items()},
        pinned=pinned,
        callers=callers(),
        body_windows=tuple(
            Window(each.caller, each.provider, each.ends_at.timestamp())
            for each in BodyWindow.open_now()
        ),
    )


class _ModelValues(NamedTuple):
    """The columns of a ProviderModel that the gateway reads.

    Model instances would cost several times as much, with the interpreter's lock held.
    """

    provider_id: int
    model_id: str
    upstream_id: str
    base_model: str
    capabilities: Mapping[str, object]
    input_price: Decimal | None
    output_price: Decimal | None
    cached_input_price: Decimal | None


def _own_prices(model: _ModelValues) -> dict[str, str | None] | None:
    """Return the administrator's prices as text, or None where list prices hold."""
    if model.input_price is None and model.output_price is None:
        return None
    prices = {
        "input": model.input_price,
        "output": model.output_price,
        "cached_input": model.cached_input_price,
    }
    return {name: None if p is None else str(p) for name, p in prices.items()}


def _target(provider: Provider, model: _ModelValues) -> Target:
    return Target.of(
        provider,
        model.model_id,
        model.upstream_id or model.model_id,
        model.base_model,
        model.capabilities,
        _own_prices(model),
    )
