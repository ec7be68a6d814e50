"""Many questions to one server at once, asked with OpenAI's SDK or as they stand."""

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp
import openai
from openai.resources.chat import AsyncCompletions

JSON = dict[str, Any]

AT_ONCE = 16

_KNOWN = frozenset(inspect.signature(AsyncCompletions.create).parameters)


@dataclass
class Outcome:
    """What the SDK made of an answer: a completion, or the error it raised.

    `chunks` are those of a stream, as far as it came.
    """

    completion: JSON | None = None
    chunks: list[JSON] = field(default_factory=list)
    error: openai.APIError | None = None


def ask_all(
    url: str, key: str, asked: Iterable[tuple[str, JSON]]
) -> dict[str, Outcome]:
    """Ask everything, some at a time; `asked` are ids and bodies.

    The id goes up as `Idempotency-Key`, by which the upstream knows what to answer.
    """
    return asyncio.run(_ask_all(url, key, list(asked)))


async def _ask_all(
    url: str, key: str, asked: list[tuple[str, JSON]]
) -> dict[str, Outcome]:
    turns = asyncio.Semaphore(AT_ONCE)
    async with openai.AsyncOpenAI(
        base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=60
    ) as client:

        async def one(question: str, body: JSON) -> tuple[str, Outcome]:
            async with turns:
                return question, await ask(client, body, question)

        return dict(await asyncio.gather(*(one(*each) for each in asked)))


async def ask(client: openai.AsyncOpenAI, body: JSON, question: str) -> Outcome:
    """Ask one thing; a stream is read with the SDK's helper."""
    arguments: JSON = {name: body[name] for name in body if name in _KNOWN}
    arguments["extra_body"] = {name: body[name] for name in body if name not in _KNOWN}
    arguments["extra_headers"] = {"Idempotency-Key": question}
    outcome = Outcome()
    try:
        if arguments.pop("stream", False):
            await _stream(client, arguments, outcome)
        else:
            whole = await client.chat.completions.create(**arguments)
            outcome.completion = _plain(whole)
    except openai.APIError as error:
        outcome.error = error
    return outcome


async def _stream(
    client: openai.AsyncOpenAI, arguments: JSON, outcome: Outcome
) -> None:
    async with client.chat.completions.stream(**arguments) as stream:
        async for event in stream:
            if event.type == "chunk":
                outcome.chunks.append(_plain(event.chunk))
        try:
            final = await stream.get_final_completion()
        except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
            # What the helper raises for these two is what it promises.
            final = stream.current_completion_snapshot
    outcome.completion = _plain(final)


def _plain(model: openai.BaseModel) -> JSON:
    """Return what a server said; what fits no type of the SDK stays as it is."""
    return model.model_dump(exclude_unset=True, warnings=False)


class Answer(NamedTuple):
    """A whole answer as it came."""

    status: int
    body: JSON


def post_all(url: str, key: str, asked: Mapping[str, JSON]) -> dict[str, Answer]:
    """Send every body as it is; ids go up as `ask_all` sends them."""

    async def one(session: aiohttp.ClientSession, question: str) -> Answer:
        headers = {"Idempotency-Key": question}
        async with session.post(url, json=asked[question], headers=headers) as answer:
            return Answer(answer.status, await answer.json())

    async def all_of_them() -> dict[str, Answer]:
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        headers = {"Authorization": f"Bearer {key}"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as made:
            answers = await asyncio.gather(*(one(made, each) for each in asked))
        return dict(zip(asked, answers, strict=True))

    return asyncio.run(all_of_them())
