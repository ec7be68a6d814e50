"""The gateway's own routes, resolved by the lean handler, not by Django's.

Agents find the endpoint of a door under every base URL that RunAgents and the vendors'
SDKs make of it: with and without ``/v1``, below ``/api``, pinned to a provider by
``/p/<name>``, and with the tail doubled.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from gateway.doors import DOORS, embeddings
from gateway.doors.ollama import former
from gateway.doors.plain import completions, moderations
from gateway.doors.protocol import Door, Envelope
from gateway.doors.responses import compaction
from gateway.doors.responses.native import input_tokens
from gateway.entry.response import Response
from gateway.entry.streamed import StreamedResponse
from gateway.entry.views import (
    calls,
    kept,
    metrics,
    models,
    ollama,
    responses,
    sandbox,
)
from gateway.entry.views.plain import plainly
from gateway.errors import GatewayError

View = Callable[..., Awaitable[Response | StreamedResponse]]
"""Takes the request, and what its route's pattern names."""

SANDBOX = "/sandbox/"

_OWN = re.compile(
    r"/(?:v1|sandbox|tools|(?:api/)?(?:v1/)*(?:chat|responses|embeddings|p"
    r"|completions|moderations)"
    r"|(?:api/)?(?:anthropic/)?(?:v1/)*messages)(?:/|$)"
)
"""Paths that begin so are the gateway's, known or not: a program asks there, to which
a page of the console would tell nothing."""

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
_SLASHES = re.compile(r"//+")

# A path is matched against patterns and remembered: neither for any length.
LONGEST_PATH = 2048
MOST_PARTS = 16

CHAT_DOOR = DOORS["chat"]
RESPONSES_DOOR = DOORS["responses"]
MESSAGES_DOOR = DOORS["messages"]
OLLAMA_DOOR = DOORS["ollama"]

# It begins with any number of `v1/`. Where a pattern said so a second time before it,
# matching a path of nothing else would take the square of its length.
_CHAT = r"(?:(?:v1/)*chat/completions/?)+"
_EMBEDDINGS = r"(?:(?:v1/)*embeddings/?)+"
_RESPONSES = r"(?:(?:v1/)*responses/?)+"
_COMPLETIONS = r"(?:(?:v1/)*completions/?)+"
_MODERATIONS = r"(?:(?:v1/)*moderations/?)+"

_COMPACT = r"(?:(?:v1/)*responses/)+compact/?"
_INPUT_TOKENS = r"(?:(?:v1/)*responses/)+input_tokens/?"

# What OpenAI keeps: a response by its id, what became of it, and what it was asked.
_KEPT = r"(?:v1/)*responses/(?P<response>resp_[^/]+)"
_MESSAGES = r"(?:anthropic/)?(?:(?:v1/)*messages/?)+"

_COUNTED = r"(?:anthropic/)?(?:(?:v1/)*messages/)+count_tokens/?"

_ONLY_OLLAMAS = re.compile(r"/api/(?:ps|pull|push|create|copy|delete|blobs/.*)")
"""Where its clients look after models, which nobody does here."""

_OF_ONE = r"/(?:api/)?(?:v1/)*p/(?P<provider>[^/]+)/(?:v1/)*models"

_ALIVE = "/"
"""Asked with HEAD by Claude Code before its first call; with GET it is the console."""


class Endpoint(NamedTuple):
    """A kind of path: what it answers, to whom, and in which format.

    `pattern` matches whole paths. Without `is_public` a caller must be known before
    anything is read. `door` tells what goes wrong. What `is_bodiless` is asked with
    nothing but a path.
    """

    pattern: re.Pattern[str]
    methods: tuple[str, ...]
    view: View
    is_public: bool = False
    door: Envelope = CHAT_DOOR
    is_bodiless: bool = False

    @property
    def may_lack_type(self) -> bool:
        """Whether a body need not say that it is JSON."""
        return self.is_bodiless or self.door is MESSAGES_DOOR


def _endpoint(
    pattern: str, method: str, view: View, *, is_public: bool = False
) -> Endpoint:
    return Endpoint(re.compile(pattern), (method,), view, is_public)


def _of_ollama(path: str, method: str, view: View) -> Endpoint:
    return Endpoint(re.compile(path), (method,), view, door=OLLAMA_DOOR)


def endpoints_of(tail: str, door: Door) -> tuple[Endpoint, ...]:
    """Return the endpoints of a door, free and pinned to a provider by its name."""
    return _pinnable(tail, door, calls.through(door))


def _pinnable(tail: str, door: Envelope, view: View) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(re.compile(pattern), ("POST",), view, door=door)
        for pattern in (
            rf"/(?:api/)?{tail}",
            rf"/(?:api/)?(?:v1/)*p/(?P<provider>[^/]+)/{tail}",
        )
    )


def _kept_responses(tail: str, *methods: str) -> tuple[Endpoint, ...]:
    view = kept.kept_response(tail)
    return tuple(
        Endpoint(
            re.compile(f"{pattern}{tail}/?"),
            methods,
            view,
            door=RESPONSES_DOOR,
            is_bodiless=True,
        )
        for pattern in (
            rf"/(?:api/)?{_KEPT}",
            rf"/(?:api/)?(?:v1/)*p/(?P<provider>[^/]+)/{_KEPT}",
        )
    )


