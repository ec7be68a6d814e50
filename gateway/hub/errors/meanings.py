"""What goes wrong at an upstream, and the words by which it is told.

The words here are OpenAI's, those of servers that speak its format, and HTTP's; what
one vendor alone says stands with its translator.
https://platform.openai.com/docs/guides/error-codes
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.hub.errors.wordings import CREDENTIAL, MONEY, NO_SUCH_MODEL


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
REFUSED = Outcome(400, _I)
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
FAILED = Outcome(502, _S, "upstream_error")
NO_ANSWER = Outcome(502, _S, "upstream_invalid_response")

Saying = tuple[re.Pattern[str], Outcome]


def sayings(*told: tuple[str, Outcome]) -> tuple[Saying, ...]:
    """Return what texts mean, by patterns that know no capitals.

    A group `param` in one is the parameter that is wrong, `feature` a key of
    `FEATURE_PARAMS`.
    """
    return tuple((re.compile(text, re.IGNORECASE), meaning) for text, meaning in told)


FEATURE_PARAMS = {"tools": "tools", "thinking": "reasoning_effort", "chat": "model"}


@dataclass(frozen=True)
class Vocabulary:
    """The words of one kind of upstream, from what tells most to what tells least.

    `kinds` are its own names of errors, in lower case without namespace. `broad` names
    cover several failures: texts and statuses are asked before them. `vague` ones say
    less than a status and are asked where there is none. `kind_header` is the response
    header that holds a name. `params` has OpenAI's names of parameters, by the first of
    the words, parted by dots, that the upstream has for them.
    """

    kinds: Mapping[str, Outcome] = field(default_factory=dict)
    sayings: tuple[Saying, ...] = ()
    statuses: Mapping[int, Outcome] = field(default_factory=dict)
    broad: Mapping[str, Outcome] = field(default_factory=dict)
    vague: Mapping[str, Outcome] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    kind_header: str = ""

    def __or__(self, own: "Vocabulary") -> "Vocabulary":
        """Return these words and `own`, which come first."""
        return Vocabulary(
            {**self.kinds, **own.kinds},
            own.sayings + self.sayings,
            {**self.statuses, **own.statuses},
            {**self.broad, **own.broad},
            {**self.vague, **own.vague},
            {**self.params, **own.params},
            own.kind_header or self.kind_header,
        )


COMMON = Vocabulary(
    kinds={
        "authentication_error": AUTH,
        "invalid_api_key": AUTH,
        "invalid_authentication": AUTH,
        "api_key_invalid": AUTH,
        "invalidapikey": AUTH,
        "expired_api_key": AUTH,
        "api_key_expired": AUTH,
        "consumer_suspended": AUTH,
        "consumer_invalid": AUTH,
        "invalid_credentials": AUTH,
        "token_expired": AUTH,
        "unauthenticated": AUTH,
        "unauthorized": AUTH,
        "autherror": AUTH,
        "insufficient_quota": QUOTA,
        "billing_hard_limit_reached": QUOTA,
        "rate_limit_error": RATE,
        "rate_limit_exceeded": RATE,
        "resource_exhausted": RATE,
        "too_many_requests": RATE,
        "context_length_exceeded": TOO_LONG,
        "not_found_error": NO_MODEL,
        "model_not_found": NO_MODEL,
        "invalid_model": NO_MODEL,
        "model_decommissioned": NO_MODEL,
        "deploymentnotfound": NO_MODEL,
        "unsupported_country_region_territory": DENIED,
        "engine_overloaded": OVERLOADED,
        "engine_overloaded_error": OVERLOADED,
        "unavailable": OVERLOADED,
        "deadline_exceeded": TIMEOUT,
    },
    sayings=sayings(
        (r"(?P<param>[\w.\[\]-]{1,100}): extra inputs are not permitted", UNSUPPORTED),
        (r"does not support (?P<feature>tools|thinking|chat)\b", UNSUPPORTED),
        (MONEY, QUOTA),
        (CREDENTIAL, AUTH),
        (NO_SUCH_MODEL, NO_MODEL),
        (r"too many requests", RATE),
        (r"server (is )?busy|queue (is )?full|maximum pending requests", OVERLOADED),
    ),
    statuses={
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
    },
    broad={
        "permission_error": DENIED,
        "permission_denied": DENIED,
    },
    vague={
        "invalid_request_error": REFUSED,
        "invalid_argument": REFUSED,
        "api_error": FAILED,
        "server_error": FAILED,
        "internal_error": FAILED,
        "internal_server_error": FAILED,
    },
)
