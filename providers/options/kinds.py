"""What the value of an option may be.

`check` returns the value as it is stored, or raises ValueError with the end of a
sentence that begins with the option's name.
"""

from dataclasses import dataclass
from typing import Any

from providers.network import certificates, proxy_address
from providers.options.headers import CREDENTIAL_HEADERS, check_header

MAX_EXTRA_HEADERS = 50
MAX_SECONDS = 86_400
MAX_TEXT = 1024


@dataclass(frozen=True)
class Flag:
    """On or off."""

    def check(self, value: Any) -> bool:
        """Return the value if it is a boolean."""
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value


@dataclass(frozen=True)
class Choice:
    """One of some words."""

    words: tuple[str, ...]

    def check(self, value: Any) -> str:
        """Return the value if it is one of the words."""
        if value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")
        return str(value)


@dataclass(frozen=True)
class Text:
    """A short text."""

    def check(self, value: Any) -> str:
        """Return the value if it is text and not too long."""
        if not isinstance(value, str) or len(value) > MAX_TEXT:
            raise ValueError(f"must be text of at most {MAX_TEXT:,} characters")
        return value


@dataclass(frozen=True)
class Number:
    """A whole number, from 0 on."""

    most: int

    def check(self, value: Any) -> int:
        """Return the value if it is such a number, and not too large."""
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not 0 <= value <= self.most:
            raise ValueError(f"must be a whole number from 0 to {self.most}")
        return int(value)


@dataclass(frozen=True)
class Texts:
    """A list of texts."""

    def check(self, value: Any) -> list[str]:
        """Return the value if all in it is text."""
        if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
            raise ValueError("must be a list of texts")
        return value


@dataclass(frozen=True)
class Headers:
    """Header names and their values, none of which may be a credential."""

    def check(self, value: Any) -> dict[str, str]:
        """Return the value if each of its headers may be sent."""
        if not isinstance(value, dict):
            raise ValueError("must map header names to values")
        if len(value) > MAX_EXTRA_HEADERS:
            raise ValueError(f"may hold {MAX_EXTRA_HEADERS} headers at most")
        for name, text in value.items():
            if not isinstance(text, str):
                raise ValueError(f"{name} must be text")
            check_header(name, text)
            if name.lower() in CREDENTIAL_HEADERS:
                raise ValueError(f"{name} carries credentials: use the secret for it")
        return value


@dataclass(frozen=True)
class Timeouts:
    """Seconds by what is waited for; those of `may_be_none` may be 0."""

    names: frozenset[str]
    may_be_none: frozenset[str] = frozenset()

    def check(self, value: Any) -> dict[str, float]:
        """Return the seconds as numbers if all of them can be waited."""
        if not isinstance(value, dict) or not set(value) <= self.names:
            raise ValueError(f"may hold {', '.join(sorted(self.names))}")
        return {
            name: 0.0
            if seconds == 0 and name in self.may_be_none
            else _seconds(seconds)
            for name, seconds in value.items()
        }


@dataclass(frozen=True)
class ProxyUrl:
    """The address of a forward proxy, or `none`; never with a password."""

    def check(self, value: Any) -> str:
        """Return the address if a proxy can be there."""
        if not isinstance(value, str):
            raise ValueError("must be text")
        if value.strip().lower() == proxy_address.NONE:
            return proxy_address.NONE
        found = proxy_address.read(value)
        if found.user or found.password:
            raise ValueError(
                "holds a user name or password: those belong into a secret "
                "(proxy_user, proxy_password)"
            )
        return found.url


@dataclass(frozen=True)
class Certificates:
    """Certificates in PEM: CAs to trust, or the one of a client."""

    are_authorities: bool

    def check(self, value: Any) -> str:
        """Return the text if it holds such certificates."""
        if not isinstance(value, str):
            raise ValueError("must be text in PEM")
        text = value.replace("\r\n", "\n").strip() + "\n"
        judge = certificates.check_client
        if self.are_authorities:
            judge = certificates.check_authorities
        try:
            judge(text)
        except certificates.CertificateError as error:
            raise ValueError(f"cannot be used. {error}") from None
        return text


Kind = (
    Flag | Choice | Number | Text | Texts | Headers | Timeouts | ProxyUrl | Certificates
)


def _seconds(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= MAX_SECONDS:
        raise ValueError(
            f"must be a number of seconds, above 0 and up to {MAX_SECONDS}"
        )
    return float(value)
