"""What happens around every answer of the console: compression, whose request it is."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.decorators import sync_and_async_middleware

from runagents import audit


class Compression(GZipMiddleware):
    """Compresses pages for browsers that take it, and leaves streams as they are.

    Django would compress each piece of an asynchronous stream by itself, and browsers
    stop reading behind the first.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Return the response, compressed if that is of use."""
        if response.streaming:
            return response
        compressed: HttpResponseBase = super().process_response(request, response)
        return compressed


@sync_and_async_middleware
def audited(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Book what changes during a request to whoever sent it."""
    if iscoroutinefunction(get_response):

        async def answer(request: HttpRequest) -> HttpResponseBase:
            with audit.during(audit.Operation(request)):
                waiting: Awaitable[HttpResponseBase] = get_response(request)
                return await waiting

        return answer

    def answer_in_thread(request: HttpRequest) -> HttpResponseBase:
        with audit.during(audit.Operation(request)):
            response: HttpResponseBase = get_response(request)
            return response

    return answer_in_thread
