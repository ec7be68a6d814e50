"""Bedrock: InvokeModel for every family of models, Converse for the rest.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api.html

Which of them a model is called by follows from its id (`ids`) and from what the request
holds; the provider's option `bedrock_api` decides otherwise. What becomes of each field
of a request stands in docs/translation.md.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers import reply_rules
from gateway.hub.answers.parser import AnswerParser, ByteReader
from gateway.hub.answers.writer import AnswerWriter
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import (
    JSON,
    Learned,
    Reply,
    Route,
    StreamParser,
    UpstreamRequest,
)
from gateway.hub.requests.content import remote
from gateway.hub.requests.extra_body import with_extra_body
from gateway.hub.requests.rendering import Rendering
from gateway.hub.requests.tools.choice import is_parallel
from gateway.translators.anthropic.answers.events import MessageReader
from gateway.translators.anthropic.answers.response import (
    FINISH_REASONS as CLAUDES_FINISH_REASONS,
)
from gateway.translators.anthropic.answers.response import parse_message
from gateway.translators.bedrock import converse
from gateway.translators.bedrock.api import (
    CONVERSE,
    INVOKE,
    NATIVE,
    check_size,
    choose_api,
)
from gateway.translators.bedrock.avoidable import AVOIDABLE
from gateway.translators.bedrock.embeddings import (
    EMBEDDING_FEATURES,
    parse_embeddings,
    render_embeddings,
)
from gateway.translators.bedrock.errors import WORDS
from gateway.translators.bedrock.families import (
    claude,
    cohere,
    native,
    nova,
    oai,
    oai_answers,
    prompt,
    prompt_answers,
)
from gateway.translators.bedrock.finish_reasons import FINISH_REASONS
from gateway.translators.bedrock.headers import (
    content_headers,
    invoke_headers,
    usage_of,
)
from gateway.translators.bedrock.ids import ModelId, classify, path
from gateway.translators.bedrock.settings import converse_settings
from gateway.translators.bedrock.stream import (
    GUARDRAIL_ACTION,
    BodyReader,
    EventReader,
    EventStreamReader,
    InvokeReader,
)

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

# --- requests -------------------------------------------------------------------------

Render = Callable[[Rendering], tuple[JSON, Learned]]

_BODIES: dict[str, Render] = {
    "nova": nova.render,
    "oai": oai.render,
    "writer": oai.render,
    "mistral-chat": oai.render,
    "llama": partial(prompt.render, "llama"),
    "mistral-text": partial(prompt.render, "mistral-text"),
    "r1": partial(prompt.render, "r1"),
    "titan": partial(prompt.render, "titan"),
    "cohere": cohere.render,
}
"""How each family writes InvokeModel's body; Claude has a way of its own."""

_CHAT_BODIES = frozenset({"oai", "writer", "mistral-chat"})


def render_request(body: JSON, route: Route) -> UpstreamRequest:
    """Return an OpenAI request as one to Bedrock.

    Raises `GatewayError` (400) for what the model cannot express and for a model id
    that does not fit the provider.
    """
    model = classify(route.upstream_model, route.base_model, route.region)
    asked = with_extra_body(body)
    api = choose_api(asked, route, model)
    check_size(asked, api, model.family)
    # From here on a model goes by its base, whatever id it is called under.
    route = route._replace(base_model=model.base)
    if api == NATIVE:
        return native.render_request(asked, route)
    rendering = Rendering.of(body, route)
    rendered, learned = _rendered(rendering, model, api)
    reply = rendering.reply(learned)
    if api == CONVERSE:
        headers = content_headers(is_stream=_streams(reply))
    else:
        headers = invoke_headers(rendering, is_stream=reply.stream)
    operation = path(model.wire, _operation(api, reply))
    return rendering.request(operation, rendered, reply, headers)


def _rendered(rendering: Rendering, model: ModelId, api: str) -> tuple[JSON, Learned]:
    """Return the body, and what the parser of its answer must know."""
    if model.family == "claude":
        return _rendered_claude(rendering, api)
    if api == CONVERSE:
        return converse.render(rendering)
    rendered, learned = _BODIES[model.family](rendering)
    return rendered, {**learned, "wire": _wire(model)}


def _rendered_claude(rendering: Rendering, api: str) -> tuple[JSON, Learned]:
    rendered, learned = claude.render(rendering, mid_system=api != CONVERSE)
    if api != CONVERSE:
        return rendered, {**learned, "wire": "claude"}
    rendered = converse.from_claude(rendered, _around(rendering))
    forced = converse.forced_tool(rendered)
    return rendered, {**learned, "wire": CONVERSE, "forced_tool": forced}


def _around(rendering: Rendering) -> converse.Around:
    described = rendering.body.get("response_format", {}).get("json_schema") or {}
    return converse.Around(
        converse_settings(rendering), described, not is_parallel(rendering.body)
    )


