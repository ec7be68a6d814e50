"""What an embedder is: the part of an upstream's format that makes vectors of texts."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from gateway.hub.protocol import JSON, Feature, Route, UpstreamRequest


class EmbeddingRequest(NamedTuple):
    """What a client asks to be embedded.

    `inputs` is its input as a list: texts, lists of token ids, or objects that only
    their own vendor understands. `wants_base64` is the form of the answer; `body` is
    the request as it stands, `extra_body` merged into it.
    """

    inputs: tuple[Any, ...]
    wants_base64: bool
    body: JSON

    @property
    def are_texts(self) -> bool:
        """Whether every input is text."""
        return all(isinstance(each, str) for each in self.inputs)


class Part(NamedTuple):
    """One upstream request, for `size` inputs of which `first` is the first."""

    request: UpstreamRequest
    first: int
    size: int


class Vectors(NamedTuple):
    """What one upstream request came to.

    `embeddings` are lists of numbers, base64 texts, or either as JSON text that nobody
    had to read (`msgspec.Raw`); `data` is the whole list in OpenAI's form where it can
    be given on to the letter. `tokens` is None where the upstream tells of none;
    `extra` are further fields of the answer. `dimensions` is 0 where nobody counted.
    """

    embeddings: list[Any]
    tokens: int | None = None
    data: Any = None
    extra: JSON | None = None
    dimensions: int = 0


class Embedder(Protocol):
    """The jobs of a format that can embed; they stand beside its translator's."""

    EMBEDDING_FEATURES: tuple[Feature, ...]
    """What is asked for again without, where an upstream refuses it."""

    def render_embeddings(self, asked: EmbeddingRequest, route: Route) -> list[Part]:
        """Return the requests that `asked` takes, in the order of its inputs.

        Raises `GatewayError` (400, with `param`) for what the model cannot do.
        """
        ...

    def parse_embeddings(
        self, raw: bytes, headers: Mapping[str, str], part: Part, wants_base64: bool
    ) -> Vectors:
        """Return what `raw`, the answer to `part`, holds: a vector for each input.

        Raises `GatewayError` (502) where it is no such answer.
        """
        ...
