"""Questions about a response that its provider keeps, by its id.

https://platform.openai.com/docs/api-reference/responses/get
"""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from gateway.doors.protocol import Asked, Sent
from gateway.doors.responses.ids import OWN
from gateway.doors.responses.reading import is_codex
from gateway.errors import GatewayError

_is_id = re.compile(rf"resp_(?!{OWN})[A-Za-z0-9_-]{{1,250}}").fullmatch


class Kept(NamedTuple):
    """What is to be done with a response: `place` is what stands behind the path."""

    method: str
    place: str
    is_codex: bool


def asked_for(method: str, place: str, query: str, sent: Sent) -> Asked:
    """Return a question; of a response that is not complete yet the rest may stream."""
    pairs = parse_qsl(query, keep_blank_values=True)
    stream = method == "GET" and ("stream", "true") in pairs
    behind = f"{place}?{urlencode(pairs)}" if pairs else place
    return Asked("", stream, {}, sent, Kept(method, behind, is_codex(sent)))


def is_theirs(id: str) -> bool:
    """Tell whether an id may be that of a response which a provider keeps."""
    return _is_id(id) is not None


def not_found(id: str) -> GatewayError:
    """Return the 404 for a response that is not kept here."""
    return GatewayError(
        404,
        "invalid_request_error",
        f"Response with id {id[:64]!a} not found. Responses are not kept "
        "here; call /v1/p/<provider>/responses for those that the provider keeps.",
        param="response_id",
    )
