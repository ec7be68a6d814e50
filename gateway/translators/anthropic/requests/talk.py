"""Requests that only talk, rendered without the questions that all others raise.

Most short calls are such: texts by turns, a limit, no tools, no thinking. `request`
asks of each what it holds beyond that, in fifty functions: of one that holds nothing
that takes 17 µs where nothing else runs, and 43 of the 235 of a call; here it takes 3,
for its shape is compared as a whole. Whatever is not plain to see is left to those
functions, what is wrong or is lost on the way as well, and a test holds that both say
the same.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Literal

from gateway.hub.outlines import Said
from gateway.hub.protocol import JSON, Route
from gateway.translators.anthropic.requests.claude_models import claude_model
from gateway.translators.anthropic.requests.dialect import ANTHROPIC
from gateway.wire.shapes import (
    ABSENT,
    Absent,
    AtLeastOne,
    Count,
    Shape,
    Share,
    Text,
    shaped,
)


class _Turn(Shape, forbid_unknown_fields=True):
    role: Literal["user", "assistant", "system", "developer"]
    content: Text


class _Around(Shape, forbid_unknown_fields=True):
    """All of a request that talks but its messages."""

    model: Any = None
    max_tokens: Count | Absent = ABSENT
    max_completion_tokens: Count | Absent = ABSENT
    temperature: Share | Absent = ABSENT
    stream: bool = False
    stream_options: dict[str, Any] | Absent = ABSENT


class _Talk(_Around, forbid_unknown_fields=True, kw_only=True):
    messages: AtLeastOne[_Turn]


def talk(body: JSON, route: Route) -> JSON | None:
    """Return a request that only talks as Anthropic's body; None for any other.

    It has no `model` and no `stream` yet.
    """
    if route.avoid or route.shows_thinking or (told := shaped(body, _Talk)) is None:
        return None
    system, turns = _said(told.messages)
    if not turns or turns[-1]["role"] != "user":
        return None
    return _talked(told, body, system, turns, route)


def short_talk(body: JSON, route: Route) -> JSON | None:
    """Return a request that only talks as `talk` does, and as `long_talk` writes it.

    None as well where system, user and assistant do not speak in turn.
    """
    if route.avoid or route.shows_thinking or (told := shaped(body, _Talk)) is None:
        return None
    messages = told.messages
    if len(messages) > _FEW:
        return None
    texts, roles = list(map(_CONTENT, messages)), tuple(map(_ROLE, messages))
    first = _first_turn(roles)
    if first < 0 or roles[-1] != "user" or any(map(str.isspace, texts)):
        return None
    blocks = list(map(_Block, texts))
    turns = [*map(_Spoken, roles[first:], map(_Only, blocks[first:]))]
    return _talked(told, body, blocks[:first], turns, route)


def long_talk(outline: JSON, route: Route) -> JSON | None:
    """Return the outline of a request that only talks, as `talk` does of the whole.

    What it holds is written as that would be, but it is made of structs.
    """
    messages = outline["messages"]
    if type(messages[0]) is not Said or route.avoid or route.shows_thinking:
        return None
    around = shaped({k: outline[k] for k in outline if k != "messages"}, _Around)
    if around is None:
        return None
    system, turns = _long_said(messages)
    if not turns or turns[-1].role != "user":
        return None
    return _talked(around, outline, system, turns, route)


def _talked(
    told: _Around, body: JSON, system: list[Any], turns: list[Any], route: Route
) -> JSON | None:
    """Return a body with these blocks; None where more is lost or changed."""
    given = _limit(told)
    if given is None:
        return None
    model = claude_model(route)
    if given > model.max_output:
        return None
    limit = given or route.default_output or ANTHROPIC.default_output
    rendered: JSON = {"max_tokens": min(limit, model.max_output)}
    if system:
        rendered["system"] = system
    rendered["messages"] = turns
    if told.temperature is not ABSENT:
        if model.thinks or model.sampling == "none":
            return None
        # As it was written: a whole number stays one.
        rendered["temperature"] = body["temperature"]
    return rendered


def _limit(told: _Around) -> int | None:
    """Return the output limit by either name, 0 where none is given; None for two."""
    limit, other = told.max_tokens, told.max_completion_tokens
    if other is ABSENT:
        return 0 if limit is ABSENT else limit
    return other if limit is ABSENT else None


def _said(messages: list[_Turn]) -> tuple[list[JSON], list[JSON]]:
    """Return the system's texts and the turns; no turns where there is more to it."""
    system: list[JSON] = []
    turns: list[JSON] = []
    last = ""
    for message in messages:
        role, text = message.role, message.content
        if text.isspace():
            return [], []
        block = {"type": "text", "text": text}
        if role == last:
            turns[-1]["content"].append(block)
        elif role == "user" or (role == "assistant" and turns):
            turns.append({"role": role, "content": [block]})
            last = role
        elif role in ("system", "developer") and not turns:
            system.append(block)
        else:
            return [], []
    return system, turns


# --- long ones ------------------------------------------------------------------------


class _Block(Shape, tag_field="type", tag="text", gc=False):
    text: str


class _Only(Shape, array_like=True, gc=False):
    """A list of one block."""

    block: _Block


class _Spoken(Shape, gc=False):
    role: str
    content: _Only | list[_Block]


_ROLE, _CONTENT, _FIRST = attrgetter("role"), attrgetter("content"), itemgetter(0)
_SPEAKERS = frozenset({"user", "assistant"})
_FEW = 32
"""Messages of a request whose order is remembered: requests have few orders."""


@lru_cache(maxsize=256)
def _first_turn(roles: tuple[str, ...]) -> int:
    """Return where the first turn is from which on user and assistant take turns.

    Before it speaks the system alone. -1 where they do not.
    """
    first = next((n for n, role in enumerate(roles) if role in _SPEAKERS), len(roles))
    speakers = roles[first:]
    return first if speakers and _take_turns(speakers) else -1


def _take_turns(speakers: Sequence[str]) -> bool:
    """Tell whether the user begins, and the assistant has every other turn."""
    users, assistants = speakers[::2].count("user"), speakers[1::2].count("assistant")
    return users + assistants == len(speakers)


def _long_said(messages: list[Said]) -> tuple[list[_Block], list[_Spoken]]:
    """Return the system's texts and the turns, as `_said` does, of many at once.

    Where user and assistant take turns, as in nearly all, nothing is done for each
    alone: 60 µs for 400, where a loop takes 110.
    """
    texts = list(map(_CONTENT, messages))
    if "" in texts or any(map(str.isspace, texts)):
        return [], []
    roles = list(map(_ROLE, messages))
    first = next((n for n, role in enumerate(roles) if role in _SPEAKERS), len(roles))
    blocks = list(map(_Block, texts))
    speakers = roles[first:]
    if _take_turns(speakers):
        return blocks[:first], [*map(_Spoken, speakers, map(_Only, blocks[first:]))]
    if speakers[0] != "user" or not _SPEAKERS.issuperset(speakers):
        return [], []
    turns: list[_Spoken] = []
    for role, together in groupby(zip(speakers, blocks[first:], strict=True), _FIRST):
        turns.append(_Spoken(role, [block for _, block in together]))
    return blocks[:first], turns
