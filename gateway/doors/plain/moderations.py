"""OpenAI's moderations: whether a text or an image is harmful, and how.

Who names no model means whatever its provider judges by.
https://platform.openai.com/docs/api-reference/moderations
"""

from gateway.doors.chat import KEEP_ALIVE, about, answer_headers, status_of
from gateway.doors.envelope import render_error
from gateway.doors.fields import model_of, wrong_field
from gateway.doors.plain.completions import stream_renderer
from gateway.doors.protocol import JSON, Asked, HubRequest, Sent
from gateway.errors import GatewayError, unsupported
from gateway.hub.protocol import Route

__all__ = [
    "ESTIMATES_USAGE",
    "KEEP_ALIVE",
    "NAME",
    "about",
    "answer_headers",
    "hub_request",
    "not_here",
    "parse_request",
    "render_error",
    "render_response",
    "status_of",
    "stream_renderer",
]

NAME = "moderations"

ESTIMATES_USAGE = False


def parse_request(body: JSON, sent: Sent) -> Asked:
    """Return what is asked for; raises a 400 that names the wrong field.

    The model is empty where none is named.
    """
    is_named = body.get("model") is not None
    model = model_of(body, "omni-moderation-latest") if is_named else ""
    if not body.get("input"):
        raise wrong_field("input", None, "a text, or a list of texts and images")
    return Asked(model, False, body, sent)


def not_here() -> GatewayError:
    """Return the 400 of who does not judge what it reads."""
    return unsupported(
        "This model does not moderate. Name one that does, such as "
        "omni-moderation-latest, of a provider that speaks OpenAI's API, or leave "
        "'model' out.",
        param="model",
    )


def nobody() -> GatewayError:
    """Return the 400 for who names no model and reaches no provider that has one."""
    return unsupported(
        "No provider that moderates is within reach. Add one of the type OpenAI, or "
        "use a key that reaches one.",
        param="model",
    )


def hub_request(asked: Asked, route: Route) -> HubRequest:
    """Refuse: the hub's format has no question for it. Raises a 400."""
    raise not_here()


def render_response(completion: JSON, asked: Asked) -> JSON:
    """Return an answer: never asked for, since nothing is translated."""
    return completion
