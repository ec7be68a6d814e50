"""Vectors between JSON's numbers and the base64 text of 32-bit floats of SDKs.

Little-endian, standard alphabet with padding:
https://github.com/openai/openai-python/blob/main/src/openai/resources/embeddings.py
"""

import base64
import binascii
import math
import sys
from array import array
from typing import Any

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors

_FLOAT_BYTES = 4


def checked(vectors: Any, count: int) -> list[list[float]]:
    """Return `vectors` if they are `count` lists of finite numbers; raises a 502."""
    if not isinstance(vectors, list) or len(vectors) != count:
        raise no_vectors(f"does not hold {count} vectors")
    for vector in vectors:
        if not isinstance(vector, list) or not vector:
            raise no_vectors("holds a vector without numbers")
        if not all(map(_is_finite, vector)):
            raise no_vectors("holds a vector with something else than finite numbers")
    return vectors


def base64_of(vector: list[float]) -> str:
    """Return a checked vector as base64 text; raises a 502 beyond 32-bit floats."""
    packed = array("f", vector)
    if not all(map(math.isfinite, packed)):
        raise no_vectors("holds numbers beyond 32-bit floats")
    return base64.b64encode(_little_endian(packed).tobytes()).decode()


def floats_of(text: str) -> list[float]:
    """Return the numbers of a base64 text; raises a 502 where it holds none."""
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise no_vectors("holds a vector that is no base64 text") from None
    if not packed or len(packed) % _FLOAT_BYTES:
        raise no_vectors("holds a vector that is no list of 32-bit floats")
    values = _little_endian(array("f", packed)).tolist()
    return checked([values], 1)[0]


def no_vectors(fault: str) -> GatewayError:
    """Return the 502 for an answer that is not one; `fault` goes on after "it"."""
    return upstream_errors.no_answer(fault)


def _little_endian(values: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        values.byteswap()
    return values


def _is_finite(value: Any) -> bool:
    kind = type(value)
    return kind is int or (kind is float and math.isfinite(value))
