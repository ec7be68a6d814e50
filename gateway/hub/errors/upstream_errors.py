"""An upstream's refusal in the caller's terms.

One set of tables for all upstreams: what the upstream calls its error (`KINDS`), what
it says (`SAYINGS`) and its HTTP status (`STATUSES`), asked in this order.

https://platform.openai.com/docs/guides/error-codes
https://docs.claude.com/en/api/errors
https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.errors import GatewayError, upstream_error
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.errors.masking import mask
from gateway.hub.errors.refusals import Refusal, read
from gateway.wire.jsontext import JSONError, decode

MAX_MESSAGE = 2000


class Outcome(NamedTuple):
    """What the caller gets; `status` 0 keeps the upstream's own."""

    status: int
    type: str
    code: str | None = None
    message: str = ""
    """Said instead of the upstream's text where that must not be shown."""
    retry: bool | None = None
    """False tells SDKs not to try again."""


_I, _S = "invalid_request_error", "server_error"

INVALID = Outcome(0, _I)
AUTH = Outcome(
    502,
    _S,
    "upstream_auth_error",
    "The provider rejected the gateway's credential for it. An administrator must "
    "check the provider's authentication settings.",
    retry=False,
)
SKEW = AUTH._replace(
    message="The provider rejected the request's signature as expired or not yet "
    "valid. An administrator must check the gateway's clock."
)
DENIED = Outcome(403, "permission_error", "model_access_denied")
NO_MODEL = Outcome(404, "not_found_error", "model_not_found")
NEEDS_PROFILE = Outcome(400, _I, "model_requires_inference_profile")
TOO_LONG = Outcome(400, _I, "context_length_exceeded")
UNSUPPORTED = Outcome(400, _I, "unsupported_parameter")
QUOTA = Outcome(429, "insufficient_quota", "insufficient_quota", retry=False)
RATE = Outcome(429, "rate_limit_error", "rate_limit_exceeded")
TOO_LARGE = Outcome(413, _I, "request_too_large")
NOT_READY = Outcome(503, _S, "model_not_ready")
OVERLOADED = Outcome(503, _S, "overloaded")
TIMEOUT = Outcome(504, _S, "upstream_timeout")
MODEL = Outcome(502, _S, "model_error")
MALFORMED = Outcome(502, _S, "malformed_model_output")
FAILED = Outcome(502, _S, "upstream_error")
NO_ANSWER = Outcome(502, _S, "upstream_invalid_response")

KINDS: dict[str, Outcome] = {
    # Anthropic
    "authentication_error": AUTH,
    "billing_error": QUOTA,
    "not_found_error": NO_MODEL,
    "request_too_large": TOO_LARGE,
    "rate_limit_error": RATE,
    "timeout_error": TIMEOUT,
    "overloaded_error": OVERLOADED,
    # AWS
    "unrecognizedclientexception": AUTH,
    "invalidsignatureexception": AUTH,
    "signaturedoesnotmatch": AUTH,
    "incompletesignature": AUTH,
    "incompletesignatureexception": AUTH,
    "expiredtoken": AUTH,
    "expiredtokenexception": AUTH,
    "invalidclienttokenid": AUTH,
    "missingauthenticationtoken": AUTH,
    "missingauthenticationtokenexception": AUTH,
    "requestexpired": SKEW,
    "requesttimetooskewed": SKEW,
    "resourcenotfoundexception": NO_MODEL,
    "servicequotaexceededexception": QUOTA,
    "throttlingexception": RATE,
    "toomanyrequestsexception": RATE,
    "modelnotreadyexception": NOT_READY,
    "serviceunavailableexception": OVERLOADED,
    "modeltimeoutexception": TIMEOUT,
    "modelerrorexception": MODEL,
    "modelstreamerrorexception": MODEL,
    "unknownoperationexception": NO_ANSWER,
    # OpenAI and compatible servers
    "invalid_api_key": AUTH,
    "invalid_authentication": AUTH,
    "unauthenticated": AUTH,
    "unauthorized": AUTH,
    "autherror": AUTH,
    "insufficient_quota": QUOTA,
    "billing_hard_limit_reached": QUOTA,
    "rate_limit_exceeded": RATE,
    "resource_exhausted": RATE,
    "too_many_requests": RATE,
    "context_length_exceeded": TOO_LONG,
    "model_not_found": NO_MODEL,
    "invalid_model": NO_MODEL,
    "deploymentnotfound": NO_MODEL,
    "unsupported_country_region_territory": DENIED,
    "engine_overloaded": OVERLOADED,
    "engine_overloaded_error": OVERLOADED,
    "unavailable": OVERLOADED,
    "deadline_exceeded": TIMEOUT,
}
"""By the upstream's own name of the error, in lower case without namespace."""

