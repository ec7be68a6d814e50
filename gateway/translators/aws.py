"""What AWS says went wrong, whatever format the host behind it speaks.

Bedrock's own formats are refused in these words, and so are OpenAI's and Anthropic's
where AWS serves them.
https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
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
