"""What refusals mean, in the wordings that servers really use.

Wordings are from public reports and vendors' pages; where a number stands in one, any
other number means the same.
"""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.translators.openai.errors import WORDS
from tests.at_once import at_once


def refused(status: int, body: object, **headers: str) -> GatewayError:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    payload = json.dumps(body).encode()
    return upstream_errors.from_response(status, names, payload, WORDS)


def told(message: str, **fields: object) -> object:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


TOO_LONG = """\
prompt is too long: 213462 tokens > 200000 maximum
Your input exceeds the context window of this model. Please adjust your input and \
try again.
The input token count (1196265) exceeds the maximum number of tokens allowed \
(1048575).
Your request exceeded model token limit: 131072
Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)
Range of input length should be [1, 98304]
<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, \
129024]
`inputs` must have less than 4095 tokens. Given: 5000
Input length 9000 exceeds the maximum allowed token length 8192
This model's maximum prompt length is 131072 but the request contains 200311 tokens.
Trying to keep the first 111490 tokens when context the overflows. However, the \
model is loaded with context length of only 32768 tokens, which is not enough. Try \
to load the model with a larger context length, or provide a shorter input.
The number of tokens to keep from the initial prompt is greater than the context \
length. Try to load the model with a larger context length, or provide a shorter \
input
Cannot truncate prompt with n_keep (15028) >= n_ctx (7424)
too many tokens: size limit exceeded by 11326 tokens. Try using shorter or fewer \
inputs, or setting prompt_truncation='AUTO'.
too many tokens: total number of tokens in the prompt cannot exceed 4081 - received \
5000. Try using a shorter prompt.
Too many input tokens. Max input tokens: 8192, request input token count: 9000
Input is too long for requested model.
The model returned the following errors: Input Tokens Exceeded: Number of input \
tokens exceeds maximum length. Please update the input to try again.
input length and `max_tokens` exceed context limit: 187254 + 20000 > 204798, \
decrease input length or `max_tokens` and try again
This model's maximum context length is 4097 tokens, however you requested 4182 \
tokens (182 in your prompt; 4000 for the completion). Please reduce your prompt; or \
completion length.
This endpoint's maximum context length is 262144 tokens. However, you requested \
about 264896 tokens (52139 of text input, 12757 of tool input, 200000 in the \
output). Please reduce the length of either one.
You passed 202753 input tokens and requested 0 output tokens. However, the model's \
context length is only 202752 tokens, resulting in a maximum input length of 202752 \
tokens.
Input tokens exceed the configured limit of 922000 tokens. Your messages resulted \
in 926618 tokens. Please reduce the length of the messages.
number of input tokens (83121) have exceeded max_prompt_tokens (65536) limit.
Please reduce the length of the messages or completion.
Please reduce the length of the messages or completion. Current length is 30000 \
while limit is 8192
the request exceeds the available context size, try increasing it
request (5000 tokens) exceeds the available context size (4096 tokens), try \
increasing it
prompt token count of 130000 exceeds the limit of 128000
invalid params, context window exceeds limit
invalid params, context window exceeds limit (2013)
The decoder prompt (length 40000) is longer than the maximum model length of 32768. \
Make sure that `max_model_len` is no smaller than the number of text tokens plus \
multimodal tokens.
The prompt (total length 40000) is too long to fit into the model (context length \
32768).
The input (12345 tokens) is longer than the model's context length (8192 tokens).
Requested token count exceeds the model's maximum context length of 32768 tokens. \
You requested a total of 40000 tokens: 30000 tokens from the input messages and \
10000 tokens for the completion.
Prompt length (5000) exceeds maximum input length (4096).
The sum of prompt length (2000), query length (0) and max_tokens (3000) should not \
exceed max_seq_len (4096)
The prompt is too long: 131073, model maximum context length: 131071
Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: \
9000 `inputs` tokens and 100 `max_new_tokens`
Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 \
maximum context length
Total message token length exceed model limit
Total tokens of image and text exceed max message tokens. Request id: 021
Unable to submit request because the input token count is 40000 but model only \
supports up to 32768. Reduce the input token count and try again.
The estimated number of input and maximum output tokens (7000) exceeded this model \
context window limit (6144).
prompt too long; exceeded max context length by 1119046 tokens (ref: \
96164522-08b2-4cbf-886e-e5a38961a688)
the input length exceeds the context length
Context size has been exceeded.
Reached context length of 4096 tokens with model (arch:qwen) that does not \
currently support mid-generation context overflow.
Prompt length 9000 is greater than max_seq_len 8192
Request body too large for gpt-4o model. Max size: 8000 tokens.
Prompt 超长
输入token数超过限制
Input token count + max_tokens parameter must be less than the context length of \
the model being queried. 9000 + 100 > 8192
litellm.ContextWindowExceededError: AnthropicException - prompt is too long: 205000 \
tokens > 200000 maximum
This model's maximum context length is 196608 tokens. However, you requested 16384 \
output tokens and your prompt contains at least 180225 input tokens, for a total of \
at least 196609 tokens. Please reduce the length of the input prompt or the number \
of requested output tokens. (parameter=input_tokens, value=180225)
The maximum context length of the model is 4096. However, the request has 5,000 \
tokens
Prompt tokens too long
Conversation is too long
The text input is 300k tokens; this model takes at most 262k input tokens.
Input is 200001 tokens, maximum is 200000 tokens
""".strip().split("\n")

