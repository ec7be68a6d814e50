"""Embeddings: what is asked, and what an upstream's format must be able to do for it.

There is no hub format between: a request is a list of texts with two or three wishes.
https://platform.openai.com/docs/api-reference/embeddings
"""

from gateway.hub.embeddings.protocol import (
    Embedder,
    EmbeddingRequest,
    Part,
    Vectors,
)
from gateway.hub.embeddings.vectors import base64_of, checked, floats_of

__all__ = [
    "Embedder",
    "EmbeddingRequest",
    "Part",
    "Vectors",
    "base64_of",
    "checked",
    "floats_of",
]
