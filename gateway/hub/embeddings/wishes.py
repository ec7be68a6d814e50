"""What a client may say beside its texts, checked where an upstream is particular."""

from typing import Any

from gateway.errors import GatewayError, invalid_request, unsupported
from gateway.hub.embeddings.protocol import EmbeddingRequest
from gateway.hub.protocol import JSON, Route
from gateway.hub.requests.losses import Losses

_FORM = frozenset({"model", "input", "encoding_format", "stream"})
"""Fields that say what is embedded and how it is answered, whoever does it."""


def wished(
    asked: EmbeddingRequest,
    losses: Losses,
    sent: frozenset[str],
    ignored: frozenset[str],
) -> JSON:
    """Return the wishes in `sent`; what is in neither list is told as dropped.

    Raises a 400 under `strict_params`.
    """
    wishes = {}
    for name, value in asked.body.items():
        if name in _FORM or name in ignored or value is None:
            continue
        if name in sent:
            wishes[name] = value
        else:
            losses.drop(name)
    return wishes


def only_texts(asked: EmbeddingRequest, route: Route) -> list[str]:
    """Return the inputs, which must be texts; raises a 400 with the cure.

    Token ids are of one vocabulary; another one would read them as nonsense.
    """
    if asked.are_texts:
        return list(asked.inputs)
    if any(isinstance(each, dict) for each in asked.inputs):
        raise invalid_request(
            f"'{route.model}' takes texts only.", param="input", code="invalid_value"
        )
    raise no_token_ids(route)


def no_token_ids(route: Route) -> GatewayError:
    """Return the 400 for token ids; LangChain sends them unless told not to."""
    return unsupported(
        f"'{route.model}' takes text, not token ids. In LangChain, create "
        "OpenAIEmbeddings with check_embedding_ctx_length=False.",
        param="input",
    )


def flag(wishes: JSON, name: str) -> bool:
    """Return a wish that is true or false, absent for false; raises a 400."""
    value = wishes.get(name, False)
    if not isinstance(value, bool):
        raise invalid_request(
            f"{name} must be true or false.", param=name, code="invalid_value"
        )
    return value


def dimensions_of(wishes: JSON) -> int | None:
    """Return how many numbers a vector is to have; raises a 400 below one."""
    value: Any = wishes.get("dimensions")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise invalid_request(
            "dimensions must be a whole number of at least 1.",
            param="dimensions",
            code="invalid_value",
        )
    return value


def fixed_dimensions(wishes: JSON, route: Route, size: int) -> None:
    """Refuse any other size than the one that a model has (400)."""
    if dimensions_of(wishes) not in (None, size):
        raise unsupported(
            f"The vectors of '{route.model}' have {size} dimensions, always. Leave "
            f"out 'dimensions'.",
            param="dimensions",
        )


def no_embeddings(model: str) -> GatewayError:
    """Return the 400 for a model that is asked for what it does not do."""
    return unsupported(
        f"'{model}' does not make embeddings. Choose a model of the kind embedding.",
        param="model",
    )
