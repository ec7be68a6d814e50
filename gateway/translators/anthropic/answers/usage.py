"""Claude's token counts in OpenAI's shape.

https://platform.claude.com/docs/en/api/messages#response-usage
"""

from gateway.hub.answers import chunks
from gateway.hub.answers.chunks import count
from gateway.hub.protocol import JSON
from gateway.wire.shapes import ABSENT, Absent, Natural, Shape, shaped

LIFETIMES = ("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")

SERVICE_TIERS = {"standard": "default", "priority": "priority"}


class _Lasting(Shape):
    ephemeral_5m_input_tokens: Natural | Absent = ABSENT
    ephemeral_1h_input_tokens: Natural | Absent = ABSENT


class _Counts(Shape):
    """What all answers tell, and nothing that is to be asked about."""

    input_tokens: Natural = 0
    output_tokens: Natural = 0
    cache_creation_input_tokens: Natural | None = None
    cache_read_input_tokens: Natural | None = None
    cache_creation: _Lasting | None = None
    output_tokens_details: Absent = ABSENT
    iterations: Absent = ABSENT


def parse_usage(usage: JSON) -> JSON:
    """Return OpenAI's usage for Claude's; counts that are missing are zero.

    Claude's input excludes what came from the cache or went into it, OpenAI's prompt
    includes both. The cache counts stand under Claude's names too, where clients of
    other gateways look for them.
    """
    told = shaped(usage, _Counts)
    if told is None:
        return _any_usage(usage)
    # To ask for each field what it is costs a call 6 µs.
    write, read = told.cache_creation_input_tokens, told.cache_read_input_tokens
    prompt = told.input_tokens + (write or 0) + (read or 0)
    counts: JSON = {
        "prompt_tokens": prompt,
        "completion_tokens": told.output_tokens,
        "total_tokens": prompt + told.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": read or 0,
            "cache_write_tokens": write or 0,
        },
    }
    if write is not None:
        counts["cache_creation_input_tokens"] = write
    if read is not None:
        counts["cache_read_input_tokens"] = read
    if told.cache_creation is not None:
        made: JSON = usage["cache_creation"]
        counts["cache_creation"] = {
            name: made[name] for name in LIFETIMES if name in made
        }
    return counts


def _any_usage(usage: JSON) -> JSON:
    """Return OpenAI's usage for Claude's, whatever it holds."""
    usage = folded(usage)
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


_SUMMED = (
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
)


def folded(usage: JSON) -> JSON:
    """Return the usage with what all `iterations` of an answer took, where it has any.

    The counts beside them leave out what compacting the conversation took:
    https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage
    What an advisor took is another model's and has another price; the counts beside
    them leave it out, and so do these.
    """
    rounds = usage.get("iterations")
    if not isinstance(rounds, list) or not rounds:
        return usage
    rounds = [
        each
        for each in rounds
        if isinstance(each, dict) and each.get("type") != "advisor_message"
    ]
    sums = {
        name: sum(count(each.get(name)) for each in rounds)
        for name in _SUMMED
        if any(each.get(name) is not None for each in rounds)
    }
    rest = {name: usage[name] for name in usage if name != "iterations"}
    return {**rest, **sums}
