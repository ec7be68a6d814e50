"""What is shown on one page, once: a key just made, a link to sign in by.

Post, redirect, get: the form's answer leads to the page, so that loading it again makes
nothing. Until then the value waits in the browser's session, encrypted, since sessions
are rows of the database.
"""

import json
import time
from typing import Any

from django.http import HttpRequest, HttpResponse

from providers import sealing

SESSION_KEY = "shown_once"
# A redirect is followed at once; what nobody came for is forgotten.
PATIENCE_SECONDS = 300


def keep(request: HttpRequest, page: str, **values: Any) -> None:
    """Let `page` show `values`, once, in this session."""
    text = json.dumps([time.time() + PATIENCE_SECONDS, values])
    waiting = request.session.get(SESSION_KEY, {})
    sealed = sealing.seal(text.encode(), _binding(page))
    request.session[SESSION_KEY] = {**waiting, page: sealed}


def take(request: HttpRequest, page: str) -> dict[str, Any]:
    """Return what waits for `page`, nothing the second time."""
    waiting = request.session.get(SESSION_KEY, {})
    if request.method != "GET" or page not in waiting:
        return {}
    sealed = waiting.pop(page)
    request.session[SESSION_KEY] = waiting
    try:
        until, values = json.loads(sealing.unseal(sealed, _binding(page)))
    except sealing.UnreadableSecret:
        return {}
    return dict(values) if time.time() < until else {}


def unstored(response: HttpResponse) -> HttpResponse:
    """Return an answer that holds such a value, so that no cache keeps it."""
    response["Cache-Control"] = "no-store"
    return response


def _binding(page: str) -> str:
    return f"shown once: {page}"
