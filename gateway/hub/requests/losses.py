"""What a request loses on its way to an upstream."""

from gateway.errors import unsupported
from gateway.hub.protocol import Route


class Losses:
    """Parameters that do not arrive as they were meant, for the response headers.

    With the route flag `strict_params` a parameter that would be dropped is refused
    instead.
    """

    def __init__(self, route: Route) -> None:
        self._strict = bool(route.options.get("strict_params"))
        self._dropped: dict[str, None] = {}
        self._downgraded: dict[str, None] = {}

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of parameters not sent, each once, in the order they were met."""
        return tuple(self._dropped)

    @property
    def downgraded(self) -> tuple[str, ...]:
        """Names of parameters sent in a weaker form."""
        return tuple(self._downgraded)

    def drop(self, param: str) -> None:
        """Note that `param` is not sent; raises a 400 under `strict_params`."""
        if self._strict:
            raise unsupported(
                f"This model does not support '{param}', and its provider is set to "
                f"refuse rather than drop parameters. Remove '{param}'.",
                param=param,
            )
        self._dropped[param] = None

    def downgrade(self, param: str) -> None:
        """Note that `param` is sent in a weaker form."""
        self._downgraded[param] = None
