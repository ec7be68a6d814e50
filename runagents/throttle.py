"""Slows down guessing of passwords, without ever locking an account for everybody.

Counted in the database, so that all workers and hosts count together.
"""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from runagents.models import LoginAttempt

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS = 5
PER_ADDRESS = 50


def client_address(request: HttpRequest) -> str:
    """Return the browser's address, behind as many proxies as settings trust."""
    remote: str = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.TRUSTED_PROXIES
    if proxies < 1:
        return remote
    forwarded = request.headers.get("X-Forwarded-For", "")
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    return hops[-proxies][:64] if len(hops) >= proxies else remote


def admit(request: HttpRequest, name: str) -> bool:
    """Count an attempt to log in as `name`; False when there were too many.

    Counted before the password is looked at, so that attempts at once count too.
    """
    now = timezone.now()
    LoginAttempt.objects.filter(at__lt=now - WINDOW).delete()
    address, digest = client_address(request), _digest(name)
    recent = LoginAttempt.objects.filter(address=address)
    if recent.count() >= PER_ADDRESS:
        return False
    if recent.filter(name_digest=digest).count() >= PER_NAME_AND_ADDRESS:
        return False
    LoginAttempt.objects.create(address=address, name_digest=digest)
    return True


def forgive(request: HttpRequest, name: str) -> None:
    """Forget the failures of `name` from this address after a success."""
    LoginAttempt.objects.filter(
        address=client_address(request), name_digest=_digest(name)
    ).delete()


def _digest(name: str) -> str:
    return hashlib.sha256(name.strip().lower().encode()).hexdigest()
