"""`GET /metrics`, for Prometheus."""

import hmac

from django.conf import settings

from gateway.entry.callers import may_go_keyless
from gateway.entry.request import Request
from gateway.entry.response import Response
from gateway.errors import GatewayError
from gateway.metrics.collection import collection
from gateway.worker.runtime import runtime


async def metrics(request: Request) -> Response:
    """Return what the workers of this host have counted, and how they are.

    Raises GatewayError, a 401, where the token is wanted and does not come.
    """
    _admit(request)
    # By name, because it takes 3 MB that a server nobody watches need not have.
    from gateway.metrics import exposition

    counts, workers = await collection.read()
    body, media_type = exposition.text(
        request.header("accept"), counts, workers, runtime.board.seen()
    )
    return Response(200, {"content-type": media_type}, body)


def _admit(request: Request) -> None:
    """Let in whoever has the token; without one, a program on this machine.

    A server that others reach, or with a proxy in front, tells nothing without token:
    there a request from this machine may be anybody's. So may one out of a browser,
    which a page elsewhere can send here.
    """
    if not settings.METRICS_TOKEN:
        is_ours_alone = settings.LISTENS_ON_LOOPBACK and not settings.IS_BEHIND_PROXY
        if is_ours_alone and may_go_keyless(request.header_lists, request.address):
            return
        raise _unauthorized(
            "Metrics are told to this machine alone until METRICS_TOKEN is set; then "
            "send it as a bearer token."
        )
    if not has_token(request):
        raise _unauthorized("Send METRICS_TOKEN as a bearer token.")


def has_token(request: Request) -> bool:
    """Tell whether a request carries METRICS_TOKEN; none does where none is set."""
    token = settings.METRICS_TOKEN
    scheme, _, given = request.header("authorization").partition(" ")
    is_right = hmac.compare_digest(given.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and is_right


def _unauthorized(message: str) -> GatewayError:
    return GatewayError(
        401,
        "authentication_error",
        message,
        code="invalid_metrics_token",
        headers={"www-authenticate": "Bearer"},
    )