LATE_KINDS: dict[str, Outcome] = {
    "permission_error": DENIED,
    "permission_denied": DENIED,
    "accessdeniedexception": DENIED,
}
"""Names that cover several failures: the text is asked before them."""

FALLBACK_KINDS: dict[str, Outcome] = LATE_KINDS | {
    "validationexception": Outcome(400, _I),
    "invalid_request_error": Outcome(400, _I),
    "invalid_argument": Outcome(400, _I),
    "api_error": FAILED,
    "server_error": FAILED,
    "internal_error": FAILED,
    "internal_server_error": FAILED,
    "internalserverexception": FAILED,
}
"""Names that say less than a status, asked where there is none."""

SAYINGS: list[tuple[re.Pattern[str], Outcome]] = [
    (re.compile(pattern, re.IGNORECASE), outcome)
    for pattern, outcome in (
        (
            r"prompt is too long|input length and `?max_tokens`? exceed"
            r"|input is too long for requested model|exceeds? the (available )?context"
            r"|max(imum)? context length|input tokens exceeded",
            TOO_LONG,
        ),
        (r"extraneous key \[(?P<param>[^\]]{1,100})\] is not permitted", UNSUPPORTED),
        (r"(?P<param>[\w.\[\]-]{1,100}): extra inputs are not permitted", UNSUPPORTED),
        (r"does not support (?P<feature>tools|thinking|chat)\b", UNSUPPORTED),
        (r"on-demand throughput isn.t supported", NEEDS_PROFILE),
        (
            r"credit balance is too low|exceeded your current quota"
            r"|insufficient (balance|credits|funds|quota)|spend(ing)? limit",
            QUOTA,
        ),
        (
            r"model identifier is invalid|is not a valid model id\b"
            r"|\bmodel\b.{0,200}\b(not found|does not exist)\b",
            NO_MODEL,
        ),
        (r"signature (expired|not yet current)", SKEW),
        (
            r"security token included in the request is (invalid|expired)"
            r"|request signature we calculated does not match"
            r"|missing authentication token|make sure your api key is valid",
            AUTH,
        ),
        (r"too many (tokens|requests)", RATE),
        (r"server (is )?busy|queue (is )?full|maximum pending requests", OVERLOADED),
    )
]
"""By what the upstream says, where its name for the error tells too little."""

FEATURE_PARAMS = {"tools": "tools", "thinking": "reasoning_effort", "chat": "model"}

STATUSES: dict[int, Outcome] = {
    401: AUTH,
    402: QUOTA,
    403: DENIED,
    408: TIMEOUT,
    413: TOO_LARGE,
    424: MODEL,
    429: RATE,
    503: OVERLOADED,
    504: TIMEOUT,
    529: OVERLOADED,
}

_ERROR_KEYS = ("error", "detail", "message", "__type", "errors")
_MODEL_STATUSES = {429: 429, 500: 503}
_AWS_KIND_HEADER = "x-amzn-errortype"
_HTML = re.compile(r"<\s*(!doctype|html|head|body)\b|Traceback \(most recent", re.I)


def from_response(
    status: int,
    headers: Mapping[str, str],
    payload: bytes,
    *,
    kinds: Mapping[str, Outcome] | None = None,
    statuses: Mapping[int, Outcome] | None = None,
) -> GatewayError:
    """Return the error for an answer whose status is not 2xx.

    `headers` have lower-case names. `kinds` (lower-case names) and `statuses` are a
    vendor's own vocabulary, asked before the common one. Never raises.
    """
    kind = headers.get(_AWS_KIND_HEADER, "")
    try:
        body = decode(payload)
    except JSONError:
        body = None
    if body is None and not kind:
        return _without_json(status, headers)
    refusal = read(body, kind)
    return _error(refusal, status, headers, kinds, statuses, _by_class(status))


