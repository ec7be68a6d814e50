"""Anthropic's Messages API: https://platform.claude.com/docs/en/api/messages

What becomes of each field of a request stands in docs/translation.md. Bedrock's Claude
bodies are made of the same parts.
"""

from collections.abc import Mapping

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.answers.parser import AnswerParser
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Reply, Route, StreamParser
from gateway.translators.anthropic.answers.response import (
    FINISH_REASONS,
    parse_response,
)
from gateway.translators.anthropic.answers.stream import MessageStream, SSEReader
from gateway.translators.anthropic.avoidable import AVOIDABLE
from gateway.translators.anthropic.errors import WORDS
from gateway.translators.anthropic.requests.request import (
    render_outline,
    render_request,
    render_talk,
)

__all__ = [
    "AVOIDABLE",
    "parse_error",
    "parse_response",
    "remote_urls",
    "render_outline",
    "render_request",
    "render_talk",
    "stream_parser",
]


def remote_urls(body: JSON, route: Route) -> list[str]:
    """Return nothing: Anthropic fetches images by itself."""
    return []


def stream_parser(reply: Reply) -> StreamParser:
    """Return a parser for one stream."""
    if reply.goes_on:
        parser: StreamParser = AnswerParser(reply, FINISH_REASONS, SSEReader)
    else:
        parser = MessageStream(reply)
    return reply_rules.stream(parser, reply)


def parse_error(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return Anthropic's refusal in the caller's terms; never raises.

    https://platform.claude.com/docs/en/api/errors
    """
    return upstream_errors.from_response(status, headers, payload, WORDS)
