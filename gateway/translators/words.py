"""Words for errors that travel: other formats than their vendor's own carry them, too.

AWS answers in its own words whichever format it serves, and gateways relay the words of
those whom they call.
"""

from gateway.hub.errors.meanings import (
    AUTH,
    DENIED,
    FAILED,
    MODEL,
    NEEDS_PROFILE,
    NO_ANSWER,
    NO_MODEL,
    NOT_READY,
    OVERLOADED,
    QUOTA,
    RATE,
    REFUSED,
    SKEW,
    TIMEOUT,
    TOO_LARGE,
    TOO_LONG,
    UNSUPPORTED,
    Vocabulary,
    sayings,
)

AWS_WORDS = Vocabulary(
    kinds={
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
    },
    sayings=sayings(
        (r"input is too long for requested model|input tokens exceeded", TOO_LONG),
        (r"extraneous key \[(?P<param>[^\]]{1,100})\] is not permitted", UNSUPPORTED),
        (r"on-demand throughput isn.t supported", NEEDS_PROFILE),
        (r"model identifier is invalid", NO_MODEL),
        (r"signature (expired|not yet current)", SKEW),
        (
            r"security token included in the request is (invalid|expired)"
            r"|request signature we calculated does not match"
            r"|missing authentication token",
            AUTH,
        ),
    ),
    broad={"accessdeniedexception": DENIED},
    vague={"validationexception": REFUSED, "internalserverexception": FAILED},
    kind_header="x-amzn-errortype",
)
"""What AWS says of any host of its own.

https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

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
"""https://platform.claude.com/docs/en/api/errors"""
