"""The ways between a client's format and an upstream's.

By default a passage leads over the hub: door, OpenAI's format, translator. Where both
sides speak the same format a direct one spares the detour.
"""

from gateway.calls.passages.claude_on_bedrock import ClaudeOnBedrock
from gateway.calls.passages.protocol import Passage, Prepared, Reader, Whole
from gateway.calls.passages.relaying import Relaying
from gateway.calls.passages.relaying_plain import RelayingPlain
from gateway.calls.passages.relaying_responses import RelayingResponses
from gateway.calls.passages.short_frames import short_frames
from gateway.calls.passages.through_hub import ThroughHub, chunks, frames
from gateway.doors import chat, messages, ollama, responses
from gateway.doors.plain import completions, moderations
from gateway.doors.protocol import Door
from gateway.doors.responses import compaction
from gateway.doors.responses.native import input_tokens
from gateway.hub.protocol import JSON, Feature, Translator
from gateway.translators import anthropic, bedrock, openai
from gateway.translators.openai.plain import request as plain

__all__ = ["Passage", "Prepared", "Reader", "Whole", "between", "to_chunks"]

DIRECT: dict[tuple[Door, Translator], Passage[bytes]] = {
    (chat, openai): ThroughHub(
        chat,
        openai,
        short_frames,
        keeps_text=True,
        outlined=openai.render_outline,
        plainly=openai.render_plain,
    ),
    (chat, anthropic): ThroughHub(
        chat,
        anthropic,
        short_frames,
        outlined=anthropic.render_outline,
        plainly=anthropic.render_talk,
    ),
    (responses, openai): RelayingResponses(ThroughHub(responses, openai, short_frames)),
    (compaction, openai): RelayingResponses(
        ThroughHub(compaction, openai, frames), "/compact"
    ),
    (input_tokens, openai): RelayingResponses(
        ThroughHub(input_tokens, openai, frames), "/input_tokens"
    ),
    (completions, openai): RelayingPlain(
        completions, plain.COMPLETIONS, "choices", completions.not_here
    ),
    (moderations, openai): RelayingPlain(
        moderations, plain.MODERATIONS, "results", moderations.not_here
    ),
    (messages, anthropic): Relaying(messages),
    (messages, bedrock): ClaudeOnBedrock(
        messages, ThroughHub(messages, bedrock, short_frames, messages.AVOIDABLE)
    ),
}

LEARNING: dict[Door, tuple[Feature, ...]] = {
    messages: messages.AVOIDABLE,
    ollama: ollama.AVOIDABLE,
}
"""What a door's clients always send, and cannot help where it is refused."""

_ways = dict(DIRECT)
"""All that were asked for: they are made once, not for each call."""


def between(door: Door, translator: Translator) -> Passage[bytes]:
    """Return the way from `door` to `translator`: a direct one, or over the hub."""
    way = _ways.get((door, translator))
    if way is None:
        way = ThroughHub(door, translator, short_frames, LEARNING.get(door, ()))
        _ways[door, translator] = way
    return way


def to_chunks(translator: Translator) -> Passage[list[JSON]]:
    """Return the way of a question in the hub's own format, asked from within."""
    return ThroughHub(chat, translator, chunks)
