"""Schemes that send something out of the provider's secret; the plainest is a key."""

from collections.abc import Generator

import httpx

from providers import options, sealing
from providers.models import ModelProvider


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


class ApiKey(Keyed):
    """A key in a header of the administrator's choice, after a prefix of theirs."""

    _header: tuple[str, str] | None = None

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header."""
        if self._header is None:
            name = self._provider.header_name
            value = self._provider.value_prefix + self._value("api_key")
            options.check_header(name, value)
            self._header = name, value
        name, value = self._header
        request.headers[name] = value
        yield request
