"""What every page of the console knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the gateway's address as agents should use it."""
    base = settings.PUBLIC_URL or f"{request.scheme}://{request.get_host()}"
    return {
        "gateway_base": base,
        "gateway_url": f"{base}/v1/chat/completions",
        "rate_limits_enforced": settings.RATE_LIMIT_ENFORCEMENT,
    }
