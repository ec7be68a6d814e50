"""How the gateway is set, in words, with the variable that sets each thing."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from runagents.settings import was_given


class Fact(NamedTuple):
    """One setting: what it means, its value, its variable, and whether that is set."""

    label: Any
    value: Any
    variable: str
    is_given: bool


# --- values in words ---


def _as_it_is(value: Any) -> Any:
    return value


def _size(number: int) -> str:
    return gettext("%d MiB") % (number // (1024 * 1024))


def _seconds(number: int) -> str:
    return gettext("%d s") % number


def _days(number: int) -> str:
    return gettext("%d days") % number


def _in_use(values: Sequence[str]) -> str:
    return gettext("%d in use") % len(values)


def _engine(_url: str) -> str:
    """Return which database it is; the URL may hold a password."""
    engine: str = settings.DATABASES["default"]["ENGINE"]
    return engine.rpartition(".")[2]


def _list(nothing: Any) -> Callable[[Sequence[str]], Any]:
    return lambda values: ", ".join(values) or nothing


def _either(given: Any, missing: Any) -> Callable[[Any], Any]:
    return lambda value: given if value else missing


def _or(missing: Any) -> Callable[[Any], Any]:
    return lambda value: value or missing


# --- all of them ---

# Subject -> what it means, the variable (and setting) of that name, its value in words.
TABLE: dict[Any, list[tuple[Any, str, Callable[[Any], Any]]]] = {
    _("Who may call"): [
        (
            _("Networks that need no key"),
            "GATEWAY_TRUSTED_NETWORKS",
            _list(_("None: every call needs a key")),
        ),
        (_("Proxies in front of the server"), "TRUSTED_PROXIES", _as_it_is),
        (
            _("Address for agents and browsers"),
            "PUBLIC_URL",
            _or(_("As the browser calls it")),
        ),
        (_("Hosts it answers to"), "ALLOWED_HOSTS", _list("")),
    ],
    _("Limits"): [
        (
            _("Requests per minute"),
            "RATE_LIMIT_ENFORCEMENT",
            _either(
                _("Calls over a provider's cap get 429"),
                _("Stored and shown, not enforced"),
            ),
        ),
        (_("Largest request"), "REQUEST_BODY_LIMIT", _size),
        (_("Largest answer"), "UPSTREAM_BODY_LIMIT", _size),
        (_("Time to connect"), "CONNECT_TIMEOUT", _seconds),
        (_("Time to the first byte"), "FIRST_BYTE_TIMEOUT", _seconds),
        (_("Time to a stream's first event"), "FIRST_TOKEN_TIMEOUT", _seconds),
        (_("Longest silence of a provider"), "SILENCE_TIMEOUT", _seconds),
        (_("Longest answer"), "STREAM_TIMEOUT", _seconds),
        (_("Waiting for a busy provider"), "RETRY_PATIENCE", _seconds),
        (
            _("Private networks that providers may be on"),
            "PRIVATE_NETWORKS",
            _list(_("None")),
        ),
    ],
    _("What is kept"): [
        (_("Usage"), "USAGE_RETENTION_DAYS", _days),
        (
            _("Prompts and requests"),
            "LOG_BODIES",
            _either(_("Kept, without keys and files"), _("Not kept")),
        ),
        (_("Kept prompts"), "BODY_RETENTION_DAYS", _days),
        (_("Kept responses"), "RESPONSES_MEMORY_DAYS", _days),
        (_("Audit log"), "AUDIT_RETENTION_DAYS", _days),
        (_("Database"), "DATABASE_URL", _engine),
        (
            _("Shared limits"),
            "REDIS_URL",
            _either(_("Redis"), _("This host only")),
        ),
    ],
    _("Keys and checks"): [
        (_("Encryption keys"), "ENCRYPTION_KEYS", _in_use),
        (
            _("Platform key of the Playground LLM"),
            "PLAYGROUND_LLM_API_KEY",
            _either(_("Set"), _("Not set: the offline sandbox answers")),
        ),
        (_("Providers are checked every"), "STATUS_CHECK_SECONDS", _seconds),
    ],
}


def groups() -> list[tuple[Any, list[Fact]]]:
    """Return all facts by subject. Of secrets they say only that there is one."""
    return [
        (
            subject,
            [
                Fact(label, words(getattr(settings, name)), name, was_given(name))
                for label, name, words in rows
            ],
        )
        for subject, rows in TABLE.items()
    ]
