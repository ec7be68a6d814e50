"""Is a provider usable? One cheap authenticated call tells, made as traffic makes it.

`check` asks now, `check_due` asks whoever is due, and `observer` draws conclusions from
real traffic. The words follow the product's three states: *Available*; *Unavailable*,
unreachable or credentials rejected; *Failed*, something an administrator must change.
"""

import asyncio
import datetime
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import Error as DatabaseError
from django.db.models import Q
from django.dispatch import Signal

from providers import auth, database, endpoints, starter, transport
from providers.models import ModelProvider
from providers.network import ways
from providers.status import discovery, told_kinds, unlisted, verdicts
from providers.status.observer import Observer
from providers.status.verdicts import CheckResult
from providers.vendors import Question, listing

__all__ = [
    "CheckResult",
    "Checks",
    "DiscoveryFailed",
    "Observer",
    "check",
    "check_due",
    "checked",
    "discover",
    "keep",
    "observer",
    "store",
]

Status = ModelProvider.Status

TIMEOUT = {"connect": 5.0, "read": 10.0, "total": 20.0}
BODY_LIMIT = 4 << 20
CHECK_SECONDS = 30.0
CHECKS_AT_ONCE = 32
# How far the clocks of several hosts may differ.
CLOCKS_APART = 60

logger = logging.getLogger(__name__)

checked = Signal()
"""A `provider` was checked with a `result`, `by_hand` where somebody wanted to know."""


class DiscoveryFailed(Exception):
    """The provider's models could not be listed; the text says why."""


async def check(
    provider: ModelProvider, *, models: Sequence[str] | None = None
) -> CheckResult:
    """Ask `provider` whether it works; never raises for what the provider does.

    `provider` may be unsaved. `models` are the ids that it should offer; None stands
    for those stored.
    """
    if starter.is_sandbox(provider) and (
        provider.endpoint == starter.sandbox_endpoint()
    ):
        # This very server answers; it need not ask itself.
        return CheckResult(Status.AVAILABLE, starter.SANDBOX_NOTE)
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await _examine(provider, models)
    except TimeoutError:
        return verdicts.overdue(CHECK_SECONDS)


async def _examine(
    provider: ModelProvider, models: Sequence[str] | None
) -> CheckResult:
    """Ask all that a check asks."""
    wanted = await _stored_models(provider) if models is None else models
    scheme = await sync_to_async(auth.for_provider)(provider)
    first, *others = provider.vendor.questions(provider.endpoint)
    result = await _ask(provider, scheme, first)
    while unlisted.is_not_served(result) and others:
        result = await _ask(provider, scheme, others.pop(0))
    if unlisted.is_not_served(result):
        return await unlisted.ask(provider, scheme, TIMEOUT) or result
    if not result.is_available or result.http_status not in verdicts.ANSWERED:
        return result
    found, is_whole = result.models, True
    for question in others:
        further = await _ask(provider, scheme, question)
        is_whole = is_whole and further.http_status in verdicts.ANSWERED
        found = [*found, *further.models]
    found = sorted(set(found))
    absent = discovery.missing(provider.vendor, wanted, found) if found else []
    message = f"Connected in {result.duration_ms} ms."
    if wanted and found:
        here = len(wanted) - len(absent)
        message += f" {here} of {len(wanted)} models found."
    message = " ".join([message, *map(str, absent[:3])])
    if starter.is_sandbox(provider):
        message = starter.SANDBOX_NOTE
    kinds = await told_kinds.ask(provider, scheme)
    return replace(
        result,
        message=message,
        models=found,
        is_list_whole=is_whole and 0 < len(found) < listing.MAX_MODELS,
        missing=absent,
        kinds=kinds,
    )


async def discover(provider: ModelProvider) -> list[str]:
    """Return the ids of the models that `provider` offers; raises DiscoveryFailed."""
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await _listed(provider)
    except TimeoutError:
        raise DiscoveryFailed(verdicts.overdue(CHECK_SECONDS).message) from None


async def _listed(provider: ModelProvider) -> list[str]:
    scheme = await sync_to_async(auth.for_provider)(provider)
    found: set[str] = set()
    unserved: CheckResult | None = None
    for question in provider.vendor.questions(provider.endpoint):
        result = await _ask(provider, scheme, question)
        if unlisted.is_not_served(result):
            unserved = result
            continue
        if (
            result.http_status not in verdicts.ANSWERED
            or result.status != Status.AVAILABLE
        ):
            raise DiscoveryFailed(" ".join(filter(None, (result.message, result.hint))))
        found.update(result.models)
    if unserved is not None and not found:
        said = await unlisted.ask(provider, scheme, TIMEOUT)
        raise DiscoveryFailed(verdicts.without_list(unserved, said))
    return sorted(found)


