"""What happens around every answer of the console: compression, roles, audit."""

from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.decorators import sync_and_async_middleware
from django.utils.deprecation import MiddlewareMixin
from django_htmx.http import HttpResponseClientRefresh

from providers.roles import may
from runagents import audit, error_views
from runagents.accounts import access


class KeptNowhere(MiddlewareMixin):
    """Has no cache keep a page unless it says otherwise: all of them show data."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Return the response, marked."""
        response.headers.setdefault("Cache-Control", "no-store")
        return response


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


class Admission(MiddlewareMixin):
    """Lets a request through to its view if its sender has the role that it needs.

    The one place where roles are enforced: `runagents.accounts.access` has the table.
    """

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Return None for who may; a log-in for who has not; raise for who may not."""
        match = request.resolver_match
        needed = access.required(match, request.method) if match else None
        if needed is None or may(request.user, needed):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        reason = access.refusal(request, needed)
        if not request.headers.get("HX-Request"):
            raise PermissionDenied(reason)
        # A page from before the role changed: as a whole it shows what is left.
        messages.error(request, reason)
        response: HttpResponseBase = HttpResponseClientRefresh()
        response.status_code = 403
        return response

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Give a wrong method a page: the address of a form, opened or reloaded."""
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return error_views.wrong_method(request, response)
        return response


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
