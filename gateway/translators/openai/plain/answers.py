"""Answers that are passed on as they came, and what the ledger wants of them."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.answers.chunks import regular_usage
from gateway.hub.errors import upstream_errors
from gateway.hub.protocol import JSON
from gateway.translators.openai.errors import WORDS
from gateway.translators.openai.responses.errors import lacks_path

DONE = "stop"
"""Why an answer ended that tells no reason of its own."""


def checked(payload: JSON, field: str) -> JSON:
    """Return a whole answer, which has a list under `field`; raises a 502 else."""
    if isinstance(payload.get(field), list):
        return payload
    if payload.get("error"):
        raise upstream_errors.instead_of_answer(payload, WORDS)
    raise upstream_errors.no_answer(f"has no {field}")


def usage_of(answer: JSON) -> JSON | None:
    """Return an answer's usage, None where it tells none."""
    usage = answer.get("usage")
    return regular_usage(usage) if isinstance(usage, dict) and usage else None


def finish_reason(answer: JSON) -> str:
    """Return why the first choice of an answer ended; "" where it goes on."""
    choices = answer.get("choices")
    if not isinstance(choices, list):
        return DONE
    return _reason(choices[0]) if choices else ""


def _reason(choice: Any) -> str:
    told = choice.get("finish_reason") if isinstance(choice, dict) else None
    return told if isinstance(told, str) else ""


def from_response(
    status: int,
    headers: Mapping[str, str],
    payload: bytes,
    model: str,
    not_here: GatewayError,
) -> GatewayError:
    """Return a refusal in the caller's terms; never raises.

    `not_here` is that of a server which has no such path. `model` is what it was asked
    for.
    """
    if lacks_path(status, payload, model):
        return not_here
    return upstream_errors.from_response(status, headers, payload, WORDS)