async def _stored_models(provider: ModelProvider) -> list[str]:
    if provider.pk is None:
        return []
    rows = provider.provider_models.all()
    return [row.upstream_id or row.model_id async for row in rows]


async def _ask(
    provider: ModelProvider, scheme: httpx.Auth | None, question: Question
) -> CheckResult:
    """Ask one question and judge the answer."""
    started = time.monotonic()
    url = endpoints.join(question.base, question.path, provider.version_path)
    try:
        request = httpx.Request(
            "GET",
            transport.address(url),
            headers=transport.header_lines(discovery.headers(provider)),
            extensions=ways.extensions(provider, timeout=TIMEOUT, keep_alive=False),
        )
        response = await auth.send(request, scheme)
        body = await transport.read(response, BODY_LIMIT)
    except httpx.RequestError as error:
        result = verdicts.unreached(provider, url, error)
    except auth.UNUSABLE_CREDENTIALS as error:
        result = verdicts.unsigned(error)
    else:
        result = verdicts.answered(provider, question, response, body)
    return replace(
        result,
        request=f"GET {url}",
        duration_ms=round((time.monotonic() - started) * 1000),
    )


# --- checks that nobody asked for ---


class Checks:
    """Checks under way that nobody asked for, each in a task of its own.

    A slow provider keeps nobody waiting: others become due, and are checked, meanwhile.
    """

    def __init__(self) -> None:
        self._under_way: dict[int, asyncio.Task[None]] = {}
        self._slots = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def begin(self, now: datetime.datetime) -> list[asyncio.Task[None]]:
        """Begin to check every provider that is due at `now`; return what began.

        Due are those still Pending, and the enabled ones whose last check is older than
        STATUS_CHECK_SECONDS. The outcomes are stored. Raises django.db.Error.
        """
        begun = []
        for provider in await database.in_thread(_due, now):
            if provider.pk not in self._under_way:
                task = asyncio.create_task(self._check(provider))
                self._under_way[provider.pk] = task
                begun.append(task)
        return begun

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _check(self, provider: ModelProvider) -> None:
        try:
            async with self._slots:
                (result,) = await asyncio.gather(
                    check(provider), return_exceptions=True
                )
            if isinstance(result, Exception):
                logger.error("A check of a provider failed.", exc_info=result)
                result = verdicts.broken()
            if isinstance(result, CheckResult):
                await _keep(provider, result)
        finally:
            del self._under_way[provider.pk]


async def check_due(now: datetime.datetime) -> int:
    """Check who is due at `now` as `Checks` does, and wait; return how many."""
    begun = await Checks().begin(now)
    await asyncio.gather(*begun)
    return len(begun)


def _due(now: datetime.datetime) -> list[ModelProvider]:
    seconds = getattr(settings, "STATUS_CHECK_SECONDS", 300)
    before = now - datetime.timedelta(seconds=seconds)
    # A check in the future was made before the clock was set back.
    ahead = now + datetime.timedelta(seconds=CLOCKS_APART)
    stale = (
        Q(status_checked_at=None)
        | Q(status_checked_at__lt=before)
        | Q(status_checked_at__gt=ahead)
    )
    due = Q(status=Status.PENDING) | Q(stale, enabled=True)
    return list(ModelProvider.objects.select_related("secret").filter(due))


async def _keep(provider: ModelProvider, result: CheckResult) -> None:
    """Store an outcome; a database that is away has it checked again."""
    try:
        await database.in_thread(_store_result, provider, result)
    except DatabaseError as error:
        logger.warning("A status cannot be stored: %s", type(error).__name__)


def _store_result(provider: ModelProvider, result: CheckResult) -> None:
    """Store an outcome, unless the provider was edited while it was asked."""
    unchanged = ModelProvider.objects.filter(pk=provider.pk, version=provider.version)
    if unchanged.exists():
        keep(provider, result)


def keep(
    provider: ModelProvider, result: CheckResult, *, by_hand: bool = False
) -> None:
    """Store what a check found of a provider, and tell whoever listens."""
    provider.set_status(result.status, result.message)
    told_kinds.keep(result.kinds)
    checked.send(ModelProvider, provider=provider, result=result, by_hand=by_hand)


# --- conclusions from real traffic ---

observer = Observer()
"""This process's observer."""


async def store(provider_id: int, status: str, message: str = "") -> None:
    """Store a status that `observer` concluded, unless it is stored already."""
    await database.in_thread(_store, provider_id, status, message)


def _store(provider_id: int, status: str, message: str) -> None:
    row = ModelProvider.objects.filter(pk=provider_id).exclude(status=status).first()
    if row is None:
        return
    if status == Status.AVAILABLE:
        message = starter.SANDBOX_NOTE if starter.is_sandbox(row) else "Calls succeed."
    row.set_status(status, message)
