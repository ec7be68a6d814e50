"""A response of the data plane, as Django's views give them, at a fraction of the cost:
no cookies, no character sets, no second look at values that are ours."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse

from gateway.wire import jsontext
from gateway.wire.jsontext import JSON


class JSONResponse(HttpResponse):
    """A whole answer: `body` as JSON.

    `headers` have lower-case names and values without line breaks: ours, or those that
    an HTTP parser took apart.
    """

    def __init__(
        self, body: JSON, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        # HttpResponse's own constructor makes containers that the handler never uses.
        self.status_code = status
        fields: Any = {"content-type": "application/json", **(headers or {})}
        self.headers = fields
        self._container = [jsontext.encode(body)]
