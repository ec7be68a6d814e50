"""Claude's token counts in OpenAI's shape.

https://platform.claude.com/docs/en/api/messages#response-usage
"""

from gateway.hub.answers import chunks
from gateway.hub.answers.chunks import count
from gateway.hub.protocol import JSON

LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")

SERVICE_TIERS = {"standard": "default", "priority": "priority"}


def parse_usage(usage: JSON) -> JSON:
    """Return OpenAI's usage for Claude's; counts that are missing are zero.

    Claude's input excludes what came from the cache or went into it, OpenAI's prompt
    includes both. The cache counts stand under Claude's names too, where clients of
    other gateways look for them.
    """
    write = usage.get("cache_creation_input_tokens")
    read = usage.get("cache_read_input_tokens")
    cache_write, cache_read = count(write), count(read)
    details = usage.get("output_tokens_details")
    thinking = details.get("thinking_tokens") if isinstance(details, dict) else None
    counts = chunks.usage(
        count(usage.get("input_tokens")) + cache_write + cache_read,
        count(usage.get("output_tokens")),
        cached=cache_read,
        cache_write=cache_write,
        reasoning=count(thinking) if isinstance(details, dict) else None,
    )
    if write is not None:
        counts["cache_creation_input_tokens"] = cache_write
    if read is not None:
        counts["cache_read_input_tokens"] = cache_read
    if isinstance(made := usage.get("cache_creation"), dict):
        # An hour in the cache costs more than five minutes.
        lasting = {name: count(made[name]) for name in LIFETIMES if name in made}
        counts["cache_creation"] = lasting
    return counts