def from_object(
    body: Any,
    *,
    kind: str = "",
    kinds: Mapping[str, Outcome] | None = None,
    default: Outcome = FAILED,
) -> GatewayError:
    """Return the error for an error object found in a stream or in a 200 answer.

    `kind` is the name that came beside it, such as AWS's ``:exception-type``. What
    nothing recognises becomes `default`.
    """
    refusal = read(body, kind)
    if refusal.status:
        default = _by_class(refusal.status)
    return _error(refusal, refusal.status, {}, kinds, None, default)


def truncated() -> GatewayError:
    """Return the error for a stream that ended without its terminal event."""
    return upstream_error(
        502,
        "upstream_stream_truncated",
        "The provider's stream ended before the answer was complete.",
    )


def unfinished(foreign: bytes) -> GatewayError:
    """Return the error for a stream without its terminal event.

    `foreign` is what came that was no stream: an error object or a web page, sent with
    status 200.
    """
    if not foreign.strip():
        return truncated()
    try:
        body = decode(foreign)
    except JSONError:
        return no_answer("is not a stream")
    if isinstance(body, dict) and not body.keys().isdisjoint(_ERROR_KEYS):
        return from_object(body, default=NO_ANSWER)
    return no_answer("is not a stream")


def no_answer(why: str) -> GatewayError:
    """Return the error for bytes that are no answer; `why` completes a sentence."""
    return upstream_error(
        502, "upstream_invalid_response", f"The provider's answer {why}."
    )


def _by_class(status: int) -> Outcome:
    """Return what a status means that no table names."""
    if 400 <= status < 500:
        return INVALID
    return FAILED if status >= 500 else NO_ANSWER


def _without_json(status: int, headers: Mapping[str, str]) -> GatewayError:
    if 300 <= status < 400:
        error = no_answer("was a redirect, which is never followed")
        error.headers.update(relayed_headers(headers), **{"x-should-retry": "false"})
        return error
    outcome = STATUSES.get(status, _by_class(status))
    if outcome in (INVALID, DENIED):
        # A web server or firewall in front of the API spoke, not the API.
        error = no_answer(
            f"was HTTP {status} without a JSON error; its endpoint may be wrong"
        )
        error.headers.update(relayed_headers(headers), **{"x-should-retry": "false"})
        return error
    return _build(outcome, Refusal(), status, headers)


def _error(
    refusal: Refusal,
    status: int,
    headers: Mapping[str, str],
    kinds: Mapping[str, Outcome] | None,
    statuses: Mapping[int, Outcome] | None,
    default: Outcome,
) -> GatewayError:
    for table in (kinds or {}, KINDS):
        for kind in refusal.kinds:
            if outcome := table.get(kind):
                return _build(outcome, refusal, status, headers)
    for pattern, outcome in SAYINGS:
        if found := pattern.search(refusal.message):
            return _build(outcome, _named(refusal, found), status, headers)
    by_status = (statuses or {}).get(status) or STATUSES.get(status)
    names = FALLBACK_KINDS if not status else LATE_KINDS
    by_name = next((names[kind] for kind in refusal.kinds if kind in names), None)
    return _build(by_status or by_name or default, refusal, status, headers)


def _named(refusal: Refusal, found: re.Match[str]) -> Refusal:
    names = found.groupdict()
    feature = FEATURE_PARAMS.get((names.get("feature") or "").lower())
    return refusal._replace(param=names.get("param") or feature or refusal.param)


def _build(
    outcome: Outcome, refusal: Refusal, status: int, headers: Mapping[str, str]
) -> GatewayError:
    code = outcome.code
    answered = outcome.status or status or 502
    if outcome is MODEL and refusal.status:
        # AWS tells the status that the model's own server gave.
        answered = (
            429 if refusal.status == 429 else 503 if refusal.status >= 500 else 502
        )
    if outcome.type == _I and code is None:
        code = refusal.code
    error = GatewayError(
        answered,
        outcome.type,
        outcome.message or _shown(refusal.message, status),
        code,
        refusal.param,
        relayed_headers(headers),
    )
    if outcome.retry is not None:
        error.headers["x-should-retry"] = "true" if outcome.retry else "false"
    if answered in (429, 503) and outcome.retry is None:
        error.headers.setdefault("retry-after", "2")
    return error


def _shown(message: str, status: int) -> str:
    text = message.strip()
    if not text or _HTML.search(text):
        said = f"answered HTTP {status}" if status else "reported an error"
        return f"The provider {said} without an explanation."
    text = mask(text)
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
