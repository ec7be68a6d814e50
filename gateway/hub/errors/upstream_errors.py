"""An upstream's refusal in the caller's terms.

Asked are, in this order, its own name of the error, what it says and its HTTP status;
`meanings` has the words that all upstreams share, each translator those of its own.
"""

import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError, upstream_error
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.errors.masking import mask
from gateway.hub.errors.meanings import (
    DENIED,
    FAILED,
    FEATURE_PARAMS,
    INVALID,
    MODEL,
    NO_ANSWER,
    QUOTA,
    RATE,
    TOO_LONG,
    Outcome,
    Vocabulary,
)
from gateway.hub.errors.overflow import is_overflow, is_overflow_kind
from gateway.hub.errors.refusals import Refusal, read
from gateway.hub.errors.shapes import is_error
from gateway.hub.errors.wordings import LASTING, MONEY
from gateway.wire.jsontext import JSONError, decode

MAX_MESSAGE = 2000

_NO_OVERFLOW = frozenset({401, 402, 429})
"""With these, however it is worded, the limit is another one."""

_ELSEWHERE = frozenset({404, 405})
"""How web servers answer for what they do not know."""

_PAID = re.compile(f"{MONEY}|{LASTING}", re.IGNORECASE)
_HTML = re.compile(r"<\s*(!doctype|html|head|body)\b|Traceback \(most recent", re.I)


def from_response(
    status: int, headers: Mapping[str, str], payload: bytes, words: Vocabulary
) -> GatewayError:
    """Return the error for an answer whose status is not 2xx; never raises.

    `headers` have lower-case names; `words` are those that the upstream may use.
    """
    kind = headers.get(words.kind_header, "")
    try:
        body = decode(payload)
    except JSONError:
        body = None
    if body is None and not kind:
        return _without_json(status, headers, payload, words)
    refusal = read(body, kind)
    outcome, refusal = _meaning(refusal, status, words)
    return _build(outcome or _by_class(status), refusal, status, headers)


def from_object(
    body: Any, words: Vocabulary, *, kind: str = "", default: Outcome = FAILED
) -> GatewayError:
    """Return the error for an error object found in a stream or in a 200 answer.

    `kind` is the name that came beside it, such as a frame's. What nothing recognises
    becomes `default`.
    """
    refusal = read(body, kind)
    status = refusal.status
    outcome, refusal = _meaning(refusal, status, words)
    otherwise = _by_class(status) if status else default
    return _build(outcome or otherwise, refusal, status, {})


def found_in(
    body: Any, words: Vocabulary, *, default: Outcome = FAILED
) -> GatewayError | None:
    """Return the error that a decoded object tells of by its shape, None if it is none.

    For what comes with status 200 and should be an answer, or a piece of one.
    """
    return from_object(body, words, default=default) if is_error(body) else None


def instead_of_answer(body: Any, words: Vocabulary) -> GatewayError:
    """Return the error for what came with status 200 and is no answer."""
    return from_object(body, words, default=NO_ANSWER)


def truncated() -> GatewayError:
    """Return the error for a stream that ended without its terminal event."""
    return upstream_error(
        502,
        "upstream_stream_truncated",
        "The provider's stream ended before the answer was complete.",
    )


def unfinished(foreign: bytes, words: Vocabulary) -> GatewayError:
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
    error = found_in(body, words, default=NO_ANSWER)
    return error or no_answer("is not a stream")


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


def _without_json(
    status: int, headers: Mapping[str, str], payload: bytes, words: Vocabulary
) -> GatewayError:
    """Return the error for a body that is plain text, a web page or nothing."""
    if 300 <= status < 400:
        return _not_the_api("was a redirect, which is never followed", headers)
    refusal = read(_plain_text(payload))
    outcome, refusal = _meaning(refusal, status, words)
    by_status = words.statuses.get(status) or _by_class(status)
    outcome = outcome or by_status
    says_nothing = outcome is INVALID and not refusal.message
    if outcome is not by_status or not (
        status in _ELSEWHERE or outcome is DENIED or says_nothing
    ):
        return _build(outcome, refusal, status, headers)
    # A web server or firewall in front of the API spoke, not the API.
    why = f"was HTTP {status} without a JSON error; its endpoint may be wrong"
    if refusal.message:
        why += f" ({_shown(refusal.message, status).rstrip('.')})"
    return _not_the_api(why, headers)


def _not_the_api(why: str, headers: Mapping[str, str]) -> GatewayError:
    error = no_answer(why)
    error.headers.update(relayed_headers(headers), **{"x-should-retry": "false"})
    return error


def _plain_text(payload: bytes) -> str:
    """Return what a body says that is a sentence; empty for all else."""
    try:
        text = payload.decode().strip()
    except UnicodeDecodeError:
        return ""
    is_markup = text.startswith(("<", "{", "[")) or _HTML.search(text)
    return "" if is_markup or "\0" in text else text


def _meaning(
    refusal: Refusal, status: int, words: Vocabulary
) -> tuple[Outcome | None, Refusal]:
    """Return what a refusal means, None where `words` do not say, and the refusal.

    It comes back with the parameter that its text names.
    """
    if outcome := _first(refusal.kinds, words.kinds):
        return _of_rate(refusal) if outcome is RATE else outcome, refusal
    if status not in _NO_OVERFLOW and _is_overflow(refusal):
        return TOO_LONG, refusal
    for pattern, outcome in words.sayings:
        if found := pattern.search(refusal.message):
            if outcome is QUOTA and status == 429:
                outcome = _of_rate(refusal)
            return outcome, _named(refusal, found, words)
    if outcome := words.statuses.get(status) or _first(refusal.kinds, words.broad):
        return _of_rate(refusal) if outcome is RATE else outcome, refusal
    return None if status else _first(refusal.kinds, words.vague), refusal


def _is_overflow(refusal: Refusal) -> bool:
    return is_overflow(refusal.message) or any(map(is_overflow_kind, refusal.kinds))


def _of_rate(refusal: Refusal) -> Outcome:
    """Return what a limit that was met means: waiting helps, or nothing within hours.

    Where a time to wait is told, it helps.
    """
    if not refusal.delay and _PAID.search(refusal.message):
        return QUOTA
    return RATE


def _first(kinds: tuple[str, ...], meanings: Mapping[str, Outcome]) -> Outcome | None:
    return next((meanings[kind] for kind in kinds if kind in meanings), None)


def _named(refusal: Refusal, found: re.Match[str], words: Vocabulary) -> Refusal:
    """Return the refusal with the parameter that `found` names, in OpenAI's words."""
    names = found.groupdict()
    if named := names.get("param"):
        known = words.params.get(named) or words.params.get(named.partition(".")[0])
        return refusal._replace(param=known or named)
    feature = FEATURE_PARAMS.get((names.get("feature") or "").lower())
    return refusal._replace(param=feature or refusal.param)


def _build(
    outcome: Outcome, refusal: Refusal, status: int, headers: Mapping[str, str]
) -> GatewayError:
    code = outcome.code
    answered = outcome.status or status or 502
    if outcome is MODEL and refusal.status:
        # The host tells the status that the model's own server gave.
        answered = (
            429 if refusal.status == 429 else 503 if refusal.status >= 500 else 502
        )
    if outcome.type == INVALID.type and code is None:
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
        error.headers.setdefault("retry-after", str(refusal.delay or 2))
    return error


def _shown(message: str, status: int) -> str:
    text = message.strip()
    if not text or _HTML.search(text):
        said = f"answered HTTP {status}" if status else "reported an error"
        return f"The provider {said} without an explanation."
    text = mask(text)
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
