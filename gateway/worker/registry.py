"""The registry in memory: an immutable snapshot, replaced when the database moved on.

A warm request reads the snapshot and nothing else. Every worker polls the registry's
version once a second and reads everything again when it changed, so that a revoked key
or a changed limit holds within two seconds; while the database is down, calls go on
from what is here.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import httpx
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections
from django.utils.module_loading import import_string

from gateway.hub.protocol import Translator
from gateway.translators import TRANSLATORS
from gateway.worker.chores import keep
from providers import auth
from providers.models import ModelProvider, ProviderModel, RegistryVersion

POLL_SECONDS = 1.0
# How close readings may follow each other, and how long a request waits for one.
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 2.0
# How long calls go on from memory while the database is away.
KEPT_SECONDS = 24 * 3600.0

logger = logging.getLogger(__name__)


class Caller(NamedTuple):
    """Who calls: an agent, a workspace key or, without a key, the machine itself.

    `wires` are the (provider, model) pairs an agent is wired to, `models` the ids its
    key was narrowed to; None stands for no restriction. `expires_at` is Unix time.
    """

    name: str
    kind: str
    hint: str = ""
    wires: frozenset[tuple[str, str]] | None = None
    models: frozenset[str] | None = None
    expires_at: float | None = None

    def may_use(self, provider: str, model: str) -> bool:
        """Tell whether `model` of `provider` is within reach."""
        if self.models is not None and model not in self.models:
            return False
        return self.wires is None or (provider, model) in self.wires


LOCAL = Caller("local", "local")
"""Keyless calls from trusted networks are booked under this caller."""


@dataclass(eq=False, repr=False)
class Provider:
    """A provider as the data plane needs it. `row` is detached and never written.

    `heads` and `secrets` are caches: URLs and headers of requests, and the credentials'
    values, which must not come back to a client. `avoided` are features that upstream
    models refused (gateway/calls/avoidance.py).
    """

    row: ModelProvider
    translator: Translator
    auth: httpx.Auth | None
    name: str
    stream_seconds: float
    extra_headers: Mapping[str, str]
    extensions: dict[str, object]
    heads: dict[tuple[object, ...], tuple[httpx.URL, httpx.Headers]] = field(
        default_factory=dict
    )
    avoided: dict[str, frozenset[str]] = field(default_factory=dict)
    secrets: tuple[bytes, ...] | None = None

    @classmethod
    def of(cls, row: ModelProvider, scheme: httpx.Auth | None) -> "Provider":
        """Return the provider of a row; `scheme` signs its requests."""
        own = row.options.get("timeouts", {})
        limits = {
            "connect": own.get("connect", settings.CONNECT_TIMEOUT),
            "first_byte": own.get("first_byte", settings.FIRST_BYTE_TIMEOUT),
            "silence": own.get("silence", settings.SILENCE_TIMEOUT),
        }
        return cls(
            row=row,
            translator=TRANSLATORS[row.provider_type],
            auth=scheme,
            name=row.name,
            stream_seconds=own.get("total", settings.STREAM_TIMEOUT),
            extra_headers={
                name.lower(): value
                for name, value in row.options.get("extra_headers", {}).items()
            },
            extensions={"private_network": row.private_network, "timeout": limits},
        )


class Target(NamedTuple):
    """One way to serve a model: a provider and what the model is called there."""

    provider: Provider
    model_id: str
    upstream_id: str
    base_model: str
    capabilities: Mapping[str, object]
    prices: Mapping[str, str | None] | None


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
    loaded_at: float = 0.0


class Registry:
    """Holds the current snapshot of one worker and keeps it fresh."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self._confirmed_at = -KEPT_SECONDS
        self._auths: dict[str, tuple[tuple[object, ...], httpx.Auth | None]] = {}
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Event()
        self._next: asyncio.Future[bool] | None = None

    @property
    def is_loaded(self) -> bool:
        """Whether calls can be served: read once, and not out of date for a day.

        By then nobody knows any more who was locked out meanwhile.
        """
        is_kept = time.monotonic() < self._confirmed_at + KEPT_SECONDS
        return self.snapshot.version >= 0 and is_kept

    async def start(self) -> None:
        """Load, and poll until `stop`; a dead database delays but does not fail."""
        await self.refresh()
        self._task = keep("poll-registry", self._poll)

    async def stop(self) -> None:
        """Stop polling."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> bool:
        """Read the registry again if it changed; log and carry on when it cannot.

        Returns whether the snapshot is now what the database holds.
        """
        try:
            await sync_to_async(self._load_in_thread, thread_sensitive=False)()
        except DatabaseError as error:
            logger.warning("The registry cannot be read: %s", type(error).__name__)
            return False
        return True

    async def catch_up(self) -> bool:
        """Wait until the registry was read after this moment; for what is not in it.

        A key or model that was made a moment ago is served at once instead of after the
        next poll. However many wait, they share a reading. Returns False when the
        database does not answer in time.
        """
        if self._task is None:
            return True
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        self._wanted.set()
        done, _ = await asyncio.wait([self._next], timeout=PATIENCE_SECONDS)
        return any(reading.result() for reading in done)

    def load(self) -> None:
        """Read the version and, when it moved, everything else (blocking)."""
        read_at = time.monotonic()
        version = RegistryVersion.current()
        if version != self.snapshot.version:
            self.snapshot = self._read(version)
        self._confirmed_at = read_at

    def _load_in_thread(self) -> None:
        # A thread keeps its connection; one that broke must not be used for ever.
        close_old_connections()
        self.load()

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(PAUSE_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), POLL_SECONDS)
            self._wanted.clear()
            waiting, self._next = self._next, None
            succeeded = await self.refresh()
            if waiting is not None:
                waiting.set_result(succeeded)

    def _read(self, version: int) -> Snapshot:
        """Read every row; the version was read before, so a later change shows up."""
        providers = {
            row.pk: Provider.of(row, self._auth(row))
            for row in ModelProvider.objects.filter(
                enabled=True, provider_type__in=TRANSLATORS
            )
            .select_related("secret", "oauth_token")
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
                target = Target(
                    provider,
                    model.model_id,
                    model.upstream_id or model.model_id,
                    model.base_model,
                    model.capabilities,
                    _own_prices(model),
                )
                targets.setdefault(model.model_id, []).append(target)
                pinned[f"{provider.name}/{model.model_id}"] = target
        callers: Callable[[], dict[str, Caller]] = import_string(
            settings.GATEWAY_CALLERS
        )
        return Snapshot(
            version=version,
            targets={name: tuple(found) for name, found in targets.items()},
            pinned=pinned,
            callers=callers(),
            loaded_at=time.time(),
        )

    def _auth(self, row: ModelProvider) -> httpx.Auth | None:
        """Return the provider's auth; the same object while nothing it uses changed.

        An OAuth2 token lives in that object and must outlive a reload.
        """
        connection = getattr(row, "oauth_token", None)
        fingerprint = (
            row.endpoint,
            row.auth_type,
            row.header_name,
            row.value_prefix,
            row.region,
            row.authorization_url,
            row.token_url,
            row.scopes,
            row.client_auth,
            str(row.token_params),
            row.private_network,
            row.secret and (row.secret.sealed, row.secret.binding()),
            connection and connection.connected_at,
        )
        known = self._auths.get(str(row.uid))
        if known and known[0] == fingerprint:
            return known[1]
        made = auth.for_provider(row)
        self._auths[str(row.uid)] = (fingerprint, made)
        return made


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


registry = Registry()
"""This worker's registry."""
