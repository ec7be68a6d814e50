"""What all of Bedrock's answers share: why they ended, what they cost, their chunks."""

import re
from typing import Any

from gateway.errors import upstream_error
from gateway.hub.answers import chunks
from gateway.hub.answers.state import StreamState
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply
from gateway.hub.requests.tools.ids import made_up_id

# Bedrock's families spell one reason in many ways; keys are lower case.
FINISH_REASONS = {
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
}

MALFORMED = frozenset({"malformed_tool_use", "malformed_model_output", "error"})

REFUSED = "The model declined to respond."

# Ids that count from nought in every answer collide in the next turn.
_is_positional = re.compile(
    r"|(call_?|tool_?|functions\.[^:]*:)?\d{1,3}|functions\.[^:]+"
).fullmatch


def finish_reason(native: Any, has_tool_calls: bool) -> str:
    """Return OpenAI's word for `native`; what is unknown counts as a stop.

    Raises `GatewayError` (502) where the model's output was not usable.
    """
    word = native.lower() if isinstance(native, str) else ""
    if word in MALFORMED:
        raise upstream_error(
            502,
            "malformed_model_output",
            f"The model's output was malformed and cannot be used ({word}). Try again.",
        )
    reason = FINISH_REASONS.get(word, "stop")
    if reason in ("stop", "tool_calls"):
        return "tool_calls" if has_tool_calls else "stop"
    return reason


def count(value: Any) -> int:
    """Return a token count; what is none counts nothing.

    Guardrails restate counts as floating-point numbers.
    """
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def token_usage(
    fresh: int, output: int, cache_read: int | None, cache_write: int | None
) -> JSON:
    """Return usage in OpenAI's shape from counts that exclude the cache.

    The cache's counts stand at the top level once more, where clients of LiteLLM look.
    """
    prompt = fresh + (cache_read or 0) + (cache_write or 0)
    usage = chunks.usage(prompt, output, cached=cache_read, cache_write=cache_write)
    if cache_write is not None:
        usage["cache_creation_input_tokens"] = cache_write
    if cache_read is not None:
        usage["cache_read_input_tokens"] = cache_read
    return usage


class CallIds:
    """The ids of an answer's tool calls, unique over the conversation.

    An id that is missing, positional (``call_0``) or repeated is replaced by one made
    of the completion's id, which no other answer has.
    """

    def __init__(self, reply: Reply) -> None:
        self._completion_id = reply.completion_id
        self._given: set[str] = set()

    def take(self, id: Any) -> str:
        """Return the id to give to the client for the upstream's `id`."""
        text = id if isinstance(id, str) else ""
        if _is_positional(text) or text in self._given:
            text = made_up_id(self._completion_id, len(self._given))
        self._given.add(text)
        return text


class AnswerWriter:
    """Writes one streamed answer as chunks, in the order that OpenAI's clients expect.

    Readers of an upstream's events say what they saw; `take` returns what there is to
    send. The role comes first and once; the end is written by `finish`.
    """

    def __init__(self, reply: Reply) -> None:
        self.state = StreamState()
        self.length = 0
        """Characters of content so far; citations refer to them."""
        self.is_stopped = False
        self._chunks = chunks.Chunks(reply)
        self._include_usage = reply.include_usage
        self._ids = CallIds(reply)
        self._out: list[JSON] = []
        self._has_role = False
        self._native: Any = None
        self._tool_calls = 0
        self._intervened = False

    def take(self) -> list[JSON]:
        """Return the chunks written since the last call."""
        out, self._out = self._out, []
        return out

    def role(self) -> None:
        """Begin the answer, unless it has begun."""
        if not self._has_role:
            self._has_role = True
            self._out.append(self._chunks.role())

    def text(self, text: str, logprobs: JSON | None = None) -> None:
        """Write a piece of the answer."""
        if text:
            self.role()
            self.length += len(text)
            chunk = self._chunks.content(text)
            if logprobs is not None:
                chunk["choices"][0]["logprobs"] = logprobs
            self._out.append(chunk)

    def reasoning(self, text: str) -> None:
        """Write a piece of the thinking."""
        if text:
            self.role()
            self._out.append(self._chunks.reasoning(text))

    def tool_start(self, id: Any, name: str) -> int:
        """Begin a tool call and return its ordinal among the client's calls."""
        self.role()
        index = self._tool_calls
        self._tool_calls += 1
        self._out.append(self._chunks.tool_start(index, self._ids.take(id), name))
        return index

    def tool_arguments(self, index: int, fragment: str) -> None:
        """Write a piece of a call's arguments."""
        if fragment:
            self._out.append(self._chunks.tool_arguments(index, fragment))

    def delta(self, delta: JSON) -> None:
        """Write any other delta."""
        self.role()
        self._out.append(self._chunks.delta(delta))

    def stop(self, native: Any) -> None:
        """Note why the answer ended; the first word stands.

        Raises `GatewayError` (502) where the model's output was not usable.
        """
        if not self.is_stopped:
            finish_reason(native, has_tool_calls=False)
            self._native = native
            self.is_stopped = True

    def intervened(self, *, is_last: bool) -> None:
        """Note that a guardrail changed the answer.

        Where it blocked the question its message is the whole answer (`is_last`), and
        nothing else tells why that ends.
        """
        self._intervened = True
        if is_last and not self.is_stopped:
            self.stop("guardrail_intervened")

    def finish(self) -> None:
        """Write the end; raises `GatewayError` where no reason to end was seen."""
        if self.state.done:
            return
        if not self.is_stopped:
            raise upstream_errors.truncated()
        self.state.done = True
        self.role()
        reason = finish_reason(self._native, self._tool_calls > 0)
        if self._intervened:
            reason = "content_filter"
        native = self._native if isinstance(self._native, str) else None
        if native == "refusal":
            self._out.append(self._chunks.refusal(REFUSED))
        self._out.append(self._chunks.finish(reason, native=native))
        usage = self.state.usage
        if self._include_usage and usage is not None:
            self._out.append(self._chunks.usage(usage))
