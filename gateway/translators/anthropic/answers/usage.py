"""Claude's token counts in OpenAI's shape.

https://platform.claude.com/docs/en/api/messages#response-usage
"""

from gateway.hub.answers import chunks
from gateway.hub.protocol import JSON

_CACHE_COUNTS = ("cache_creation_input_tokens", "cache_read_input_tokens")

SERVICE_TIERS = {"standard": "default", "priority": "priority"}


def parse_usage(usage: JSON) -> JSON:
    """Return OpenAI's usage for Claude's; counts that are missing are zero.

    Claude's input excludes what came from the cache or went into it, OpenAI's prompt
    includes both. The cache counts stand under Claude's names too, where clients of
    other gateways look for them.
    """
    cache_write = _count(usage, "cache_creation_input_tokens")
    cache_read = _count(usage, "cache_read_input_tokens")
    details = usage.get("output_tokens_details")
    counts = chunks.usage(
        _count(usage, "input_tokens") + cache_write + cache_read,
        _count(usage, "output_tokens"),
        cached=cache_read,
        cache_write=cache_write,
        reasoning=_count(details, "thinking_tokens")
        if isinstance(details, dict)
        else None,
    )
    for name in _CACHE_COUNTS:
        if usage.get(name) is not None:
            counts[name] = _count(usage, name)
    return counts


def _count(usage: JSON, name: str) -> int:
    return chunks.count(usage.get(name))
