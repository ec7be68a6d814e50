"""What doors ask of a request before it is routed, and of where it goes."""

from gateway.doors.protocol import JSON
from gateway.errors import GatewayError, invalid_request
from gateway.hub.protocol import Route

_OPENAI = (".openai.com", ".azure.com")
"""OpenAI's models at home: a limit of their own name, and ids of users."""


def is_openais_own(route: Route) -> bool:
    """Tell whether OpenAI's own server is asked, not one that speaks its format."""
    return route.provider_type == "openai" and route.host.endswith(_OPENAI)


def model_of(body: JSON, example: str) -> str:
    """Return the model that is named; raises a 400 that gives an example of one."""
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise wrong_field("model", model, f"a model id, such as {example}")
    return model


def wants_stream(body: JSON) -> bool:
    """Return whether the answer is wanted as it comes; raises a 400."""
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise wrong_field("stream", stream, "true or false")
    return stream is True


def wrong_field(field: str, value: object, wanted: str) -> GatewayError:
    """Return the 400 of a field that is missing (None), or is not what is wanted."""
    if value is None:
        return invalid_request(
            f"{field} is required: {wanted}.", param=field, code="missing_field"
        )
    return invalid_request(
        f"{field} must be {wanted}.", param=field, code="invalid_value"
    )
