"""Ollama's ``/api/chat``: https://docs.ollama.com/api/chat

What becomes of each field of a request stands in docs/translation.md.
"""

import re
from collections.abc import Mapping

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.answers.parser import AnswerParser
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON, Feature, Reply, Route, StreamParser
from gateway.hub.requests.content import remote
from gateway.hub.requests.schemas.grammar import SCHEMAS
from gateway.translators.ollama.answer import FINISH_REASONS, LineReader, parse_response
from gateway.translators.ollama.embeddings import (
    EMBEDDING_FEATURES,
    parse_embeddings,
    render_embeddings,
)
from gateway.translators.ollama.errors import WORDS
from gateway.translators.ollama.request import render_request

__all__ = [
    "AVOIDABLE",
    "EMBEDDING_FEATURES",
    "parse_embeddings",
    "parse_error",
    "parse_response",
    "remote_urls",
    "render_embeddings",
    "render_request",
    "stream_parser",
]

AVOIDABLE: tuple[Feature, ...] = (
    Feature(
        "think_levels",
        ("think",),
        re.compile(r"think value", re.IGNORECASE),
        lasts=True,
    ),
    Feature(
        "think",
        ("think",),
        re.compile(r"does not support thinking", re.IGNORECASE),
        lasts=True,
    ),
    SCHEMAS,
)
"""Levels are for gpt-oss; others are told to think or not to, and some cannot.

https://docs.ollama.com/capabilities/thinking
"""


def remote_urls(body: JSON, route: Route) -> list[str]:
    """Return the images to fetch: Ollama takes bytes only."""
    return remote.remote_urls(body)


def stream_parser(reply: Reply) -> StreamParser:
    """Return a parser of Ollama's lines."""
    parser = AnswerParser(reply, FINISH_REASONS, LineReader)
    return reply_rules.stream(parser, reply)


def parse_error(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return Ollama's refusal in the caller's terms; never raises."""
    return upstream_errors.from_response(status, headers, payload, WORDS)
