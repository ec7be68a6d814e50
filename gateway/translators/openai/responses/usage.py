"""What an answer of the Responses API cost and why it ended, for the ledger.

https://platform.openai.com/docs/api-reference/responses/object
"""

from typing import Any

from gateway.hub.protocol import JSON

_REASONS = {"max_output_tokens": "length"}
"""By which names the ledger knows them; others stay as they are."""

_DETAILS = (
    (
        "prompt_tokens_details",
        "input_tokens_details",
        ("cached_tokens", "cache_write_tokens"),
    ),
    ("completion_tokens_details", "output_tokens_details", ("reasoning_tokens",)),
)
"""Their parts: what chat completions call them, what responses do, and the counts."""
_DETAILED = frozenset(by for _, by, _ in _DETAILS)

_CALLS = ("function_call", "custom_tool_call")
"""Items that ask the client for something."""

_LONGEST = 32
"""Characters of a reason that the ledger's column holds."""


def usage_of(response: JSON) -> JSON | None:
    """Return a response's usage in the shape of chat completions, None without one."""
    usage = response.get("usage")
    if not isinstance(usage, dict) or not usage:
        return None
    told: JSON = {
        "prompt_tokens": usage.get("input_tokens"),
        "completion_tokens": usage.get("output_tokens"),
        "total_tokens": usage.get("total_tokens"),
    }
    for name, by, counts in () if _DETAILED.isdisjoint(usage) else _DETAILS:
        if isinstance(details := usage.get(by), dict):
            told[name] = {each: details.get(each) for each in counts}
    return told


def finish_reason(response: JSON) -> str:
    """Return why an answer ended, in the ledger's words."""
    status = response.get("status")
    if status == "completed":
        output = response.get("output")
        last = output[-1] if output and isinstance(output, list) else None
        asks = isinstance(last, dict) and last.get("type") in _CALLS
        return "tool_calls" if asks else "stop"
    if status == "incomplete":
        reason = _object(response.get("incomplete_details")).get("reason")
        status = _REASONS.get(reason, reason) if isinstance(reason, str) else status
    return status[:_LONGEST] if isinstance(status, str) else ""


def _object(value: Any) -> JSON:
    return value if isinstance(value, dict) else {}
