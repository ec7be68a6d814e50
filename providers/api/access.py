"""Who may use `/api/v1`, and the form of its answers.

Workspace keys only: a browser session opens nothing here and an agent's key neither.
Errors are RunAgents' flat ``{"error": "..."}``.
https://docs.runagents.io/api/overview/
"""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from providers.api.object_reader import ObjectError
from providers.attempts import client_address, place_of, wrong_keys
from providers.models import WorkspaceKey

KEY_HEADER = "X-RunAgents-API-Key"
UNAUTHORIZED = "Missing or invalid API key."
SEEN_EVERY = timedelta(minutes=1)

View = Callable[..., HttpResponse]


class APIError(Exception):
    """A failure to tell the client: a status and a sentence."""

    def __init__(
        self, status: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def reply(value: Any, status: int = 200) -> HttpResponse:
    """Return `value` as JSON that nobody caches."""
    return HttpResponse(
        msgspec.json.encode(value),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def workspace_api(*methods: str) -> Callable[[View], View]:
    """Return a decorator: the view takes `methods` and callers with a workspace key.

    APIError and ObjectError raised by the view become its answer.
    """

    def decorate(view: View) -> View:
        @csrf_exempt  # no cookie authenticates here
        @wraps(view)
        def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
            try:
                request.workspace_key = authenticate(request)  # type: ignore[attr-defined]
                if request.method not in methods:
                    raise APIError(405, "Method not allowed.", _allow(methods))
                if any("\0" in str(value) for value in kwargs.values()):
                    raise APIError(404, "Nothing has a NUL in its name.")
                return view(request, *args, **kwargs)
            except ObjectError as error:
                return reply({"error": str(error)}, 400)
            except APIError as error:
                response = reply({"error": error.message}, error.status)
                for name, value in error.headers.items():
                    response[name] = value
                return response

        # What the reference of the API reads.
        guarded.methods = methods  # type: ignore[attr-defined]
        return guarded

    return decorate


def _allow(methods: tuple[str, ...]) -> dict[str, str]:
    return {"Allow": ", ".join(methods)}


def body_of(request: HttpRequest) -> dict[str, Any]:
    """Return the request's JSON object; raises APIError."""
    try:
        body = msgspec.json.decode(request.body)
    except RequestDataTooBig:
        raise APIError(413, "The body is too large.") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise APIError(400, "The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise APIError(400, "The body must be a JSON object.")
    # PostgreSQL stores no NUL; nothing in the registry has use for one.
    if b"\\u0000" in request.body:
        raise APIError(400, "The body holds a NUL character.")
    return body


def authenticate(request: HttpRequest) -> WorkspaceKey:
    """Return the workspace key of the request; raises APIError.

    One answer for a missing, malformed, unknown or revoked key; who holds one that is
    expired or paused is told so.
    """
    row = WorkspaceKey.of(_presented(request))
    if row is None:
        raise _refusal(request, UNAUTHORIZED)
    if row.expires_at is not None and row.is_expired():
        when = f"{row.expires_at:%Y-%m-%d at %H:%M}"
        # Only its holder comes here: no wrong key, and not counted as one.
        raise APIError(
            401,
            f"This API key expired on {when} UTC.",
            {"WWW-Authenticate": "Bearer"},
        )
    if row.paused_at is not None:
        raise APIError(403, "This API key is paused. The console resumes it.")
    _note_use(row)
    return row


def _presented(request: HttpRequest) -> str:
    """Return the one key in the headers, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    own = request.headers.get(KEY_HEADER, "").strip()
    if bearer and own and bearer != own:
        raise APIError(400, f"{KEY_HEADER} and Authorization hold different keys.")
    return own or bearer


def _refusal(request: HttpRequest, message: str) -> APIError:
    address = client_address(
        str(request.META.get("REMOTE_ADDR", "")),
        request.headers.get("X-Forwarded-For", ""),
    )
    if wait := wrong_keys.add_now(place_of(address)):
        return too_many("requests without a valid key", wait)
    return APIError(401, message, {"WWW-Authenticate": "Bearer"})


def too_many(what: str, wait: float) -> APIError:
    """Return the 429 that says what there was too much of and when to try again."""
    seconds = str(max(1, round(wait)))
    message = f"Too many {what}. Try again in {seconds} s."
    return APIError(429, message, {"Retry-After": seconds})


def _note_use(row: WorkspaceKey) -> None:
    """Write down that the key was used, once a minute at most."""
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > SEEN_EVERY:
        WorkspaceKey.objects.filter(pk=row.pk).update(last_used_at=now)
