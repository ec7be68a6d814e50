"""Token counts in the Messages API's shape, whose input excludes the cache.

https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

from typing import Any

from gateway.hub.answers.chunks import count
from gateway.wire.jsontext import JSON


def usage_of(usage: Any, estimated_input: int, characters: int) -> JSON:
    """Return the counts of a whole answer; estimates where the upstream told none.

    They are integers, never null: the official SDKs' types ask for that.
    """
    if not isinstance(usage, dict):
        return counts(estimated_input, 0, 0, -(-characters // 4))
    prompt = count(usage.get("prompt_tokens"))
    cached = written = thought = 0
    if isinstance(details := usage.get("prompt_tokens_details"), dict):
        cached = count(details.get("cached_tokens"))
        written = count(details.get("cache_write_tokens"))
    fresh = prompt - cached - written
    # Some servers count the cache beside the prompt, not in it.
    told = counts(
        fresh if fresh >= 0 else prompt,
        cached,
        written,
        count(usage.get("completion_tokens")),
    )
    if isinstance(details := usage.get("completion_tokens_details"), dict):
        thought = count(details.get("reasoning_tokens"))
    if thought:
        told["output_tokens_details"] = {"thinking_tokens": thought}
    return told


def counts(fresh: int, cached: int, written: int, output: int) -> JSON:
    """Return the four counts that every answer has."""
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": cached,
        "output_tokens": output,
    }
