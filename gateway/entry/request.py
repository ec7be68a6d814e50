"""A request on the data plane, as Django's views know requests, at a fraction of the
cost: nothing is decoded before somebody asks for it."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, QueryDict
from django.http.request import HttpHeaders
from django.utils.functional import cached_property

from gateway.worker.registry import LOCAL, Caller


class GatewayRequest(HttpRequest):
    """One request to the gateway, its caller known and its body read.

    `header_lists` maps lower-case names to all their values; `held` are the places it
    takes in the worker (gateway/worker/capacity.py).
    """

    def __init__(
        self, scope: Mapping[str, Any], header_lists: dict[str, list[str]]
    ) -> None:
        # HttpRequest's own constructor makes half a dozen containers that no view of
        # the gateway uses.
        self.scope = scope
        self.path = self.path_info = scope["path"]
        self.method = scope["method"]
        self.header_lists = header_lists
        self.resolver_match = None
        self.content_type = header_lists.get("content-type", [""])[0]
        self.content_params = None
        self.request_id = ""
        self.caller: Caller = LOCAL
        self.held: list[str] = []
        self._body = b""
        self._read_started = False

    @property
    def body(self) -> bytes:
        """The whole body."""
        return self._body

    @body.setter
    def body(self, value: bytes) -> None:
        self._body = value

    @property
    def address(self) -> str:
        """The peer's IP address, or an empty string."""
        client = self.scope.get("client")
        return client[0] if client else ""

    def header(self, name: str) -> str:
        """Return the first value of a header (lower-case name), or an empty string."""
        values = self.header_lists.get(name)
        return values[0] if values else ""

    @cached_property
    def headers(self) -> HttpHeaders:
        """The headers as Django offers them."""
        return HttpHeaders(self.META)

    @cached_property
    def GET(self) -> QueryDict:  # type: ignore[override]
        """The query."""
        return QueryDict(self.scope.get("query_string", b""))

    @cached_property
    def META(self) -> dict[str, Any]:  # type: ignore[override]
        """The headers and addresses under their CGI names."""
        meta: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "QUERY_STRING": self.scope.get("query_string", b"").decode("latin-1"),
            "PATH_INFO": self.path_info,
            "REMOTE_ADDR": self.address,
        }
        for name, values in self.header_lists.items():
            key = name.replace("-", "_").upper()
            if key not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
                key = f"HTTP_{key}"
            meta[key] = ",".join(values)
        return meta
