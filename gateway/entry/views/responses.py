"""OpenAI's Responses API: an answer, and what is kept of it for the next request."""

import asyncio
import logging
from functools import partial
from typing import Any

from django.db import Error as DatabaseError

from gateway import memory
from gateway.calls.begin import AnswerStream, WholeAnswer, ask, find
from gateway.calls.counting.translated import count_response
from gateway.calls.passages import between
from gateway.doors import responses as door
from gateway.doors.protocol import Asked, Door
from gateway.doors.responses import compaction
from gateway.doors.responses.memory import (
    token_of,
    tokens_named,
    wants_memory,
    with_items,
)
from gateway.doors.responses.native import input_tokens
from gateway.doors.responses.streams.renderer import ResponsesRenderer
from gateway.entry import bodies
from gateway.entry.request import Request
from gateway.entry.response import Response, json_response
from gateway.entry.streamed import StreamedAnswer
from gateway.entry.views.calls import asked_by
from gateway.wire.jsontext import JSON, decode, encode
from gateway.worker.call_settings import call_settings
from gateway.worker.snapshot import Caller
from providers import database

PATIENCE_SECONDS = 2.0
"""How long an answer waits for the database, which it could do without."""

_passage_to = partial(between, door)

logger = logging.getLogger(__name__)


async def responses(request: Request, provider: str = "") -> Response | StreamedAnswer:
    """Answer a request; `provider` pins one by its name."""
    asked, call = asked_by(request, door)
    call.tells_way = True
    if _is_on():
        if tokens := tokens_named(asked):
            asked = await recalled(asked, tokens, request.caller)
        asked.own.is_kept = wants_memory(asked.body)
    if asked.stream:
        request.wait_for(asked, door)
    answer = await ask(asked, call, _passage_to, provider)
    if isinstance(answer, WholeAnswer):
        body = answer.body
        if asked.own.is_kept:
            body = await _remembered(asked, answer, request.caller)
        headers = door.answer_headers(answer.headers, request.sent())
        return json_response(answer.raw or body, headers=headers)
    remember = partial(_remember_stream, asked, answer, request.caller)
    response = StreamedAnswer(answer, remember)
    response.headers = door.answer_headers(response.headers, request.sent())
    return response


async def compact(request: Request, provider: str = "") -> Response | StreamedAnswer:
    """Answer with a conversation made shorter; `provider` pins one by its name."""
    return await _neighbour(request, compaction, provider)


async def count(request: Request, provider: str = "") -> Response | StreamedAnswer:
    """Tell how many tokens a request has; `provider` pins one by its name.

    Where the question is translated it is no call: nothing is limited or booked.
    """
    asked = input_tokens.parse_request(bodies.parse(request.body), request.sent())
    target, *_ = await find(asked.model, request.caller, provider)
    if _is_on() and (tokens := tokens_named(asked)):
        asked = await recalled(asked, tokens, request.caller)
    if (counted := await count_response(asked, target)) is not None:
        return json_response(input_tokens.told(counted))
    return await _neighbour(request, input_tokens, provider)


async def _neighbour(
    request: Request, neighbour: Door, provider: str
) -> Response | StreamedAnswer:
    """Answer at a path below that of responses: whole, and kept by nobody."""
    asked, call = asked_by(request, neighbour)
    call.tells_way = True
    if _is_on() and (tokens := tokens_named(asked)):
        asked = await recalled(asked, tokens, request.caller)
    answer = await ask(asked, call, partial(between, neighbour), provider)
    if isinstance(answer, WholeAnswer):
        return json_response(answer.raw or answer.body, headers=answer.headers)
    return StreamedAnswer(answer)


async def recalled(asked: Asked, tokens: set[str], caller: Caller) -> Asked:
    """Return a request with the items that it only names, as far as they are kept."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            kept = await database.in_thread(memory.find, _owner(caller), tokens)
    except (DatabaseError, TimeoutError) as error:
        logger.warning("Kept responses cannot be read: %s", type(error).__name__)
        return asked
    items: list[Any] = [item for each in kept for item in decode(each)]
    return with_items(asked, {item["id"]: item for item in items})


async def _remembered(asked: Asked, answer: WholeAnswer, caller: Caller) -> JSON:
    """Return a whole answer that is to be kept, which says whether it was."""
    body = answer.body
    token = token_of(body.get("id"))
    if not token:
        return body
    is_kept = await _keep(caller, token, encode(body["output"]))
    return body if is_kept else {**body, "store": False}


async def _remember_stream(
    asked: Asked, answer: AnswerStream[bytes], caller: Caller
) -> None:
    """Keep what was told in a stream, before its end is."""
    renderer = answer.reader.renderer
    if isinstance(renderer, ResponsesRenderer) and asked.own.is_kept:
        items = answer.shown(encode(renderer.finish()))
        asked.own.is_kept = await _keep(caller, token_of(renderer.id), items)


async def _keep(caller: Caller, token: str, items: bytes) -> bool:
    """Keep an answer's items; return whether they are. No answer fails of it."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await database.in_thread(memory.keep, _owner(caller), token, items)
    except (DatabaseError, TimeoutError) as error:
        logger.warning("A response is not kept: %s", type(error).__name__)
        return False


def _owner(caller: Caller) -> str:
    return f"{caller.kind}:{caller.name}"


def _is_on() -> bool:
    return call_settings.RESPONSES_MEMORY_DAYS > 0
