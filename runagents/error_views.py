"""Pages for failures of the server itself; none of them asks the database."""

import sqlite3
import sys

from django.core.exceptions import DisallowedHost
from django.db import InterfaceError, InternalError, OperationalError
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    JsonResponse,
)
from django.http.request import split_domain_port
from django.template.loader import render_to_string

from runagents.context import theme

RETRY_SECONDS = 5
API_PATH = "/api/"
READ_ONLY = "25006"
"""What PostgreSQL says of changes where another server has taken over.
https://www.postgresql.org/docs/current/errcodes-appendix.html"""


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a view that failed: 503 while the database is away, else 500.

    Called while the failure is being handled, which is how it is known here.
    """
    if _is_database_away(sys.exc_info()[1]):
        return _unavailable(request)
    if request.path.startswith(API_PATH):
        return _json(500, "The server failed. Its log says why.")
    return HttpResponse(_page(request, "500.html"), status=500)


def bad_request(request: HttpRequest, exception: BaseException) -> HttpResponse:
    """Answer a request that cannot be taken; an unknown host name is told in full.

    The page stands for itself: nothing of it may ask for the host again.
    """
    is_host = isinstance(exception, DisallowedHost)
    host = request.META.get("HTTP_HOST", "")[:200] if is_host else ""
    context = {
        "theme": theme(request),
        "host": host,
        "name": split_domain_port(host)[0] or host,
        "scheme": request.scheme,
    }
    return HttpResponse(render_to_string("400.html", context), status=400)


def wrong_method(
    request: HttpRequest, response: HttpResponseNotAllowed
) -> HttpResponse:
    """Answer a method that an address does not take: it was opened, not sent to."""
    answer = HttpResponse(_page(request, "405.html"), status=405)
    answer["Allow"] = response["Allow"]
    return answer


def _is_database_away(error: BaseException | None) -> bool:
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "sqlstate", None) == READ_ONLY
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    # SQLite calls a wrong statement or a missing table by the same name.
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return code != sqlite3.SQLITE_ERROR


def _unavailable(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(API_PATH):
        response = _json(503, "The database does not serve. Try again in a moment.")
    else:
        response = HttpResponse(_page(request, "503.html"), status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    response["Cache-Control"] = "no-store"
    return response


def _json(status: int, message: str) -> HttpResponse:
    return JsonResponse({"error": message}, status=status)


def _page(request: HttpRequest, template: str) -> str:
    """Render a page without context processors: they ask for session and user."""
    is_read = request.method in {"GET", "HEAD"}
    context = {
        "theme": theme(request),
        "was_reading": is_read,
        "again": request.get_full_path() if is_read else "/",
    }
    return render_to_string(template, context)
