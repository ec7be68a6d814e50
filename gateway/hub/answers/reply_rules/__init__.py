"""What is done to any answer after parsing, for all translators alike.

The rules work on OpenAI's objects, whole and streamed: names of tools and of their
arguments are mapped back, the hidden JSON tool becomes content, stop sequences that the
upstream does not know are emulated, code fences stripped, parallel tool calls cut to
the first, the older `function_call` restored, and reasoning left out that nobody wants
to see. Which of them hold, the `Reply` says.
"""

from gateway.hub.answers.reply_rules.hidden import SilentStream, without_reasoning
from gateway.hub.answers.reply_rules.streamed import RuledStream
from gateway.hub.answers.reply_rules.whole import ruled
from gateway.hub.protocol import JSON, Reply, StreamParser

__all__ = ["stream", "whole"]


def stream(parser: StreamParser, reply: Reply) -> StreamParser:
    """Return `parser`, wrapped where `reply` names a rule."""
    if reply.hides_reasoning:
        parser = SilentStream(parser)
    return RuledStream(parser, reply) if _has_rules(reply) else parser


def whole(completion: JSON, reply: Reply) -> JSON:
    """Return a `chat.completion` after the rules; `completion` is not changed."""
    if reply.hides_reasoning:
        choices = [
            {**choice, "message": without_reasoning(choice["message"])}
            for choice in completion["choices"]
        ]
        completion = {**completion, "choices": choices}
    return ruled(completion, reply) if _has_rules(reply) else completion


def _has_rules(reply: Reply) -> bool:
    return bool(
        reply.tool_names
        or reply.argument_names
        or reply.json_tool
        or reply.strip_fence
        or reply.stop
        or reply.single_tool_call
        or reply.legacy_functions
    )
