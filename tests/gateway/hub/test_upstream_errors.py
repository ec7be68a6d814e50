"""Every row of the common words, and what must never be shown."""

import json

import pytest

from gateway.doors.chat import render_error
from gateway.errors import GatewayError
from gateway.hub.answers.upstream_headers import relayed_headers
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.masking import mask
from gateway.hub.errors.meanings import COMMON, OVERLOADED, QUOTA, Vocabulary


def refused(status: int, body: object, **headers: str) -> GatewayError:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return upstream_errors.from_response(status, names, payload, COMMON)


def anthropic(type: str, message: str = "no") -> object:
    return {"type": "error", "error": {"type": type, "message": message}}


def openai(message: str = "no", **fields: object) -> object:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


INVALID = "invalid_request_error"
SERVER = "server_error"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, openai(code=None), (400, INVALID, None)),
        (400, openai(code="content_filter"), (400, INVALID, "content_filter")),
        (400, openai(code=400), (400, INVALID, None)),
        (400, {"message": "no"}, (400, INVALID, None)),
        (409, {"message": "no"}, (409, INVALID, None)),
        (422, {"detail": "no"}, (422, INVALID, None)),
        (404, {"detail": "Not Found"}, (404, INVALID, None)),
        (400, openai("prompt is too long: 2 tokens > 1 maximum"), "too long"),
        (500, {"error": "request exceeds the available context size"}, "too long"),
        (400, openai("This model's maximum context length is 8"), "too long"),
        (400, openai("no", code="context_length_exceeded"), "too long"),
        (401, openai("Incorrect API key", code="invalid_api_key"), "auth"),
        (401, b"", "auth"),
        (401, b"<html>401</html>", "auth"),
        (401, anthropic("authentication_error"), "auth"),
        (403, anthropic("authentication_error"), "auth"),
        (403, anthropic("permission_error"), "denied"),
        (409, anthropic("invalid_request_error"), (409, INVALID, None)),
        (404, anthropic("not_found_error", "model: x"), "no model"),
        (404, {"error": "model 'x' not found"}, "no model"),
        (404, openai("The model `x` does not exist"), "no model"),
        (404, {"error": {"code": "DeploymentNotFound", "message": "x"}}, "no model"),
        (429, openai("no", code="insufficient_quota"), "quota"),
        (429, anthropic("rate_limit_error"), "rate"),
        (429, b"Too Many Requests", "rate"),
        (429, {"message": "Too many tokens, please wait"}, "rate"),
        (413, b"<html>nginx</html>", (413, INVALID, "request_too_large")),
        (503, {"error": "server busy, please try again."}, "overloaded"),
        (503, b"no healthy upstream", "overloaded"),
        (504, b"<html>", "timeout"),
        (424, {"message": "x"}, (502, SERVER, "model_error")),
        (
            424,
            {"message": "x", "originalStatusCode": 429},
            (429, SERVER, "model_error"),
        ),
        (
            424,
            {"message": "x", "originalStatusCode": 500},
            (503, SERVER, "model_error"),
        ),
        (500, anthropic("api_error"), (502, SERVER, "upstream_error")),
        (500, {"error": "llama runner process has terminated"}, "failed"),
        (502, b"<html>Bad gateway</html>", "failed"),
        (302, b"", "no answer"),
        (404, b"404 page not found", "no answer"),
        (403, b"<html>blocked</html>", "no answer"),
        (400, b"", "no answer"),
        (204, b"", "no answer"),
        (400, b"temperature must be at most 2", (400, INVALID, None)),
        (422, b"Failed to deserialize the JSON body", (422, INVALID, None)),
        (413, b"prompt is too long: 9 tokens > 8 maximum", "too long"),
        (403, b"Invalid API key", "auth"),
        (404, b"model 'x' not found", "no model"),
        (500, b"CUDA out of memory", "failed"),
        (405, b"Method Not Allowed", "no answer"),
        (101, b"", "no answer"),
    ],
)
def test_the_upstreams_refusal_becomes_the_tables_status_and_code(
    status: int, body: object, expected: object
) -> None:
    named = {
        "too long": (400, INVALID, "context_length_exceeded"),
        "auth": (502, SERVER, "upstream_auth_error"),
        "denied": (403, "permission_error", "model_access_denied"),
        "no model": (404, "not_found_error", "model_not_found"),
        "quota": (429, "insufficient_quota", "insufficient_quota"),
        "rate": (429, "rate_limit_error", "rate_limit_exceeded"),
        "overloaded": (503, SERVER, "overloaded"),
        "timeout": (504, SERVER, "upstream_timeout"),
        "failed": (502, SERVER, "upstream_error"),
        "no answer": (502, SERVER, "upstream_invalid_response"),
    }
    error = refused(status, body)
    wanted = named[expected] if isinstance(expected, str) else expected
    assert (error.status, error.type, error.code) == wanted


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("tools.0.custom: Extra inputs are not permitted", "tools.0.custom"),
        ("registry.ollama.ai/library/m does not support tools", "tools"),
        ('"m" does not support thinking', "reasoning_effort"),
        ('"m" does not support chat', "model"),
    ],
)
def test_a_refused_parameter_is_named(message: str, param: str) -> None:
    error = refused(400, {"error": message})
    assert (error.status, error.code) == (400, "unsupported_parameter")
    assert error.param == param


