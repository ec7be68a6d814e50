"""What Anthropic says went wrong: https://platform.claude.com/docs/en/api/errors"""

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

CLAUDE_WORDS = Vocabulary(
    kinds={
        "billing_error": QUOTA,
        "request_too_large": TOO_LARGE,
        "timeout_error": TIMEOUT,
        "overloaded_error": OVERLOADED,
    },
    sayings=sayings(
        (r"input length and `?max_tokens`? exceed", TOO_LONG),
        (r"credit balance is too low", QUOTA),
    ),
)

WORDS = COMMON | AWS_WORDS | CLAUDE_WORDS
"""AWS's among them, which may serve the same API."""
