"""The arguments of calls of a tool whose parameters were renamed for the upstream."""

from collections.abc import Mapping

from gateway.hub.answers.calls.arguments import GrowingArguments
from gateway.hub.requests.tools.parameter_names import renamed_arguments
from gateway.wire.jsontext import JSONError, decode, dumps


def restored(arguments: str, names: Mapping[str, str]) -> str:
    """Return a call's arguments (JSON text) under the client's names."""
    try:
        value = decode(arguments)
    except JSONError:
        # Cut off: what there is of them is told all the same.
        for sent, name in names.items():
            arguments = arguments.replace(dumps(sent), dumps(name))
        return arguments
    if isinstance(value, dict):
        return dumps(renamed_arguments(value, names))
    return arguments


class HeldArguments:
    """Arguments that arrive in pieces and are held back until they are whole."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._arguments = GrowingArguments()

    def feed(self, fragment: str) -> str:
        """Return what can be told now that `fragment` has come: all or nothing."""
        self._arguments.pieces.append(fragment)
        return self.close() if self._arguments.is_whole else ""

    def close(self) -> str:
        """Return what was held back to the end."""
        text, self._arguments = str(self._arguments), GrowingArguments()
        return restored(text, self._names) if text else ""