def _wire(model: ModelId) -> str:
    if model.family in _CHAT_BODIES:
        return oai_answers.wire_of(model.base)
    return model.family


_OPERATIONS = {
    (CONVERSE, False): "converse",
    (CONVERSE, True): "converse-stream",
    (INVOKE, False): "invoke",
    (INVOKE, True): "invoke-with-response-stream",
}


def _operation(api: str, reply: Reply) -> str:
    return _OPERATIONS[api, _streams(reply)]


def _streams(reply: Reply) -> bool:
    """Say whether Bedrock is asked for a stream, which some models refuse."""
    return reply.stream and reply.wire != converse.WHOLE


def remote_urls(body: JSON, route: Route) -> list[str]:
    """Return the images to fetch: Bedrock takes bytes only."""
    return remote.remote_urls(body)


# --- answers --------------------------------------------------------------------------

Parse = Callable[[JSON, Reply], JSON]

_PARSERS: dict[str, Parse] = {
    CONVERSE: converse.parse_converse,
    "nova": converse.parse_converse,
    "claude": parse_message,
    "oai": partial(oai_answers.parse, is_tagged=False),
    "oai-tagged": partial(oai_answers.parse, is_tagged=True),
    "llama": partial(prompt_answers.parse, "llama"),
    "mistral-text": partial(prompt_answers.parse, "mistral-text"),
    "r1": partial(prompt_answers.parse, "r1"),
    "titan": partial(prompt_answers.parse, "titan"),
    "cohere": cohere.parse,
}
"""By `Reply.wire`."""

_READERS: dict[str, Callable[[Reply, AnswerWriter], BodyReader]] = {
    "nova": nova.NovaReader,
    "claude": MessageReader,
    "oai": partial(oai_answers.ChoiceReader, is_tagged=False),
    "oai-tagged": partial(oai_answers.ChoiceReader, is_tagged=True),
    "llama": partial(prompt_answers.PromptReader, "llama"),
    "mistral-text": partial(prompt_answers.PromptReader, "mistral-text"),
    "r1": partial(prompt_answers.PromptReader, "r1"),
    "titan": partial(prompt_answers.PromptReader, "titan"),
    "cohere": cohere.CohereReader,
}

_TIER_HEADER = "x-amzn-bedrock-service-tier"


def parse_response(payload: JSON, headers: Mapping[str, str], reply: Reply) -> JSON:
    """Return Bedrock's whole answer as a `chat.completion`.

    Raises a `GatewayError` (502 unless the payload says better) when it is none.
    """
    if reply.wire == NATIVE:
        return native.parse_response(payload, headers, reply)
    if not isinstance(payload, dict):
        raise upstream_errors.no_answer("is not a JSON object")
    if _is_failure(payload):
        raise upstream_errors.instead_of_answer(payload, WORDS)
    completion = _PARSERS[reply.wire](payload, reply)
    if payload.get(GUARDRAIL_ACTION) == "INTERVENED":
        completion["choices"][0]["finish_reason"] = "content_filter"
    if (usage := usage_of(headers)) is not None:
        completion["usage"] = _filled(completion.get("usage"), usage)
    if tier := headers.get(_TIER_HEADER):
        completion["service_tier"] = tier
    return reply_rules.whole(completion, reply)


def _is_failure(payload: JSON) -> bool:
    """Say whether an answer with status 200 is an error all the same."""
    output: Any = payload.get("Output")
    return (
        "__type" in payload
        or bool(payload.get("error"))
        or (isinstance(output, dict) and "__type" in output)
    )


def _filled(told: JSON | None, headers: JSON) -> JSON:
    """Return the body's counts, with the headers' where it has none."""
    if not told or not told["total_tokens"]:
        return headers
    counts = {
        name: told[name] or headers[name]
        for name in ("prompt_tokens", "completion_tokens")
    }
    return {**told, **counts, "total_tokens": sum(counts.values())}


def stream_parser(reply: Reply) -> StreamParser:
    """Return a parser for one stream."""
    if reply.wire == NATIVE:
        return native.NativeStream(reply)
    is_claude = reply.wire == "claude"
    reasons = CLAUDES_FINISH_REASONS if is_claude else FINISH_REASONS
    return reply_rules.stream(AnswerParser(reply, reasons, _reader), reply)


def _reader(reply: Reply, writer: AnswerWriter) -> ByteReader:
    if reply.wire == converse.WHOLE:
        return converse.WholeReader(reply, writer)
    events: EventReader
    if reply.wire == CONVERSE:
        events = converse.ConverseReader(reply, writer)
    else:
        body = _READERS[reply.wire](reply, writer)
        events = InvokeReader(body, writer, tells_end=reply.wire == "claude")
    return EventStreamReader(events, writer.state, reply.largest)


def parse_error(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return Bedrock's refusal in the caller's terms; never raises.

    https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
    """
    return upstream_errors.from_response(status, headers, payload, WORDS)
