"""The offline sandbox's embeddings: equal for equal texts, and without any meaning."""

import hashlib
import math
import struct

from gateway.errors import invalid_request
from gateway.hub.embeddings import EmbeddingRequest, Vectors, base64_of

DIMENSIONS = 256

_BYTES = 2
_FORMAT = f">{DIMENSIONS}h"


def embedded(asked: EmbeddingRequest) -> Vectors:
    """Return a vector for each text; raises a 400 for anything else."""
    if not asked.are_texts:
        raise invalid_request("The sandbox takes texts only.", param="input")
    vectors = [vector_of(text) for text in asked.inputs]
    made = [base64_of(each) for each in vectors] if asked.wants_base64 else vectors
    return Vectors(list(made), sum(len(text.split()) for text in asked.inputs))


def vector_of(text: str) -> list[float]:
    """Return a vector of length 1 that depends on nothing but `text`."""
    noise = hashlib.shake_256(text.encode()).digest(DIMENSIONS * _BYTES)
    values = struct.unpack(_FORMAT, noise)
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]