def test_the_message_and_param_of_the_upstream_survive() -> None:
    error = refused(400, openai("'x' is too small", param="x", code="bad_x"))
    assert render_error(error)["error"] == {
        "message": "'x' is too small",
        "type": "invalid_request_error",
        "param": "x",
        "code": "bad_x",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "field required"),
        ({"object": "error", "message": "said", "code": 400}, "said"),
        ({"error": "said"}, "said"),
        ([{"error": {"code": 400, "message": "said"}}], "said"),
        ({"errors": [{"message": "said"}]}, "said"),
        ({"error": {"message": {"detail": "said"}}}, "said"),
        ({"errorMessage": "said"}, "said"),
        ({}, "without an explanation"),
        ({"message": "<html><body>x</body></html>"}, "without an explanation"),
        ("said", "said"),
    ],
)
def test_the_message_is_found_in_every_shape(body: object, message: str) -> None:
    error = refused(422, body)
    assert message in error.message
    assert "<" not in error.message


@pytest.mark.parametrize(
    ("status", "payload", "message"),
    [
        (422, b"missing field `messages`\n", "missing field `messages`"),
        (429, b"Slow down", "Slow down"),
        (503, b"no healthy upstream", "no healthy upstream"),
        (500, b"CUDA out of memory", "CUDA out of memory"),
        (404, b"404 page not found", "404 page not found"),
        (403, b"error code: 1010", "error code: 1010"),
        (500, b"<h1>Sorry</h1>", "without an explanation"),
        (500, b"\x8b\x00\xff", "without an explanation"),
        (500, b'{"error": {"mess', "without an explanation"),
        (500, b"at http://10.0.0.5:8000/ now", "at [address] now"),
    ],
)
def test_a_refusal_in_plain_text_keeps_its_words(
    status: int, payload: bytes, message: str
) -> None:
    assert message in refused(status, payload).message


def test_an_authentication_error_never_repeats_the_upstreams_text() -> None:
    error = refused(401, openai("Incorrect API key provided: sk-ab***yz."))
    assert "sk-" not in error.message
    assert error.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("key sk-proj-abc_DEF-123 rejected", "key [redacted] rejected"),
        ("key sk-ab***yz.", "key [redacted]"),
        ("limit of org-AbCdEfGh123456 hit", "limit of [redacted] hit"),
        ("AKIAIOSFODNN7EXAMPLE is off", "[redacted] is off"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [redacted]"),
        (
            "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x",
            "arn:aws:bedrock:us-east-1:[redacted]:inference-profile/x",
        ),
        ("at http://10.0.0.5:8000/v1 now", "at [address] now"),
        ("see https://platform.openai.com/docs/guides", None),
        ("a task-based, disk-bound risk-free call", None),
    ],
)
def test_secrets_and_private_addresses_are_masked(text: str, kept: str | None) -> None:
    assert mask(text) == (kept or text)


def test_a_long_message_is_cut() -> None:
    assert len(refused(400, {"message": "x" * 70_000}).message) == 2000


def test_a_traceback_is_not_shown() -> None:
    error = refused(500, {"detail": "Traceback (most recent call last):\n  File x"})
    assert "File" not in error.message


@pytest.mark.parametrize("status", [429, 503])
def test_a_missing_retry_after_is_filled_in(status: int) -> None:
    assert refused(status, {"message": "x"}).headers["retry-after"] == "2"


def test_the_upstreams_retry_after_is_passed_on() -> None:
    error = refused(429, anthropic("rate_limit_error"), retry_after="12")
    assert error.headers["retry-after"] == "12"


def test_an_exhausted_quota_is_not_to_be_retried() -> None:
    error = refused(429, openai(code="insufficient_quota"), retry_after="1")
    assert error.headers["x-should-retry"] == "false"


def test_anthropics_limits_get_openais_names() -> None:
    headers = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-tokens-remaining": "1000",
        "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:30Z",
        "anthropic-ratelimit-input-tokens-limit": "7",
        "date": "Thu, 01 Jan 2026 00:00:00 GMT",
        "set-cookie": "a=b",
        "request-id": "req_1",
    }
    assert relayed_headers(headers) == {
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-tokens": "1000",
        "x-ratelimit-reset-requests": "30s",
        "x-upstream-request-id": "req_1",
    }


def test_a_header_value_with_a_line_break_is_not_relayed() -> None:
    assert relayed_headers({"retry-after": "1\r\nset-cookie: a"}) == {}


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ({"error": {"message": "x", "code": 429}}, "", (429, "rate_limit_exceeded")),
        ({"error": {"message": "x", "code": 418}}, "", (418, None)),
        ({"error": "an error was encountered"}, "", (502, "upstream_error")),
        ("boom", "", (502, "upstream_error")),
        (None, "", (502, "upstream_error")),
    ],
)
def test_an_error_inside_an_answer_is_classified(
    body: object, kind: str, expected: tuple[int, str | None]
) -> None:
    error = upstream_errors.from_object(body, COMMON, kind=kind)
    assert (error.status, error.code) == expected


def test_a_vendors_own_words_come_first() -> None:
    own = Vocabulary(kinds={"server_error": QUOTA})
    error = upstream_errors.from_response(
        400, {}, b'{"error":{"type":"server_error"}}', COMMON | own
    )
    assert error.code == "insufficient_quota"


def test_a_vendors_own_statuses_come_first() -> None:
    own = Vocabulary(statuses={418: OVERLOADED})
    error = upstream_errors.from_response(418, {}, b"{}", COMMON | own)
    assert error.code == "overloaded"