ANYTHING_ELSE = """\
max_tokens: 250000 > 128000, which is the maximum allowed number of output tokens \
for claude-opus-4-7
max_tokens is too large: 200000. This model supports at most 16384 completion \
tokens, whereas you provided 200000.
`max_tokens` must be less than or equal to `8192`, the maximum value for \
`max_tokens` is less than the `context_window` for this model
thinking.budget_tokens: Input should be greater than or equal to 1024
max_tokens: Input should be less than or equal to 8192
max_tokens must be greater than thinking.budget_tokens.
Invalid 'tools': array too long. Expected an array with maximum length 128, but got \
an array with length 129 instead.
Invalid 'messages[3].tool_calls[0].id': string too long. Expected a string with \
maximum length 40, but got a string with length 50 instead.
Invalid 'messages': empty array. Expected an array with minimum length 1, but got \
an empty array instead.
Invalid 'prompt_cache_key': string too long. Expected a string with maximum length \
64, but got a string with length 70 instead.
tools.0.custom.name: String should have at most 64 characters
messages.0.content.1.image.source.base64: image exceeds 5 MB maximum: 5316852 bytes \
> 5242880 bytes
Rate limit reached for gpt-4 in organization org-x on tokens per min (TPM): Limit \
10000, Used 9000, Requested 2000. Please try again in 6s.
Request too large for gpt-4 in organization org-x on tokens per min (TPM): Limit \
10000, Requested 12000.
This request would exceed your organization's rate limit of 40,000 input tokens per \
minute
This request would exceed the rate limit for your organization (x) of 20,000 input \
tokens per minute.
Number of request tokens has exceeded your per-minute rate limit
Too many tokens per day, please wait before trying again.
You have exceeded the token rate limit of your current OpenAI S0 pricing tier
Requests to the ChatCompletions_Create Operation under Azure OpenAI API version \
2024 have exceeded token rate limit of your current pricing tier.
You exceeded your current quota. Quota exceeded for metric: \
generativelanguage.googleapis.com/generate_content_free_tier_input_token_count, \
limit: 250000
This request requires more credits, or fewer max_tokens. You requested up to 65536 \
tokens, but can only afford 4000.
Prompt tokens limit exceeded: 12345 > 10000. To increase, visit x and upgrade to a \
paid account
Range of max_tokens should be [1, 8192]
Range of top_p should be (0, 1]
Rate limit exceeded: limit_rpm/meta-llama/llama-3.2-3b-instruct/e8440b11. High \
demand - limited to 1 requests per minute.
Monthly token limit of 5000000 reached for your account
temperature must be less than or equal to 2
top_logprobs must be less than or equal to 20
logit_bias keys must be token ids less than 50257
The model `x` does not exist or you do not have access to it.
Invalid schema for function 'f': maximum depth is 10
A maximum of 4 blocks with cache_control may be provided. Found 5.
messages.1: `tool_use` ids were found without `tool_result` blocks immediately \
after: toolu_01.
stop: at most 4 sequences
Model output exceeded the maximum number of tool calls: 128
n must be between 1 and 128
prompt_cache_retention: max 24h
Image count exceeds the limit of 20 per request
Too many images in request: 25 > 20
Unsupported value: 'messages[0].role' does not support 'system' with this model.
This model does not support effort level 'xhigh'. Supported levels: high, low, max, \
medium.
This model does not support assistant message prefill. The conversation must end \
with a user message.
max_completion_tokens must be at most 4096 for this model
The maximum number of output tokens is 8192
Your input image may contain content that is not allowed by our safety system
Request timed out after 600 seconds (limit 600)
The request body is larger than 20971520 bytes
total message size 10176584 exceeds limit 2097152
prompt contains 3 audio parts, at most 1 is supported
Input tag 'web_search_20250305' found using 'type' does not match any of the \
expected tags
Tool call validation failed: parameters for tool get_x did not match schema: length \
must be <= 10
The message role must be one of user or assistant; message 3 has length 0
""".strip().split("\n")


