"""What every translated upstream asks of a request before it is rendered.

An OpenAI-compatible upstream checks requests itself; the others word their refusals in
terms the caller never used. So the rules of OpenAI's own API are applied here, once,
with OpenAI's parameter paths.
https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateway.hub.protocol import JSON
from gateway.hub.requests.extra_body import with_extra_body
from gateway.hub.requests.field_checks import CHECKS, invalid_value, wrong_type
from gateway.hub.requests.message_checks import checked_messages
from gateway.hub.requests.tools.calls import Place, ToolCall, calls_in
from gateway.hub.requests.tools.pairing import pair_results

EXTENSIONS = frozenset(
    {
        "cache_control",
        "keep_alive",
        "mcp_servers",
        "min_p",
        "num_ctx",
        "reasoning",
        "repeat_penalty",
        "thinking",
        "top_k",
        "truncate",
    }
)
"""Fields beyond OpenAI's that at least one upstream understands."""

FIELDS = EXTENSIONS | {
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "include_obfuscation",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
}

_RELATED = frozenset(
    {
        "function_call",
        "functions",
        "parallel_tool_calls",
        "stop",
        "stream_options",
        "tool_choice",
        "tools",
        "top_logprobs",
    }
)
"""Fields that depend on each other, or are tidied."""


class ValidRequest(NamedTuple):
    """A request that passed.

    `body` is a shallow copy with `extra_body` merged in and without nulls, unknown
    fields, an empty `tools`, tool settings that have no tools and empty stop strings;
    `stop` is a list. `unknown` names the fields left out. `calls` are the calls of
    messages by the index of the message; `results` says for the index of each tool or
    function message which of them it answers.
    """

    body: JSON
    unknown: tuple[str, ...]
    calls: Mapping[int, list[ToolCall]]
    results: Mapping[int, Place]


def validate_request(body: JSON) -> ValidRequest:
    """Return `body` checked and tidied; raises a 400 `GatewayError` naming the field.

    Nothing of `body` is mutated; messages are shared with it, not copied.
    """
    merged = body
    if "extra_body" in body:
        _check_extra_body(body)
        merged = with_extra_body(body)
    clean = {field: value for field, value in merged.items() if value is not None}
    unknown = tuple([field for field in clean if field not in FIELDS])
    for field in unknown:
        del clean[field]
    for field, value in clean.items():
        check = CHECKS.get(field)
        if check is not None:
            check(field, value)
    if not _RELATED.isdisjoint(clean):
        _check_together(clean)
        _tidy(clean)
    messages = checked_messages(clean.get("messages"))
    calls = calls_in(messages)
    return ValidRequest(clean, unknown, calls, pair_results(messages, calls))


def output_limit(body: JSON) -> int | None:
    """Return the effective output limit of a valid request, with reasoning."""
    limit = body.get("max_completion_tokens")
    return limit if limit is not None else body.get("max_tokens")


def limit_name(body: JSON) -> str:
    """Return the name under which the client gave the effective output limit."""
    is_newer = body.get("max_completion_tokens") is not None
    return "max_completion_tokens" if is_newer else "max_tokens"


def _check_extra_body(body: JSON) -> None:
    if not isinstance(body.get("extra_body"), dict | None):
        raise wrong_type("extra_body", "an object")


def _tidy(body: JSON) -> None:
    if "stop" in body:
        stop = body["stop"]
        strings = [text for text in ([stop] if isinstance(stop, str) else stop) if text]
        if strings:
            body["stop"] = strings
        else:
            del body["stop"]
    if not body.get("tools"):
        body.pop("tools", None)
    if not body.get("functions"):
        body.pop("functions", None)
    if "tools" not in body and "functions" not in body:
        # Checked before: what is left here is "none" or "auto", which change nothing.
        for field in ("tool_choice", "function_call", "parallel_tool_calls"):
            body.pop(field, None)
    if not body.get("stream"):
        body.pop("stream_options", None)


def _check_together(body: JSON) -> None:
    if "top_logprobs" in body and not body.get("logprobs"):
        raise invalid_value(
            "top_logprobs", "'top_logprobs' needs 'logprobs' to be true."
        )
    if body.get("tools") and body.get("functions"):
        raise invalid_value(
            "functions", "Use either 'tools' or the older 'functions', not both."
        )
    _check_choice_has_tools(body, "tool_choice", "tools")
    _check_choice_has_tools(body, "function_call", "functions")


def _check_choice_has_tools(body: JSON, choice: str, tools: str) -> None:
    if choice in body and body[choice] not in ("none", "auto") and not body.get(tools):
        raise invalid_value(
            choice, f"'{choice}' is only allowed when '{tools}' are specified."
        )
