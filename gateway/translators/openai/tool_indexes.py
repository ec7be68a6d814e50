"""Tool calls of a stream, numbered where servers number them badly or not at all."""

from typing import Any

from gateway.hub.protocol import JSON


class ToolIndexes:
    """Numbers the tool calls of one choice.

    Some servers leave the index out, give every call the index 0, or repeat id and name
    in each piece; clients add up pieces by index and join the strings.
    """

    def __init__(self) -> None:
        self._calls: list[JSON] = []
        self._by_upstream: dict[Any, int] = {}

    def number(self, call: JSON) -> None:
        """Give `call` its index, and take away what an earlier piece told."""
        upstream = call.get("index")
        if not isinstance(upstream, int | float | str):
            upstream = None
        id = call.get("id")
        known = self._by_upstream.get(upstream)
        if known is None or (id and id != self._calls[known]["id"]):
            known = self._begin(upstream, id, call)
        elif id:
            del call["id"]
            function = call.get("function")
            name = self._calls[known]["name"]
            if isinstance(function, dict) and name and function.get("name") == name:
                call["function"] = {k: function[k] for k in function if k != "name"}
        call["index"] = known

    def _begin(self, upstream: Any, id: Any, call: JSON) -> int:
        if not id and upstream is None and self._calls:
            return len(self._calls) - 1
        function = call.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if name and not call.get("type"):
            call["type"] = "function"
        self._calls.append({"id": id, "name": name})
        self._by_upstream[upstream] = len(self._calls) - 1
        return len(self._calls) - 1