@at_once("message", TOO_LONG)
@at_once("status", [400, 413, 422, 500])
def test_a_conversation_that_is_too_long_is_known(message: str, status: int) -> None:
    error = refused(status, told(message))
    assert (error.status, error.code) == (400, "context_length_exceeded")
    assert error.message == message


@at_once("message", ANYTHING_ELSE)
@at_once("status", [400, 402, 422, 429])
def test_another_limit_is_not_taken_for_it(message: str, status: int) -> None:
    assert refused(status, told(message)).code != "context_length_exceeded"


def _renumbered(message: str, numbers: list[int], form: str) -> str:
    """Return the wording with other numbers, written as `form` says."""
    left = iter(numbers)
    return re.sub(r"\b\d[\d,]*\b", lambda _: format(next(left), form), message)


NUMBERS = st.lists(st.integers(1, 10_000_000), min_size=12, max_size=12)
FORMS = st.sampled_from(["d", ","])


@given(st.sampled_from(TOO_LONG), NUMBERS, FORMS)
def test_it_is_known_with_any_numbers(message, numbers, form) -> None:
    error = refused(400, told(_renumbered(message, numbers, form)))
    assert error.code == "context_length_exceeded"


@given(st.sampled_from(ANYTHING_ELSE), NUMBERS, FORMS)
def test_no_number_makes_another_limit_it(message, numbers, form) -> None:
    error = refused(400, told(_renumbered(message, numbers, form)))
    assert error.code != "context_length_exceeded"


@pytest.mark.parametrize(
    "code",
    [
        "context_length_exceeded",
        "model_max_prompt_tokens_exceeded",
        "exceed_context_size_error",
        "tokens_too_long",
        "characters_too_long",
        "prompt_too_long",
        "tokens_limit_reached",
        "context_window_exceeded",
        "1261",
    ],
)
def test_it_is_known_by_the_servers_name_of_it(code: str) -> None:
    assert refused(400, told("no", code=code)).code == "context_length_exceeded"


CREDENTIALS = [
    (400, "API key not valid. Please pass a valid API key."),
    (400, "API key expired. Please renew the API key."),
    (400, "API Key not found. Please pass a valid API key."),
    (400, "Incorrect API key provided: xa***zz. You can obtain an API key from"),
    (403, "Your API key was reported as leaked. Please use another API key."),
    (403, "Bearer Token has expired"),
    (403, "Method doesn't allow unregistered callers (callers without identity)."),
    (403, "Permission denied: Consumer 'api_key:AIzaSyA' has been suspended."),
    (403, "Invalid API key"),
    (403, "The API key you provided is invalid."),
    (403, "Missing API Key"),
    (400, "Invalid API Key format"),
    (403, "The security token included in the request is expired"),
    (403, "Not authenticated"),
    (400, "Authentication failed: bad signature"),
    (400, "You didn't provide an API key."),
    (400, "access token is not valid"),
    (403, "Your API key has been disabled."),
    (403, "API key revoked"),
    (403, "Request had invalid authentication credentials."),
    (400, "Authentication Fails, Your api key: ****-key is invalid"),
    (403, "Your authentication token has been revoked"),
]


@pytest.mark.parametrize(("status", "message"), CREDENTIALS)
def test_a_rejected_credential_is_the_gateways(status: int, message: str) -> None:
    error = refused(status, told(message))
    assert (error.status, error.code) == (502, "upstream_auth_error")
    assert error.headers["x-should-retry"] == "false"
    assert message not in error.message


def test_a_rejected_credential_is_known_by_googles_reason() -> None:
    details = [{"@type": "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "x"}]
    said = {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}
    error = refused(400, [{"error": {**said, "details": details}}])
    assert error.code == "upstream_auth_error"


@pytest.mark.parametrize(
    "message",
    [
        "Invalid schema for function 'get_api_key': None is not valid",
        "tools.0: property 'access_token' is required but missing",
        "Unexpected token in JSON at position 5",
        "logit_bias: invalid token id 70000",
        "You are not allowed to sample from this model",
        "This API key does not have access to the model",
    ],
)
def test_what_only_names_a_key_is_no_rejected_credential(message: str) -> None:
    assert refused(400, told(message)).code != "upstream_auth_error"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            400,
            "You have reached your specified API usage limits. You will regain access",
        ),
        (400, "Your credit balance is too low to access the API."),
        (402, "Insufficient Balance"),
        (402, "This request requires more credits, or fewer max_tokens. You can only"),
        (403, "Your newly created team doesn't have any credits yet."),
        (
            403,
            "Your team has used all available credits or reached its spending limit.",
        ),
        (429, "Extra usage is required for long context requests."),
        (429, "Too many tokens per day, please wait before trying again."),
        (429, "Your account has insufficient balance, please recharge"),
        (403, "You are out of credits"),
        (429, "You exceeded your current quota, please check your plan and billing"),
        (429, "You have reached your monthly token limit."),
        (429, "余额不足或无可用资源包,请充值。"),
        (429, "Daily request limit reached"),
    ],
)
def test_what_is_used_up_is_not_to_be_retried(status: int, message: str) -> None:
    error = refused(status, {"error": {"message": message}})
    assert (error.status, error.code) == (429, "insufficient_quota")
    assert error.headers["x-should-retry"] == "false"


