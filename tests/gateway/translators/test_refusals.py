"""Refusals in a vendor's own words, by its translator and relayed by others."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.translators import TRANSLATORS
from gateway.translators.anthropic.errors import WORDS as CLAUDES
from gateway.translators.bedrock.errors import WORDS as BEDROCKS

NO = "upstream_invalid_response"
INVALID = "invalid_request_error"
SERVER = "server_error"

NAMED = {
    "too long": (400, INVALID, "context_length_exceeded"),
    "auth": (502, SERVER, "upstream_auth_error"),
    "denied": (403, "permission_error", "model_access_denied"),
    "no model": (404, "not_found_error", "model_not_found"),
    "quota": (429, "insufficient_quota", "insufficient_quota"),
    "rate": (429, "rate_limit_error", "rate_limit_exceeded"),
    "overloaded": (503, SERVER, "overloaded"),
    "timeout": (504, SERVER, "upstream_timeout"),
}


def anthropic(type: str, message: str = "no") -> object:
    return {"type": "error", "error": {"type": type, "message": message}}


def openai(message: str = "no", **fields: object) -> object:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


def refused(translator: str, status: int, body: object, **headers: str) -> GatewayError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    payload = json.dumps(body).encode()
    return TRANSLATORS[translator].parse_error(status, names, payload)


CLAUDE_SAYS: list[tuple[int, object, object]] = [
    (400, openai("input length and `max_tokens` exceed context limit"), "too long"),
    (
        400,
        anthropic(
            INVALID, "You have reached your specified API usage limits. You will"
        ),
        "quota",
    ),
    (429, anthropic("rate_limit_error", "Extra usage is required for long"), "quota"),
    (402, anthropic("billing_error"), "quota"),
    (400, anthropic(INVALID, "Your credit balance is too low to"), "quota"),
    (413, anthropic("request_too_large"), (413, INVALID, "request_too_large")),
    (529, anthropic("overloaded_error"), "overloaded"),
    (500, anthropic("timeout_error"), "timeout"),
]

AWS_SAYS: list[tuple[int, object, object]] = [
    (400, {"message": "Input is too long for requested model."}, "too long"),
    (400, {"message": "Input Tokens Exceeded"}, "too long"),
    (
        400,
        {"message": "too many tokens: size limit exceeded by 11326 tokens"},
        "too long",
    ),
    (400, {"message": "Too many input tokens. Max input tokens: 8192"}, "too long"),
    (429, {"message": "Too many tokens, please wait before trying again."}, "rate"),
    (
        429,
        {"__type": "ThrottlingException", "message": "Too many tokens per day"},
        "quota",
    ),
    (
        403,
        {"__type": "AccessDeniedException", "message": "Bearer Token has expired"},
        "auth",
    ),
    (403, {"message": "Invalid API Key format: Must start with"}, "auth"),
    (403, {"__type": "UnrecognizedClientException", "message": "x"}, "auth"),
    (403, {"message": "The request signature we calculated does not"}, "denied"),
    (
        403,
        {"message": "The request signature we calculated does not match"},
        "auth",
    ),
    (403, {"Message": "Missing Authentication Token"}, "auth"),
    (400, {"__type": "AccessDeniedException", "message": "no"}, "denied"),
    (400, {"message": "The provided model identifier is invalid."}, "no model"),
    (
        400,
        {"message": "with on-demand throughput isn't supported"},
        (400, INVALID, "model_requires_inference_profile"),
    ),
    (400, {"__type": "ServiceQuotaExceededException", "message": "x"}, "quota"),
    (400, {"__type": "ThrottlingException", "message": "x"}, "rate"),
    (
        429,
        {"__type": "ModelNotReadyException", "message": "x"},
        (503, SERVER, "model_not_ready"),
    ),
    (408, {"__type": "ModelTimeoutException", "message": "x"}, "timeout"),
]


@pytest.mark.parametrize(("status", "body", "expected"), CLAUDE_SAYS)
@pytest.mark.parametrize("translator", ["anthropic", "bedrock", "openai"])
def test_claudes_words_are_known_wherever_claude_answers(
    translator: str, status: int, body: object, expected: object
) -> None:
    error = refused(translator, status, body)
    wanted = NAMED[expected] if isinstance(expected, str) else expected
    assert (error.status, error.type, error.code) == wanted


@pytest.mark.parametrize(("status", "body", "expected"), AWS_SAYS)
@pytest.mark.parametrize("translator", ["bedrock", "anthropic", "openai"])
def test_awss_words_are_known_whatever_it_serves(
    translator: str, status: int, body: object, expected: object
) -> None:
    error = refused(translator, status, body)
    wanted = NAMED[expected] if isinstance(expected, str) else expected
    assert (error.status, error.type, error.code) == wanted


def test_a_key_that_aws_does_not_permit_is_named() -> None:
    said = "Malformed input request: extraneous key [top_k] is not permitted"
    error = refused("bedrock", 400, {"error": said})
    assert (error.status, error.code) == (400, "unsupported_parameter")
    assert error.param == "top_k"


@pytest.mark.parametrize(
    ("named", "param"),
    [
        ("stopSequences", "stop"),
        ("topP", "top_p"),
        ("toolConfig.toolChoice.any", "tool_choice"),
        ("toolConfig", "tools"),
        ("temperature", "temperature"),
        ("futureField", "futureField"),
    ],
)
def test_a_field_that_a_model_lacks_is_told_by_openais_name(
    named: str, param: str
) -> None:
    said = (
        f"This model doesn't support the {named} field. Remove {named} and try again."
    )
    error = refused("bedrock", 400, {"message": said})
    assert (error.status, error.code) == (400, "unsupported_parameter")
    assert error.param == param


def test_the_aws_header_names_the_kind() -> None:
    error = refused(
        "bedrock",
        400,
        {"message": "slow down"},
        x_amzn_errortype="ThrottlingException:http://internal.amazon.com/coral/",
    )
    assert (error.status, error.message) == (429, "slow down")


def test_a_namespaced_aws_type_is_understood() -> None:
    body = {"__type": "com.amazon.bedrock#ThrottlingException", "Message": "slow"}
    assert refused("bedrock", 400, body).code == "rate_limit_exceeded"


def test_a_skewed_clock_is_hinted_at() -> None:
    error = refused(
        "bedrock", 403, {"message": "Signature expired: 2026 is now earlier than"}
    )
    assert error.code == "upstream_auth_error"
    assert "clock" in error.message


def test_an_error_of_claudes_inside_an_answer_is_classified() -> None:
    body = {"type": "overloaded_error", "message": "no"}
    error = upstream_errors.from_object(body, CLAUDES)
    assert (error.status, error.code) == (503, "overloaded")


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ({"message": "slow"}, "throttlingException", (429, "rate_limit_exceeded")),
        ({"message": "no"}, "validationException", (400, None)),
        ({"message": "no"}, "internalServerException", (502, "upstream_error")),
        ({"message": "x"}, "modelStreamErrorException", (502, "model_error")),
        (
            {"__type": "a#UnknownOperationException"},
            "",
            (502, NO),
        ),
        ({"Output": {"__type": "a#UnknownOperationException"}}, "", (502, NO)),
    ],
)
def test_an_error_of_awss_inside_an_answer_is_classified(
    body: object, kind: str, expected: tuple[int, str | None]
) -> None:
    error = upstream_errors.from_object(body, BEDROCKS, kind=kind)
    assert (error.status, error.code) == expected
