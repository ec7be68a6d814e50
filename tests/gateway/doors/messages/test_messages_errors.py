"""Failures in the Messages API's terms, as its clients act on them."""

import pytest

from gateway.doors import messages
from gateway.doors.protocol import Sent
from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.translators import TRANSLATORS

SENT = Sent({}, "req_1")


def told(error: GatewayError) -> tuple[int, str]:
    body = messages.render_error(error, SENT)
    assert (body["type"], body["request_id"]) == ("error", "req_1")
    return messages.status_of(error, SENT), body["error"]["type"]


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "invalid_value", (400, "invalid_request_error")),
        (401, "invalid_api_key", (401, "authentication_error")),
        (429, "insufficient_quota", (402, "billing_error")),
        (403, "model_not_allowed", (403, "permission_error")),
        (404, "model_not_found", (404, "not_found_error")),
        (405, "method_not_allowed", (405, "invalid_request_error")),
        (408, "request_timeout", (408, "timeout_error")),
        (413, "request_too_large", (413, "request_too_large")),
        (415, "unsupported_media_type", (415, "invalid_request_error")),
        (429, "rate_limit_exceeded", (429, "rate_limit_error")),
        (503, "overloaded", (529, "overloaded_error")),
        (503, "shutting_down", (503, "api_error")),
        (504, "upstream_timeout", (504, "timeout_error")),
        (502, "upstream_auth_error", (502, "api_error")),
        (502, "upstream_stream_truncated", (502, "api_error")),
        (508, "loop_detected", (508, "api_error")),
        (500, "internal_error", (500, "api_error")),
    ],
)
def test_a_failure_has_the_status_and_the_type_that_clients_know(
    status, code, expected
):
    assert told(GatewayError(status, "any", "Said.", code)) == expected


TOO_LONG = [
    (
        "openai",
        "This model's maximum context length is 128000 tokens. However, your messages "
        "resulted in 130001 tokens. Please reduce the length of the messages.",
        "prompt is too long: 130001 tokens > 128000 maximum",
    ),
    (
        "openai",
        "This model's maximum context length is 8192 tokens. However, you requested "
        "72000 tokens (8000 in the messages, 64000 in the completion). Please reduce "
        "the length of the messages or completion.",
        "input length and `max_tokens` exceed context limit: 8000 + 64000 > 8192, "
        "decrease input length or `max_tokens` and try again",
    ),
    (
        "openai",
        "'max_tokens' or 'max_completion_tokens' is too large: 64000. This model's "
        "maximum context length is 32768 tokens and your request has 20000 input "
        "tokens (64000 > 32768 - 20000).",
        "input length and `max_tokens` exceed context limit: 20000 + 64000 > 32768, "
        "decrease input length or `max_tokens` and try again",
    ),
    (
        "openai",
        "request (20063 tokens) exceeds the available context size (16384 tokens), "
        "try increasing it",
        "prompt is too long: 20063 tokens > 16384 maximum",
    ),
    (
        "openai",
        "Requested token count exceeds the model's maximum context length of 131072 "
        "tokens. You requested a total of 140000 tokens: 139000 tokens from the input "
        "messages and 1000 tokens for the completion.",
        "prompt is too long: 139000 tokens > 131072 maximum",
    ),
    (
        "openai",
        "This endpoint's maximum context length is 40960 tokens. However, you "
        "requested about 72959 tokens (8959 of text input, 64000 in the output).",
        "input length and `max_tokens` exceed context limit: 8959 + 64000 > 40960, "
        "decrease input length or `max_tokens` and try again",
    ),
    (
        "ollama",
        "the input length exceeds the context length",
        "prompt is too long (capability_rejected: prompt_too_long): the input length "
        "exceeds the context length",
    ),
    (
        "bedrock",
        "Input is too long for requested model.",
        "prompt is too long (capability_rejected: prompt_too_long): Input is too long "
        "for requested model.",
    ),
    (
        "anthropic",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "prompt is too long: 210000 tokens > 200000 maximum",
    ),
]


@pytest.mark.parametrize(("kind", "said", "expected"), TOO_LONG)
def test_a_long_conversation_is_told_so_that_clients_shorten_it(kind, said, expected):
    payload = b'{"error": {"message": "%b"}, "message": "%b"}' % (
        said.encode(),
        said.encode(),
    )
    error = TRANSLATORS[kind].parse_error(400, {}, payload)
    assert error.code == "context_length_exceeded"
    body = messages.render_error(error, SENT)
    assert body["error"] == {"type": "invalid_request_error", "message": expected}


def test_a_limit_over_time_is_no_long_conversation():
    error = GatewayError(429, "rate_limit_error", "tokens per minute", "rate_limit")
    assert messages.render_error(error, SENT)["error"]["message"] == "tokens per minute"


def test_the_words_that_clients_know_begin_the_message():
    quota = GatewayError(429, "any", "openai: no more", "insufficient_quota")
    unknown = GatewayError(404, "any", "no provider found", "model_not_found")
    key = GatewayError(401, "any", "No valid API key.", "invalid_api_key")
    said = [
        messages.render_error(error, SENT)["error"]["message"]
        for error in (quota, unknown, key)
    ]
    assert said == [
        "Your credit balance is too low: openai: no more",
        "model: no provider found",
        "invalid x-api-key. No valid API key.",
    ]


def test_seconds_to_wait_are_whole():
    headers = messages.answer_headers({"retry-after": "1.4"}, SENT)
    assert headers == {"retry-after": "2", "request-id": "req_1"}
    date = {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}
    assert messages.answer_headers(dict(date), SENT).items() >= date.items()


def test_a_stream_that_broke_off_is_an_error_of_the_api():
    assert told(upstream_errors.truncated()) == (502, "api_error")
