"""What an answer to a status check means, or its absence, in the words of the console.

Pure functions; the texts say what to do next and hold no credentials and nothing of a
body that is not JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from providers import auth, endpoints, key_shapes, transport
from providers.auth.oauth import NotConnected, TokenError
from providers.models import ModelProvider, keys_in
from providers.status.discovery import Missing
from providers.vendors import Question

Status = ModelProvider.Status

EXCERPT_LENGTH = 200

NOT_SERVED = frozenset({404, 405, 501})
"""How a server answers for a path that it does not have."""

ANSWERED = frozenset({200, 201})
"""Statuses of answers; frameworks answer a POST with 201 unless told otherwise."""
_READ = 8000  # what is searched for keys: far more than is shown
LOCALHOST_HINT = (
    "Inside a container, localhost is the container itself: use host.docker.internal"
)


@dataclass(frozen=True)
class CheckResult:
    """What a check found, in words for an administrator.

    `stage` is how far it came: ``credentials``, ``connect``, ``answer`` or ``done``.
    `request` is the request line without credentials; `body` the message of a JSON
    error, shortened and without credentials. `models` are those the provider lists,
    all of them where `is_list_whole`, `missing` those registered here that it does
    not. `kinds` are those that it tells of stored models, by row, where their names
    tell another.
    """

    status: str
    message: str
    hint: str = ""
    stage: str = "done"
    http_status: int | None = None
    duration_ms: int = 0
    request: str = ""
    body: str = ""
    models: list[str] = field(default_factory=list)
    is_list_whole: bool = False
    missing: list[Missing] = field(default_factory=list)
    kinds: dict[int, str] = field(default_factory=dict)

    @property
    def is_available(self) -> bool:
        """Whether the provider can be called."""
        return self.status == Status.AVAILABLE


def unsigned(error: Exception) -> CheckResult:
    """Judge credentials that could not even be put on a request."""
    is_refused = isinstance(error, TokenError) and not isinstance(error, NotConnected)
    status = Status.UNAVAILABLE if is_refused else Status.FAILED
    return CheckResult(status, str(error), stage="credentials")


def unreached(provider: ModelProvider, url: str, error: Exception) -> CheckResult:
    """Judge a request that got no answer."""
    parts = urlsplit(url)
    where = endpoints.origin(url).partition("//")[2]
    hint = ""
    if parts.hostname in ("localhost", "127.0.0.1", "::1"):
        hint = _localhost_hint(provider)
    match error:
        case transport.DestinationBlocked() | transport.NoWay():
            return CheckResult(Status.FAILED, str(error), stage="connect")
        case transport.TLSFailed():
            return CheckResult(Status.FAILED, str(error), error.hint, stage="connect")
        case transport.ProxyFailed():
            status = Status.FAILED if error.needs_change else Status.UNAVAILABLE
            return CheckResult(status, str(error), stage="connect")
        case transport.NameNotResolved() if (
            error.is_unknown and provider.vendor.has_regions
        ):
            return CheckResult(
                Status.UNAVAILABLE,
                f"There is no {parts.hostname}. Check the region and the endpoint.",
                stage="connect",
            )
        case transport.NameNotResolved():
            reason, stage = "the name cannot be resolved", "connect"
            hint = hint or "Check how the endpoint is spelled."
        case httpx.ConnectTimeout():
            reason, stage = "timeout", "connect"
        case httpx.ConnectError():
            reason, stage = str(error).rpartition(": ")[2].rstrip("."), "connect"
        case httpx.TimeoutException():
            reason, stage = "no answer in time", "answer"
        case httpx.ReadError():
            reason, stage = "it closed the connection", "answer"
        case httpx.RemoteProtocolError():
            return CheckResult(
                Status.UNAVAILABLE,
                f"{where} answered, but not in HTTP as expected: {error}",
                stage="answer",
            )
        case _:
            return CheckResult(
                Status.FAILED,
                "The endpoint or a header of this provider cannot be used. Check the "
                "endpoint and the extra headers.",
                stage="connect",
            )
    return CheckResult(
        Status.UNAVAILABLE,
        f"Cannot reach {where} ({reason}). Is it running and reachable from this "
        "server?",
        hint,
        stage,
    )


def overdue(seconds: float) -> CheckResult:
    """Judge a provider that was still not done answering after so long."""
    return CheckResult(
        Status.UNAVAILABLE,
        f"The check was not over within {seconds:.0f} seconds.",
        stage="answer",
    )


def broken() -> CheckResult:
    """Judge a provider whose check ended in a way that nobody foresaw."""
    return CheckResult(
        Status.FAILED,
        "The check broke off unexpectedly. The log says why.",
        stage="connect",
    )


def _localhost_hint(provider: ModelProvider) -> str:
    vendor = provider.vendor
    if not vendor.listens_with:
        return f"{LOCALHOST_HINT}."
    return f"{LOCALHOST_HINT}, and start {vendor.label} with {vendor.listens_with}."


def answered(
    provider: ModelProvider, question: Question, response: httpx.Response, body: bytes
) -> CheckResult:
    """Judge an answer by its status, and a 200 by what it holds."""
    code = response.status_code
    answer = _decoded(body)
    url = endpoints.join(question.base, question.path, provider.version_path)
    path = urlsplit(url).path
    if code in ANSWERED:
        models = question.read(answer)
        if models is not None:
            return CheckResult(
                Status.AVAILABLE, "Connected.", http_status=code, models=models
            )
        status, message = _another_kind_of_server(provider, path)
    elif refusal := transport.refusal_in(code, body):
        return CheckResult(
            Status.FAILED, str(refusal), refusal.hint, "connect", http_status=code
        )
    elif excuse := provider.vendor.excuse(response.headers, _error_message(answer)):
        return CheckResult(Status.AVAILABLE, excuse, http_status=code)
    else:
        status, message = _refused(code, path)
    return CheckResult(
        status,
        message,
        stage="answer",
        http_status=code,
        body=_excerpt(provider, answer),
    )


def let_in(
    provider: ModelProvider, code: int, body: bytes, request: str
) -> CheckResult | None:
    """Judge the answer to an empty call, None where it tells nothing.

    Only who was let in is told that the call is incomplete.
    """
    status: str = Status.AVAILABLE
    match code:
        case 200 | 400 | 422 | 429:
            message = "Connected. This server lists no models; type their ids by hand."
        case 401 | 403:
            status, message = _refused(code, "")
        case _:
            return None
    return CheckResult(
        status,
        message,
        stage="done" if status == Status.AVAILABLE else "answer",
        http_status=code,
        request=request,
        body=_excerpt(provider, _decoded(body)),
    )


def without_list(unserved: CheckResult, said: CheckResult | None) -> str:
    """Return why no models were fetched from a server that was asked for its list.

    `said` is what its chat path told.
    """
    if said is None:
        return (
            f"{unserved.message} If this server lists no models, type their ids by "
            "hand."
        )
    if not said.is_available:
        return said.message
    return (
        f"This server lists no models (it answers {unserved.http_status} to "
        f"{unserved.request}). It is reached all the same: type the ids of its models "
        "by hand."
    )


def _another_kind_of_server(provider: ModelProvider, path: str) -> tuple[str, str]:
    return (
        Status.UNAVAILABLE,
        f"Endpoint answered, but {path} is not answered as {provider.vendor.label} "
        "does. Check the endpoint.",
    )


def _refused(code: int, path: str) -> tuple[str, str]:
    """Return the provider's status, and a sentence, for an answer's status."""
    status = Status.UNAVAILABLE
    match code:
        case 401 | 403:
            message = f"The provider rejected the credentials ({code})."
        case 404 | 405 | 501:
            message = f"Endpoint answered, but {path} was not found. Check the path."
        case 429:
            status = Status.AVAILABLE
            message = "Rate limited by the provider; credentials are valid."
        case _ if code >= 500:
            message = f"Provider error {code}; will retry."
        case _ if 300 <= code < 400:
            status = Status.FAILED
            message = (
                f"The provider answered with a redirect ({code}), which is not "
                "followed. Enter the address that it leads to."
            )
        case _:
            message = f"The provider answered {code} to GET {path}."
    return status, message


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _error_message(answer: Any) -> str:
    """Return the message of a JSON error, in any of the shapes that vendors use."""
    if not isinstance(answer, dict):
        return ""
    error = answer.get("error", answer)
    if isinstance(error, str):
        return error
    if isinstance(error, dict):
        for name in ("message", "Message", "detail"):
            if isinstance(error.get(name), str):
                return str(error[name])
    return ""


def excerpt(provider: ModelProvider, body: bytes) -> str:
    """Return the message of a JSON error as it may be shown; empty for all else."""
    return _excerpt(provider, _decoded(body))


def _excerpt(provider: ModelProvider, answer: Any) -> str:
    """Return the error's message as it may be shown: short, without credentials."""
    text = _error_message(answer)[:_READ]
    for secret in _secrets(provider):
        text = text.replace(secret, key_shapes.REDACTED)
    text = key_shapes.redacted(text, quoted=True)
    text = "".join(each if each.isprintable() else " " for each in text)
    return text if len(text) <= EXCERPT_LENGTH else text[: EXCERPT_LENGTH - 1] + "…"


def _proxy_words(values: Mapping[str, str]) -> list[str]:
    """Return the proxy's password, and what is sent of it."""
    password = values.get("proxy_password", "")
    sent = transport.ways.basic(values.get("proxy_user", ""), password)
    return [password, sent.removeprefix("Basic ")] if password else []


def _secrets(provider: ModelProvider) -> list[str]:
    try:
        stored = _proxy_words(provider.network_values())
        if provider.secret_id is not None or provider.secret is not None:
            stored += provider.credentials().values()
    except auth.UNUSABLE_CREDENTIALS:
        return []
    values = {key for value in stored for key in (value, *keys_in(value))}
    return sorted((v for v in values if len(v) >= 6), key=len, reverse=True)
