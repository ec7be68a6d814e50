"""How the gateway is set, in words, with the variable that sets each thing."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from runagents.settings import was_given


class Fact(NamedTuple):
    """One setting: what it means, its value, its variable, and whether that is set."""

    label: str
    value: Any
    variable: str
    is_given: bool


def groups() -> list[tuple[str, list[Fact]]]:
    """Return all facts by subject. Of secrets they say only that there is one."""
    networks = ", ".join(settings.GATEWAY_TRUSTED_NETWORKS)
    private = ", ".join(settings.PRIVATE_NETWORKS)
    database = settings.DATABASES["default"]["ENGINE"].rpartition(".")[2]
    return [
        (
            _("Who may call"),
            [
                _fact(
                    _("Networks that need no key"),
                    networks or _("None: every call needs a key"),
                    "GATEWAY_TRUSTED_NETWORKS",
                ),
                _fact(
                    _("Proxies in front of the server"),
                    settings.TRUSTED_PROXIES,
                    "TRUSTED_PROXIES",
                ),
                _fact(
                    _("Address for agents and browsers"),
                    settings.PUBLIC_URL or _("As the browser calls it"),
                    "PUBLIC_URL",
                ),
                _fact(
                    _("Hosts it answers to"),
                    ", ".join(settings.ALLOWED_HOSTS),
                    "ALLOWED_HOSTS",
                ),
            ],
        ),
        (
            _("Limits"),
            [
                _fact(
                    _("Requests per minute"),
                    _("Calls over a provider's cap get 429")
                    if settings.RATE_LIMIT_ENFORCEMENT
                    else _("Stored and shown, not enforced"),
                    "RATE_LIMIT_ENFORCEMENT",
                ),
                _fact(
                    _("Largest request"),
                    _size(settings.REQUEST_BODY_LIMIT),
                    "REQUEST_BODY_LIMIT",
                ),
                _fact(
                    _("Largest answer"),
                    _size(settings.UPSTREAM_BODY_LIMIT),
                    "UPSTREAM_BODY_LIMIT",
                ),
                _fact(
                    _("Time to connect"),
                    _seconds(settings.CONNECT_TIMEOUT),
                    "CONNECT_TIMEOUT",
                ),
                _fact(
                    _("Time to the first byte"),
                    _seconds(settings.FIRST_BYTE_TIMEOUT),
                    "FIRST_BYTE_TIMEOUT",
                ),
                _fact(
                    _("Longest silence of a provider"),
                    _seconds(settings.SILENCE_TIMEOUT),
                    "SILENCE_TIMEOUT",
                ),
                _fact(
                    _("Longest stream"),
                    _seconds(settings.STREAM_TIMEOUT),
                    "STREAM_TIMEOUT",
                ),
                _fact(
                    _("Private networks that providers may be on"),
                    private or _("None"),
                    "PRIVATE_NETWORKS",
                ),
            ],
        ),
        (
            _("What is kept"),
            [
                _fact(
                    _("Usage"),
                    _days(settings.USAGE_RETENTION_DAYS),
                    "USAGE_RETENTION_DAYS",
                ),
                _fact(
                    _("Prompts and requests"),
                    _("Kept, without keys and files")
                    if settings.LOG_BODIES
                    else _("Not kept"),
                    "LOG_BODIES",
                ),
                _fact(
                    _("Kept prompts"),
                    _days(settings.BODY_RETENTION_DAYS),
                    "BODY_RETENTION_DAYS",
                ),
                _fact(_("Database"), database, "DATABASE_URL"),
                _fact(
                    _("Shared limits"),
                    _("Redis") if settings.REDIS_URL else _("This host only"),
                    "REDIS_URL",
                ),
            ],
        ),
        (
            _("Keys and checks"),
            [
                _fact(
                    _("Encryption keys"),
                    _("%d in use") % len(settings.ENCRYPTION_KEYS),
                    "ENCRYPTION_KEYS",
                ),
                _fact(
                    _("Platform key of the Playground LLM"),
                    _("Set")
                    if settings.PLAYGROUND_LLM_API_KEY
                    else _("Not set: the offline sandbox answers"),
                    "PLAYGROUND_LLM_API_KEY",
                ),
                _fact(
                    _("Providers are checked every"),
                    _seconds(settings.STATUS_CHECK_SECONDS),
                    "STATUS_CHECK_SECONDS",
                ),
            ],
        ),
    ]


def _fact(label: str, value: Any, variable: str) -> Fact:
    return Fact(label, value, variable, was_given(variable))


def _size(number: int) -> str:
    return _("%d MiB") % (number // (1024 * 1024))


def _seconds(number: int) -> str:
    return _("%d s") % number


def _days(number: int) -> str:
    return _("%d days") % number
