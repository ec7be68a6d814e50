"""Tells the audit log whose request is being answered."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from runagents import audit


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
