"""What servers that speak OpenAI's format say went wrong.

Anybody may stand behind them: gateways relay the words of those whom they call.
"""

from gateway.hub.errors.meanings import (
    COMMON,
    OVERLOADED,
    QUOTA,
    TIMEOUT,
    TOO_LARGE,
    TOO_LONG,
    Vocabulary,
    sayings,
)
from gateway.translators.aws import AWS_WORDS

_RELAYED = Vocabulary(
    kinds={
        "billing_error": QUOTA,
        "overloaded_error": OVERLOADED,
        "request_too_large": TOO_LARGE,
        "timeout_error": TIMEOUT,
    },
    sayings=sayings(
        (r"credit balance is too low", QUOTA),
        (r"input length and `?max_tokens`? exceed", TOO_LONG),
    ),
)
"""Claude's, from gateways in front of it."""

WORDS = COMMON | AWS_WORDS | _RELAYED
