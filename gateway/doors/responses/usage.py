"""What an answer cost, as responses tell it."""

from typing import Any

from gateway.doors.responses.reading import Reading
from gateway.hub.answers.chunks import count
from gateway.hub.protocol import JSON

CHARACTERS_PER_TOKEN = 4


def usage_of(usage: JSON) -> JSON:
    """Return the hub's token counts; what is unknown counts nothing."""
    read = count(usage.get("prompt_tokens"))
    written = count(usage.get("completion_tokens"))
    cached = cache_written = reasoning = 0
    if prompt := _details(usage, "prompt_tokens_details"):
        cached = count(prompt.get("cached_tokens"))
        cache_written = count(prompt.get("cache_write_tokens"))
    if answer := _details(usage, "completion_tokens_details"):
        reasoning = count(answer.get("reasoning_tokens"))
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": cached,
            "cache_write_tokens": cache_written,
        },
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": read + written,
    }


def estimated_usage(reading: Reading, characters: int) -> JSON:
    """Return about what an answer of that length cost whose upstream does not tell.

    Clients count on the numbers: they compact a conversation by them.
    """
    asked = _characters(reading.body.get("input")) + _characters(
        reading.body.get("instructions")
    )
    return usage_of(
        {
            "prompt_tokens": max(1, asked // CHARACTERS_PER_TOKEN),
            "completion_tokens": -(-characters // CHARACTERS_PER_TOKEN),
        }
    )


def _details(usage: JSON, name: str) -> JSON | None:
    details = usage.get(name)
    return details if isinstance(details, dict) else None


def _characters(value: Any) -> int:
    """Return how many characters of text stand in `value`; those of files do not."""
    if isinstance(value, str):
        return 0 if value.startswith("data:") else len(value)
    if isinstance(value, dict):
        value = [value[name] for name in value if name not in _NO_TEXT]
    return sum(map(_characters, value)) if isinstance(value, list) else 0


_NO_TEXT = frozenset({"encrypted_content", "file_data", "id", "image_url", "type"})
