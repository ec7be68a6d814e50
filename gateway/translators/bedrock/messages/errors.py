"""Refusals as Claude's own words, which clients act on, without what AWS puts around.

https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
"""

import re
from collections.abc import Mapping

from gateway.errors import GatewayError
from gateway.hub.errors import upstream_errors
from gateway.translators.bedrock.errors import WORDS

_WRAPPERS = (
    re.compile(r"The model returned the following errors: (?P<words>.+)", re.DOTALL),
    re.compile(
        r"Malformed input request: (?P<words>.+?)"
        r"(?:, please reformat your input and try again\.?)?",
        re.DOTALL,
    ),
)


def from_response(
    status: int, headers: Mapping[str, str], payload: bytes
) -> GatewayError:
    """Return the refusal; never raises."""
    return unwrapped(upstream_errors.from_response(status, headers, payload, WORDS))


def unwrapped(error: GatewayError) -> GatewayError:
    """Return an error in the words of the model itself."""
    for wrapper in _WRAPPERS:
        if found := wrapper.fullmatch(error.message):
            error.message = found["words"]
    return error
