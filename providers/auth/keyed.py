"""Schemes that send something out of the provider's secret; the plainest is a key."""

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx

from providers import options, sealing
from providers.models import ModelProvider, keys_in
from providers.transport import Outgoing

REFUSED_SECONDS = 600.0
LIMITED_SECONDS = 20.0
LONGEST_REST = 3600.0

logger = logging.getLogger(__name__)

_resting: dict[tuple[str, str], float] = {}
"""Until when keys rest, by their provider's name and their end."""


def resting() -> list[tuple[str, str, int]]:
    """Return the keys that rest in this process: provider, end of the key, seconds."""
    now = time.monotonic()
    for each in [each for each, until in _resting.items() if until <= now]:
        del _resting[each]
    return [(*each, round(until - now)) for each, until in _resting.items()]


class Keyed(httpx.Auth):
    """What the schemes share that send something out of the provider's secret."""

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider
        self._opened: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._provider.name!r})"

    def _value(self, name: str) -> str:
        """Return the secret's value `name`; raises one of UNUSABLE_CREDENTIALS."""
        if self._opened is None:
            self._opened = self._provider.credentials()
        value = self._opened.get(name, "").strip()
        if not value:
            raise sealing.UnreadableSecret(
                f"The stored secret holds no {name}. Enter it again."
            )
        return value


@dataclass
class _Key:
    """One key, the header it is `sent` in, and until when (monotonic) it rests."""

    value: str = field(repr=False)
    hint: str
    sent: tuple[bytes, bytes] = field(repr=False)
    rests_until: float = 0.0


class ApiKey(Keyed):
    """A key in a header of the administrator's choice, after a prefix of theirs.

    Of several the first is sent that does not rest, so that the cache behind it lives.
    One that is refused or limited rests, and the next is tried: the provider did not
    take the work.
    """

    _known: tuple[_Key, ...] = ()
    _only: tuple[bytes, bytes] | None = None

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header; and again with another key where one is turned away."""
        keys = self._known or self._keys()
        name = self._provider.header_name
        for _ in keys:
            key = keys[0] if len(keys) == 1 else _awake(keys)
            request.headers[name] = key.value
            response = yield request
            if len(keys) == 1:
                return
            is_over = not self._rests(key, response)
            # For the page of the request.
            response.extensions["key"] = _told(keys, key)
            if is_over:
                return

    def signs_at_once(self, request: httpx.Request) -> bool:
        """Set the header as `auth_flow` does; tell whether that is all there is to do.

        It is where there is one key. Such a flow's generators cost 5 µs.
        """
        if self._only is not None and isinstance(request, Outgoing):
            request.sign(self._only)
            return True
        keys = self._known or self._keys()
        if len(keys) > 1:
            return False
        if isinstance(request, Outgoing):
            request.sign(keys[0].sent)
        else:
            request.headers[self._provider.header_name] = keys[0].value
        return True

    def _keys(self) -> tuple[_Key, ...]:
        """Return the keys; raises one of UNUSABLE_CREDENTIALS."""
        found, name = [], self._provider.header_name
        for each in keys_in(self._value("api_key")):
            value = self._provider.value_prefix + each
            options.check_header(name, value)
            sent = name.encode("ascii"), value.encode("ascii")
            found.append(_Key(value, each[-4:], sent))
        self._known = tuple(found)
        self._only = found[0].sent if len(found) == 1 else None
        return self._known

    def _rests(self, key: _Key, response: httpx.Response) -> bool:
        """Let a key rest that was turned away, and tell whether it was."""
        match response.status_code:
            case 401:
                seconds = REFUSED_SECONDS
            case 429:
                told = response.headers.get("retry-after", "")
                seconds = float(told) if told.isdecimal() else LIMITED_SECONDS
            case _:
                return False
        key.rests_until = time.monotonic() + min(seconds, LONGEST_REST)
        _resting[self._provider.name, key.hint] = key.rests_until
        logger.warning(
            "The key ••••%s of %s was answered %d and rests.",
            key.hint,
            self._provider.name,
            response.status_code,
        )
        return True


def _awake(keys: tuple[_Key, ...]) -> _Key:
    """Return the first key that does not rest, else the one that rests least."""
    now = time.monotonic()
    return min(keys, key=lambda key: max(0.0, key.rests_until - now))


def _told(keys: tuple[_Key, ...], sent: _Key) -> str:
    """Return by its end which key was sent last, and which ones rest for how long."""
    now = time.monotonic()
    resting = [
        f"••••{key.hint} rests for {round(key.rests_until - now)} s"
        for key in keys
        if key.rests_until > now
    ]
    return "; ".join([f"••••{sent.hint}", *resting])
