"""Slows down guessing of passwords, without ever locking an account for everybody.

Counted in the database, so that all workers and hosts count together.
"""

import hashlib
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.http import HttpRequest
from django.utils import timezone

from providers import attempts
from runagents.models import LoginAttempt

WINDOW = timedelta(minutes=15)
PER_NAME_AND_ADDRESS = 5
PER_ADDRESS = 50


def client_address(request: HttpRequest) -> str:
    """Return the browser's address, behind as many proxies as settings trust."""
    return attempts.client_address(
        str(request.META.get("REMOTE_ADDR", "")),
        request.headers.get("X-Forwarded-For", ""),
    )


def admit(request: HttpRequest, name: str) -> bool:
    """Count an attempt to log in as `name`; False when there were too many.

    Written down before it is counted, and both before the password is looked at:
    attempts made at the same moment see each other.
    """
    now = timezone.now()
    LoginAttempt.objects.filter(at__lt=now - WINDOW).delete()
    address, digest = client_address(request), _digest(name)
    attempt = LoginAttempt.objects.create(address=address, name_digest=digest)
    counts = LoginAttempt.objects.filter(address=address).aggregate(
        all=Count("pk"), same_name=Count("pk", filter=Q(name_digest=digest))
    )
    if counts["all"] <= PER_ADDRESS and counts["same_name"] <= PER_NAME_AND_ADDRESS:
        return True
    # A refused attempt does not count, or who keeps trying would wait for ever.
    attempt.delete()
    return False


def forgive(request: HttpRequest, name: str) -> None:
    """Forget the failures of `name` from this address after a success."""
    LoginAttempt.objects.filter(
        address=client_address(request), name_digest=_digest(name)
    ).delete()


def _digest(name: str) -> str:
    """Return what attempts on `name` are counted under: however it is written.

    The form logs in whom NFKC makes of it; a look-alike must not be a name of its own.
    """
    plain = User.normalize_username(name).strip().casefold()
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()
