"""Fields of the hub's request by the names that the client knows them by."""

from collections.abc import Callable

from gateway.errors import GatewayError

ClientPath = Callable[[str], str]
"""A path in the hub's request to that in the client's, itself where it is none."""


def in_client_words(error: GatewayError, path: ClientPath | None) -> GatewayError:
    """Return an error about the hub's request, told of the client's."""
    if path is not None and error.param is not None:
        param = path(error.param)
        error.message = error.message.replace(f"'{error.param}'", f"'{param}'")
        error.param = param
    return error