ENDPOINTS = (
    *endpoints_of(_CHAT, CHAT_DOOR),
    *_pinnable(_RESPONSES, RESPONSES_DOOR, responses.responses),
    *_pinnable(_COMPACT, compaction, responses.compact),
    *_pinnable(_INPUT_TOKENS, input_tokens, responses.count),
    *_kept_responses("", "GET", "DELETE"),
    *_kept_responses("/cancel", "POST"),
    *_kept_responses("/input_items", "GET"),
    *endpoints_of(_MESSAGES, MESSAGES_DOOR),
    *_pinnable(_COUNTED, MESSAGES_DOOR, models.count_tokens),
    Endpoint(
        re.compile("/api/embeddings"), ("POST",), ollama.former_embeddings, door=former
    ),
    *_pinnable(_EMBEDDINGS, embeddings, calls.embeddings),
    *_pinnable(_COMPLETIONS, completions, plainly(completions)),
    *_pinnable(_MODERATIONS, moderations, plainly(moderations)),
    # With a slash behind it, it is the console's page.
    _endpoint(r"/models", "GET", models.models),
    _endpoint(r"/(?:api/)?(?:v1/)+models/?", "GET", models.models),
    _endpoint(r"/(?:api/)?(?:v1/)+models/(?P<model>.+)", "GET", models.model),
    _endpoint(rf"{_OF_ONE}/?", "GET", models.models),
    _endpoint(rf"{_OF_ONE}/(?P<model>.+)", "GET", models.model),
    _endpoint(r"/(?:v1/)?healthz", "GET", calls.healthz, is_public=True),
    _endpoint(r"/readyz", "GET", calls.readyz, is_public=True),
    _endpoint(r"/metrics", "GET", metrics.metrics, is_public=True),
    _endpoint(r"/(?:api/hello)?", "GET", calls.alive, is_public=True),
    # Its server has no version in its paths; `/api/v1` is the registry's.
    _of_ollama("/api/chat", "POST", ollama.chat),
    _of_ollama("/api/tags", "GET", ollama.tags),
    _of_ollama("/api/show", "POST", ollama.show),
    _of_ollama("/api/version", "GET", ollama.version),
    _of_ollama("/api/embed", "POST", ollama.embed_texts),
    _of_ollama("/api/generate", "POST", ollama.generate),
    # The sandbox is an upstream: it knows its own provider's key and nobody else's.
    _endpoint(
        r"/sandbox/v1/chat/completions",
        "POST",
        sandbox.chat_completions,
        is_public=True,
    ),
    _endpoint(
        r"/sandbox/v1/embeddings",
        "POST",
        sandbox.embeddings,
        is_public=True,
    ),
    _endpoint(r"/sandbox/v1/models", "GET", sandbox.models, is_public=True),
    _endpoint(r"/tools/echo-tool/echo", "POST", sandbox.echo),
)


def owns(path: str, method: str = "GET") -> bool:
    """Tell whether a request belongs to the gateway rather than to the console."""
    if path == _ALIVE:
        return method == "HEAD"
    # What is known of a path is remembered: so this is asked first.
    return match(path) is not None or _OWN.match(_tidy(path)) is not None


def match(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint of a path and what it names, None where there is none."""
    return _match(path) if len(path) <= LONGEST_PATH else None


def meant_by(path: str) -> str:
    """Return the end of an unknown path that a caller is answered at, or "".

    What stands before it is another gateway's or vendor's.
    """
    parts = _tidy(path).split("/")
    for start in range(1, min(len(parts), MOST_PARTS)):
        tail = "/" + "/".join(parts[start:])
        if (matched := match(tail)) and not matched[0].is_public:
            return tail
    return ""


def unknown(path: str) -> GatewayError:
    """Return the 404 that says where a path is that has something before it."""
    meant = meant_by(path)
    place = (
        f"What it ends with is at {meant} here: the client's base URL is another's."
        if meant
        else "Models are asked at /v1/chat/completions, /v1/responses, /v1/messages "
        "and /v1/embeddings."
    )
    return GatewayError(
        404,
        "not_found_error",
        f"Unknown path {ascii(path[:200])[1:-1]}. {place}",
        code="unknown_url",
    )


def door_of(path: str, headers: Mapping[str, list[str]]) -> Envelope:
    """Return the door that tells what goes wrong at `path`, known or not.

    `headers` decide where a path belongs to no door, as the list of models does.
    """
    matched = match(path) or match(meant_by(path))
    if matched and "POST" in matched[0].methods:
        return matched[0].door
    if models.MESSAGES_VERSION in headers or _is_below_messages(path):
        return MESSAGES_DOOR
    if matched:
        return matched[0].door
    return OLLAMA_DOOR if _ONLY_OLLAMAS.fullmatch(path) else CHAT_DOOR


def _is_below_messages(path: str) -> bool:
    """Tell whether a path is below one of the Messages API's."""
    return len(path) <= LONGEST_PATH and "/messages/" in path


def _tidy(path: str) -> str:
    """Return a path as it is meant where a base URL's slash came twice, or all of it.

    A target may be a whole URL: https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
    """
    if "//" not in path or len(path) > LONGEST_PATH:
        return path
    origin = _ORIGIN.match(path)
    return _SLASHES.sub("/", path[origin.end() :] if origin else path)


@lru_cache(maxsize=1024)
def _match(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Match a path as it stands, since ids may hold anything, else as it is meant."""
    tidy = _tidy(path)
    return _match_exactly(path) or (_match_exactly(tidy) if tidy != path else None)


def _match_exactly(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    for endpoint in ENDPOINTS:
        if found := endpoint.pattern.fullmatch(path):
            return endpoint, found.groupdict()
    return None