def test_a_used_up_day_is_no_rate_under_the_name_of_one() -> None:
    said = {"__type": "ThrottlingException", "message": "Too many tokens per day"}
    assert refused(429, said).code == "insufficient_quota"


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Quota exceeded for requests per minute. Please retry in 17.4s.", "18"),
        ("You exceeded your current quota. Please retry in 17.445s.", "18"),
        ("on tokens per min (TPM): Limit 1, Used 1. Please try again in 7.66s.", "8"),
        (
            "on tokens per day (TPD): Limit 1, Used 1. Please try again in 14m24s.",
            "864",
        ),
        ("Please try again in 1h2m3.5s", "3724"),
        ("Rate limit reached. Please try again in 350ms.", "1"),
        ("Please try again after 20 seconds.", "20"),
        ("Please retry after 6 seconds. To increase", "6"),
        ("Requests are limited. Retry after 1 minute", "60"),
        ("Try again in 2 hours and 1 minute", "7260"),
        ("wait 5 s", "5"),
        ("Please try again later", "2"),
        ("Please try again in a few minutes", "2"),
        ("retry in 999999999 days", "2"),
        ("slow down", "2"),
    ],
)
def test_the_time_to_wait_is_read_from_the_sentence(message: str, seconds: str) -> None:
    error = refused(429, told(message, code="rate_limit_exceeded"))
    assert (error.status, error.code) == (429, "rate_limit_exceeded")
    assert error.headers["retry-after"] == seconds


def test_a_quota_that_is_lifted_soon_is_a_rate() -> None:
    said = "You exceeded your current quota. Please retry in 17.4s."
    error = refused(429, {"error": {"message": said}})
    assert (error.code, error.headers["retry-after"]) == ("rate_limit_exceeded", "18")


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"details": [{"@type": "RetryInfo", "retryDelay": "17.4s"}]}, "18"),
        ({"details": [{"reason": "X"}, {"retryDelay": "3s"}]}, "3"),
        ({"retry_after": 12}, "12"),
        ({"retry_after": 0.2}, "1"),
        ({"retry_after_ms": 1500}, "2"),
        ({"metadata": {"retry_after_seconds": 9}}, "9"),
        ({"retry_after": "7"}, "7"),
        ({"retry_after": None}, "2"),
        ({"retry_after": True}, "2"),
        ({"retry_after": -4}, "2"),
    ],
)
def test_the_time_to_wait_is_read_from_its_field(
    fields: dict[str, object], seconds: str
) -> None:
    said = {"message": "slow down", "code": 429, **fields}
    assert refused(429, {"error": said}).headers["retry-after"] == seconds


def test_the_header_tells_better_when_to_try_again() -> None:
    error = refused(429, told("Please retry in 17.4s"), retry_after="30")
    assert error.headers["retry-after"] == "30"


@given(st.text())
def test_any_sentence_about_waiting_is_read(rest: str) -> None:
    error = refused(429, {"error": {"message": f"try again in {rest}"}})
    assert 0 < int(error.headers.get("retry-after", "1")) <= 86400


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (404, "model 'x' not found"),
        (404, "model not found: x"),
        (400, "The model `x` does not exist or you do not have access to it."),
        (400, 'model "llama3:8b" not found, try pulling it first'),
        (400, "Model Not Exist"),
        (400, "Model does not exist. Please check it carefully."),
        (404, "models/gemini-9 is not found for API version v1beta"),
        (400, "meta/x is not a valid model ID"),
        (404, "No endpoints found for x/y."),
        (400, "The requested model 'a/b-c' does not exist."),
        (400, "Unknown model: x"),
    ],
)
def test_an_unknown_model_is_known(status: int, message: str) -> None:
    error = refused(status, told(message))
    assert (error.status, error.code) == (404, "model_not_found")


@pytest.mark.parametrize(
    "message",
    [
        "The model called a tool that was not found in `tools`",
        "This model supports files, but the file `a.pdf` does not exist",
        "The model's chat template refers to a role that is not found",
        "Property 'model' does not exist on type Options",
        "For this model, image file-1 was not found",
        "model output was cut: stop sequence not found",
        "The model cannot use tool_choice: function 'x' not found in tools",
    ],
)
def test_what_else_is_not_found_is_no_unknown_model(message: str) -> None:
    error = refused(400, told(message))
    assert (error.status, error.code) == (400, None)
