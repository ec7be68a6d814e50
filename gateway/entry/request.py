"""A request on the data plane: nothing is decoded before somebody asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.worker.snapshot import LOCAL, Caller


@dataclass
class Request:
    """One request to the gateway.

    `header_lists` maps lower-case names to all their values. `caller` is known and
    `body` read before a view sees it; `held` are the places that the request takes in
    the worker (gateway/worker/capacity.py).
    """

    scope: Mapping[str, Any]
    header_lists: dict[str, list[str]]
    request_id: str = ""
    caller: Caller = LOCAL
    body: bytes = b""
    held: list[str] = field(default_factory=list)

    @property
    def path(self) -> str:
        """The path, its percent-encoding undone."""
        path: str = self.scope["path"]
        return path

    @property
    def method(self) -> str:
        """The method, in capitals."""
        method: str = self.scope["method"]
        return method

    @property
    def address(self) -> str:
        """The peer's IP address, or an empty string."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), or an empty string."""
        values = self.header_lists.get(name)
        return values[0] if values else ""
