"""Why an answer ended, in the Messages API's words.

https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons
"""

from typing import Any

from gateway.wire.jsontext import JSON

REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}

_NATIVE = frozenset({"model_context_window_exceeded", "pause_turn", "compaction"})
"""Upstreams' own words that the API has, too."""

_DECLINED = frozenset({"refusal", "guardrail_intervened"})


_SEQUENCES = ("stop_sequence", "stop_reason", "matched_stop")


def ending(choice: JSON, *, has_calls: bool, refusal: str) -> JSON:
    """Return `stop_reason` and what stands beside it for a choice that has ended."""
    native, sequence = choice.get("native_finish_reason"), _sequence(choice)
    reason = _reason(choice.get("finish_reason"), native, has_calls)
    if reason == "end_turn" and (refusal or native in _DECLINED):
        reason = "refusal"
    told: JSON = {"stop_reason": reason, "stop_sequence": None}
    if reason == "end_turn" and (native == "stop_sequence" or sequence):
        told["stop_reason"] = "stop_sequence"
        told["stop_sequence"] = sequence
    if reason == "refusal":
        explanation = refusal or None
        told["stop_details"] = {
            "type": "refusal",
            "category": None,
            "explanation": explanation,
        }
    return told


def _sequence(choice: JSON) -> str | None:
    """Return the stop sequence that ended the text, by its names at vLLM and SGLang."""
    for field in _SEQUENCES if any(map(choice.get, _SEQUENCES)) else ():
        if isinstance(found := choice.get(field), str) and found:
            return found
    return None


def _reason(word: Any, native: Any, has_calls: bool) -> str:
    if isinstance(native, str) and native in _NATIVE:
        return native
    reason = REASONS.get(word, "end_turn") if isinstance(word, str) else "end_turn"
    # Agents go by the reason: some servers say that they stopped and called.
    if has_calls and reason == "end_turn":
        return "tool_use"
    return reason if has_calls or reason != "tool_use" else "end_turn"
