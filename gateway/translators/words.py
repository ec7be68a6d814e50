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
        (r"(inputText|prompt)\b.{0,20}expected maxLength", TOO_LONG),
        (r"doesn.t support the (?P<param>[\w.]{1,100}) field", UNSUPPORTED),
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
    params={
        "stopSequences": "stop",
        "maxTokens": "max_tokens",
        "topP": "top_p",
        "topK": "top_k",
        "toolConfig.toolChoice": "tool_choice",
        "toolConfig.toolChoice.any": "tool_choice",
        "toolConfig.toolChoice.tool": "tool_choice",
        "toolConfig.toolChoice.auto": "tool_choice",
        "toolChoice": "tool_choice",
        "toolConfig": "tools",
        "system": "messages",
        "s3Uri": "messages",
        "outputConfig": "response_format",
        "inferenceConfig.stopSequences": "stop",
        "inferenceConfig.maxTokens": "max_tokens",
        "inferenceConfig.topP": "top_p",
        "inferenceConfig.temperature": "temperature",
    },
    kind_header="x-amzn-errortype",
)
"""What AWS says of any host of its own.

https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html
"""

NUMBERED_WORDS = Vocabulary(
    kinds={
        # https://platform.minimax.io/docs/api-reference/errorcode
        "status_code 1001": TIMEOUT,
        "status_code 1002": RATE,
        "status_code 1004": AUTH,
        "status_code 1008": QUOTA,
        "status_code 1026": REFUSED,
        "status_code 1027": REFUSED,
        "status_code 1039": TOO_LONG,
        "status_code 1041": RATE,
        "status_code 1042": REFUSED,
        "status_code 2013": REFUSED,
        "status_code 2045": RATE,
        "status_code 2049": AUTH,
        "status_code 2056": QUOTA,
        # https://ai.baidu.com/ai-doc/WENXINWORKSHOP/tlmyncueh
        "error_code 2": OVERLOADED,
        "error_code 4": RATE,
        "error_code 6": DENIED,
        "error_code 13": AUTH,
        "error_code 14": AUTH,
        "error_code 17": QUOTA,
        "error_code 18": RATE,
        "error_code 19": QUOTA,
        "error_code 100": AUTH,
        "error_code 110": AUTH,
        "error_code 111": AUTH,
        "error_code 336003": REFUSED,
        "error_code 336007": TOO_LONG,
        "error_code 336100": OVERLOADED,
        "error_code 336103": TOO_LONG,
        "error_code 336501": RATE,
        "error_code 336502": RATE,
        # https://docs.z.ai/api-reference/api-code
        "code 1000": AUTH,
        "code 1001": AUTH,
        "code 1002": AUTH,
        "code 1003": AUTH,
        "code 1004": AUTH,
        "code 1112": AUTH,
        "code 1113": QUOTA,
        "code 1210": REFUSED,
        "code 1211": NO_MODEL,
        "code 1213": REFUSED,
        "code 1214": REFUSED,
        "code 1220": DENIED,
        "code 1261": TOO_LONG,
        "code 1301": REFUSED,
        "code 1302": RATE,
        "code 1303": RATE,
        "code 1304": QUOTA,
        "code 1305": RATE,
        "code 1308": QUOTA,
        "code 1309": QUOTA,
        "code 1310": QUOTA,
        "code 1312": OVERLOADED,
    },
)
"""Servers that number their errors, each under a key of its own."""

CLAUDE_WORDS = Vocabulary(
    kinds={
        "billing_error": QUOTA,
        "request_too_large": TOO_LARGE,
        "timeout_error": TIMEOUT,
        "overloaded_error": OVERLOADED,
    },
)
"""https://platform.claude.com/docs/en/api/errors"""
