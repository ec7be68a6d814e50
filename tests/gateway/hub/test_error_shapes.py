"""An error is told by its shape: what comes with status 200 and is no answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.hub.errors.meanings import NO_ANSWER
from gateway.hub.errors.shapes import is_error
from gateway.translators.openai.errors import WORDS


def found_in(body: object) -> GatewayError | None:
    return upstream_errors.found_in(body, WORDS, default=NO_ANSWER)


AUTH = (502, "upstream_auth_error")
NO = (502, "upstream_invalid_response")
RATE = (429, "rate_limit_exceeded")
QUOTA = (429, "insufficient_quota")
TOO_LONG = (400, "context_length_exceeded")


def base_resp(code: int, text: str) -> object:
    told = {"status_code": code, "status_msg": text}
    return {"id": "1", "choices": None, "base_resp": told}


@pytest.mark.parametrize(
    ("body", "text", "expected"),
    [
        (base_resp(1008, "insufficient balance"), "insufficient balance", QUOTA),
        (base_resp(1002, "rate limit"), "rate limit", RATE),
        (base_resp(1004, "login fail"), "", AUTH),
        (base_resp(1039, "token limit"), "token limit", TOO_LONG),
        (base_resp(2013, "invalid params"), "invalid params", (400, None)),
        (base_resp(1000, "unknown error"), "unknown error", NO),
        (
            {"error_code": 18, "error_msg": "Open api qps request limit reached"},
            "qps request limit",
            RATE,
        ),
        (
            {"error_code": 17, "error_msg": "Open api daily request limit reached"},
            "daily request limit",
            QUOTA,
        ),
        (
            {"error_code": 336003, "error_msg": "messages must be odd", "id": "as-1"},
            "must be odd",
            (400, None),
        ),
        (
            {"error_code": 110, "error_msg": "Access token invalid"},
            "",
            AUTH,
        ),
        ({"code": 500, "msg": "it broke"}, "it broke", (502, "upstream_error")),
        ({"code": "500", "msg": "it broke"}, "it broke", (502, "upstream_error")),
        ({"code": 429, "msg": "slow down", "data": None}, "slow down", RATE),
        ({"code": 20012, "message": "no such thing", "data": None}, "no such", NO),
        (
            {"error": {"code": "1261", "message": "Prompt 超长"}},
            "Prompt 超长",
            TOO_LONG,
        ),
        ({"error": {"code": "1113", "message": "欠费"}}, "欠费", QUOTA),
        ({"errors": [{"message": "it broke", "code": 7003}]}, "it broke", NO),
        ({"success": False, "errors": ["it broke"], "result": None}, "it broke", NO),
        ({"errors": [{"message": "slow", "code": 429}]}, "slow", RATE),
        ({"success": False, "message": "it broke"}, "it broke", NO),
        ({"status": "error", "message": "it broke"}, "it broke", NO),
        ({"status": 429, "title": "Too Many Requests", "detail": "x"}, "x", RATE),
        ({"detail": "it broke"}, "it broke", NO),
        ({"detail": [{"loc": ["body"], "msg": "field required"}]}, "required", NO),
        ({"message": "it broke"}, "it broke", NO),
        ({"error": "it broke"}, "it broke", NO),
        ({"object": "error", "message": "it broke", "code": 40303}, "it broke", NO),
        (
            {"Response": {"Error": {"Code": "Failed", "Message": "it broke"}}},
            "it broke",
            NO,
        ),
    ],
)
def test_an_error_in_place_of_an_answer_keeps_its_words(
    body: object, text: str, expected: tuple[int, str | None]
) -> None:
    error = found_in(body)
    assert error is not None
    assert text in error.message
    assert (error.status, error.code) == expected


@pytest.mark.parametrize(
    "body",
    [
        None,
        "error",
        [],
        {},
        {"error": None, "usage": {}},
        {"error": {}, "id": "x"},
        {"base_resp": {"status_code": 0, "status_msg": "success"}},
        {"choices": [{}], "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [{}], "detail": "cached"},
        {"choices": [{}], "code": 500, "message": "x"},
        {"code": 0, "msg": "ok"},
        {"code": 200, "message": "success", "data": {}},
        {"code": "200", "msg": "x"},
        {"detail": {"step": 3}},
        {"detail": "loading", "step": 3},
        {"type": "progress", "message": "thinking"},
        {"type": "ping", "detail": "alive"},
        {"status": "in_progress", "message": "queued"},
        {"code": "abc", "message": "ran", "language": "python"},
        {"success": True, "message": "done"},
        {"errors": []},
        {"usage": {"total_tokens": 3}, "detail": "x"},
    ],
)
def test_what_only_resembles_an_error_is_none(body: object) -> None:
    assert found_in(body) is None


INNER = '{"error":{"message":"prompt is too long: 9 tokens > 8","code":400}}'


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Provider returned error", "metadata": {"raw": INNER}}},
        {
            "error": {
                "message": "Provider returned error",
                "metadata": {"raw": {"error": {"message": "prompt is too long"}}},
            }
        },
        {"error": {"message": INNER, "type": "upstream_error"}},
        {"error": {"message": f"OpenAIException - {INNER}"}},
        {"detail": INNER},
        {"message": INNER},
        {
            "error": {
                "message": "failed",
                "details": [{"message": "prompt is too long"}],
            }
        },
    ],
)
def test_the_real_error_inside_another_is_read(body: object) -> None:
    error = found_in(body)
    assert error is not None
    assert (error.status, error.code) == TOO_LONG
    assert error.message.startswith("prompt is too long")


def test_what_a_gateway_was_told_in_plain_text_is_shown() -> None:
    raw = "The model is temporarily rate-limited upstream."
    told = {"message": "Provider returned error", "code": 429, "metadata": {"raw": raw}}
    error = found_in({"error": told})
    assert error is not None
    assert (error.status, error.message) == (429, raw)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text()
            | st.sampled_from(
                ["error", "errors", "message", "detail", "code", "status", "metadata"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_whatever_comes_is_judged(body: object) -> None:
    error = found_in(body)
    assert (error is not None) == is_error(body)
    if error is not None:
        assert 400 <= error.status < 600
        assert error.message
