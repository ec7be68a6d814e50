"""Builds what leaves in OpenAI's format: `chat.completion` and its chunks.

https://platform.openai.com/docs/api-reference/chat/object and
https://platform.openai.com/docs/api-reference/chat/streaming
"""

from typing import Any

from gateway.hub.protocol import Reply
from gateway.wire.jsontext import JSON


class Chunks:
    """Builds the chunks of one stream; all carry the same id, time and model.

    Made once per stream, so that one chunk costs one small dict. Where the client asked
    for usage every chunk but the last says ``"usage": null``, as OpenAI does.
    """

    def __init__(
        self, reply: Reply, *, id: str | None = None, created: int | None = None
    ) -> None:
        self._head: JSON = {
            "id": id or reply.completion_id,
            "object": "chat.completion.chunk",
            "created": reply.created if created is None else created,
            "model": reply.model,
        }
        self._template: JSON = {**self._head, "choices": None}
        if reply.include_usage:
            self._template["usage"] = None
        self._alias = bool(reply.options.get("reasoning_alias"))

    def put_service_tier(self, tier: str) -> None:
        """Tell the tier with every chunk from now on, as OpenAI does."""
        self._head["service_tier"] = self._template["service_tier"] = tier

    def delta(self, delta: JSON) -> JSON:
        """Return a chunk with any `delta`; the other builders are made of it."""
        chunk = self._template.copy()
        chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
        return chunk

    def role(self) -> JSON:
        """Return the first chunk, once per stream."""
        return self.delta({"role": "assistant", "content": ""})

    def content(self, text: str) -> JSON:
        """Return a piece of the answer's text."""
        return self.delta({"content": text})

    def reasoning(self, text: str) -> JSON:
        """Return a piece of the thinking, in the field that compatible servers use."""
        if self._alias:
            return self.delta({"reasoning_content": text, "reasoning": text})
        return self.delta({"reasoning_content": text})

    def refusal(self, text: str) -> JSON:
        """Return a piece of the refusal."""
        return self.delta({"refusal": text})

    def tool_start(self, index: int, id: str, name: str, arguments: str = "") -> JSON:
        """Return the head of a tool call; `index` counts the client's tool calls."""
        function = {"name": name, "arguments": arguments}
        call = {"index": index, "id": id, "type": "function", "function": function}
        return self.delta({"tool_calls": [call]})

    def tool_arguments(self, index: int, fragment: str) -> JSON:
        """Return a piece of the arguments of the tool call that `index` began."""
        call = {"index": index, "function": {"arguments": fragment}}
        return self.delta({"tool_calls": [call]})

    def thinking_blocks(self, blocks: list[JSON]) -> JSON:
        """Return finished thinking blocks; each carries a dense integer ``index``."""
        return self.delta({"thinking_blocks": blocks})

    def annotations(self, annotations: list[JSON]) -> JSON:
        """Return citations; each carries an integer ``index``, dense over the stream.

        The official stream helper merges list entries by it and raises without.
        """
        return self.delta({"annotations": annotations})

    def finish(self, reason: str, *, native: str | None = None) -> JSON:
        """Return the chunk that ends the choice.

        `native` is the upstream's own word for the reason.
        """
        chunk = self.delta({})
        choice = chunk["choices"][0]
        choice["finish_reason"] = reason
        if native is not None:
            choice["native_finish_reason"] = native
        return chunk

    def usage(self, usage: JSON) -> JSON:
        """Return the last chunk, to be sent only where the client asked for usage."""
        return {**self._head, "choices": [], "usage": usage}


def message(
    reply: Reply,
    *,
    content: str | None,
    reasoning: str = "",
    tool_calls: list[JSON] | None = None,
    refusal: str | None = None,
    thinking_blocks: list[JSON] | None = None,
    annotations: list[JSON] | None = None,
) -> JSON:
    """Return an assistant message; lists and reasoning are absent when empty."""
    built: JSON = {"role": "assistant", "content": content, "refusal": refusal}
    if reasoning:
        built["reasoning_content"] = reasoning
        if reply.options.get("reasoning_alias"):
            built["reasoning"] = reasoning
    if thinking_blocks:
        built["thinking_blocks"] = thinking_blocks
    if annotations:
        built["annotations"] = annotations
    if tool_calls:
        built["tool_calls"] = tool_calls
    return built


def tool_call(id: str, name: str, arguments: str) -> JSON:
    """Return one entry of a message's `tool_calls`; `arguments` is JSON text."""
    return {
        "id": id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def completion(
    reply: Reply,
    message: JSON,
    finish_reason: str,
    usage: JSON | None,
    *,
    native: str | None = None,
    logprobs: JSON | None = None,
    **extra: Any,
) -> JSON:
    """Return a whole `chat.completion` with one choice.

    `extra` are top-level fields such as ``service_tier``; those that are None are left
    out.
    """
    choice: JSON = {
        "index": 0,
        "message": message,
        "logprobs": logprobs,
        "finish_reason": finish_reason,
    }
    if native is not None:
        choice["native_finish_reason"] = native
    built: JSON = {
        "id": reply.completion_id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [choice],
    }
    if usage is not None:
        built["usage"] = usage
    for field, value in extra.items():
        if value is not None:
            built[field] = value
    return built


def usage(
    prompt: int,
    completion: int,
    *,
    cached: int | None = None,
    cache_write: int | None = None,
    reasoning: int | None = None,
) -> JSON:
    """Return token counts in OpenAI's shape; the total is always our own sum.

    `prompt` includes `cached` and `cache_write`, `completion` includes `reasoning`, as
    at OpenAI. A count that the upstream did not give is left out.
    """
    counts: JSON = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    read = {"cached_tokens": cached, "cache_write_tokens": cache_write}
    if details := {key: value for key, value in read.items() if value is not None}:
        counts["prompt_tokens_details"] = details
    if reasoning is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return counts


def token_usage(
    fresh: int, output: int, cache_read: int | None, cache_write: int | None
) -> JSON:
    """Return token counts in OpenAI's shape from counts that exclude the cache.

    The cache's counts stand at the top level once more, where clients of other gateways
    look for them.
    """
    prompt = fresh + (cache_read or 0) + (cache_write or 0)
    counts = usage(prompt, output, cached=cache_read, cache_write=cache_write)
    if cache_write is not None:
        counts["cache_creation_input_tokens"] = cache_write
    if cache_read is not None:
        counts["cache_read_input_tokens"] = cache_read
    return counts


def count(value: Any) -> int:
    """Return a token count; what is none counts nothing.

    Guardrails restate counts as floating-point numbers.
    """
    if type(value) is int:
        return value if value > 0 else 0
    return int(value) if isinstance(value, float) and value > 0 else 0


def whole_number(value: Any) -> int:
    """Return a number (a time, a count) as OpenAI's types have it, 0 where it is none.

    Some servers send times and counts as floating-point numbers, or as text.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return count(value)


def regular_usage(usage: JSON) -> JSON:
    """Return an upstream's usage in OpenAI's shape with counts that are integers."""
    for value in usage.values():
        # Every answer passes here: nothing is built for counts that are counts.
        kind = type(value)
        if kind is float or (kind is dict and float in map(type, value.values())):
            return {name: _regular_count(name, usage[name]) for name in usage}
    return usage


def _regular_count(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _regular_count(name, value[name]) for name in value}
    is_odd = isinstance(value, float) and name.endswith("_tokens")
    return count(value) if is_odd else value
