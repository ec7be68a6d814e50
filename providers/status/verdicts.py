"""What an answer to a status check means, or its absence, in the words of the console.

Pure functions; the texts say what to do next and hold no credentials and nothing of a
body that is not JSON.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from providers import auth, endpoints, key_shapes, transport
from providers.auth.oauth import NotConnected, TokenError
from providers.models import ModelProvider
from providers.status.discovery import Missing, Question

Status = ModelProvider.Status

EXCERPT_LENGTH = 200
_READ = 8000  # what is searched for keys: far more than is shown
LOCALHOST_HINT = (
    "Inside a container, localhost is the container itself: use "
    "host.docker.internal, and start Ollama with OLLAMA_HOST=0.0.0.0."
)
LIST_DENIED = "Key lacks bedrock:List*; type IDs by hand."


@dataclass(frozen=True)
class CheckResult:
    """What a check found, in words for an administrator.

    `stage` is how far it came: ``credentials``, ``connect``, ``answer`` or ``done``.
    `request` is the request line without credentials; `body` the message of a JSON
    error, shortened and without credentials. `models` are those the provider lists,
    `missing` those registered here that it does not.
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
    missing: list[Missing] = field(default_factory=list)

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
        hint = LOCALHOST_HINT
    match error:
        case transport.DestinationBlocked() | transport.TLSFailed():
            return CheckResult(Status.FAILED, str(error), stage="connect")
        case transport.NameNotResolved() if error.is_unknown and (
            provider.provider_type == ModelProvider.Type.BEDROCK
        ):
            return CheckResult(
                Status.FAILED,
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


def answered(
    provider: ModelProvider, question: Question, response: httpx.Response, body: bytes
) -> CheckResult:
    """Judge an answer by its status, and a 200 by what it holds."""
    code = response.status_code
    answer = _decoded(body)
    path = urlsplit(endpoints.join(question.base, question.path)).path
    result = CheckResult(
        Status.UNAVAILABLE,
        "",
        stage="answer",
        http_status=code,
        body=_excerpt(provider, answer),
    )
    if code == 200:
        models = question.read(answer)
        if models is None:
            return replace(
                result,
                message=f"Endpoint answered, but {path} is not what a "
                f"{provider.get_provider_type_display()} server says there. Check the "
                "endpoint.",
            )
        return CheckResult(
            Status.AVAILABLE, "Connected.", http_status=code, models=models
        )
    if provider.provider_type == ModelProvider.Type.BEDROCK:
        exempt = _judge_bedrock(response, answer)
        if exempt is not None:
            return replace(exempt, http_status=code)
    if code in (401, 403):
        return replace(
            result, message=f"The provider rejected the credentials ({code})."
        )
    if code == 429:
        return replace(
            result,
            status=Status.AVAILABLE,
            message="Rate limited by the provider; credentials are valid.",
        )
    if code >= 500:
        return replace(result, message=f"Provider error {code}; will retry.")
    if 300 <= code < 400:
        return replace(
            result,
            status=Status.FAILED,
            message=f"The provider answered with a redirect ({code}), which is not "
            "followed. Enter the address that it leads to.",
        )
    if code in (404, 405):
        return replace(
            result,
            message=f"Endpoint answered, but {path} was not found. Check the path.",
        )
    return replace(result, message=f"The provider answered {code} to GET {path}.")


def _judge_bedrock(response: httpx.Response, answer: Any) -> CheckResult | None:
    """Return what a refusal of AWS to list models says beside its status."""
    kind = response.headers.get("x-amzn-errortype", "")
    kind = kind.partition(":")[0].rpartition("#")[2]
    if kind == "AccessDeniedException" and (
        "not authorized to perform" in _error_message(answer)
    ):
        return CheckResult(
            Status.AVAILABLE, f"Connected; the credentials are valid. {LIST_DENIED}"
        )
    if kind == "UnknownOperationException":
        return CheckResult(
            Status.AVAILABLE,
            "Connected. This endpoint does not list models, so that the credentials "
            "are proven by the first call.",
        )
    return None


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
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


def _secrets(provider: ModelProvider) -> list[str]:
    if provider.secret_id is None and provider.secret is None:
        return []
    try:
        values = provider.credentials().values()
    except auth.UNUSABLE_CREDENTIALS:
        return []
    return sorted((v for v in values if len(v) >= 6), key=len, reverse=True)
