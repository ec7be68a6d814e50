"""How Bedrock's models tell why an answer ended."""

from gateway.hub.answers.finish_reasons import FinishReasons

# The families spell one reason in many ways.
FINISH_REASONS = FinishReasons(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "stop": "stop",
        "finish": "stop",
        "finished": "stop",
        "stop_criteria_met": "stop",
        "complete": "stop",
        "endoftext": "stop",
        "eos": "stop",
        "tool_use": "tool_calls",
        "tool_calls": "tool_calls",
        "tool_call": "tool_calls",
        "function_call": "tool_calls",
        "max_tokens": "length",
        "length": "length",
        "error_limit": "length",
        "model_length": "length",
        "model_context_window_exceeded": "length",
        "refusal": "content_filter",
        "content_filter": "content_filter",
        "content_filtered": "content_filter",
        "guardrail_intervened": "content_filter",
        "error_toxic": "content_filter",
    },
    malformed=frozenset({"malformed_tool_use", "malformed_model_output", "error"}),
    sentence="The model's output was malformed and cannot be used ({word}). Try again.",
    refused="refusal",
    ignores_case=True,
)
