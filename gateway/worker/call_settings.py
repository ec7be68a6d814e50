"""The settings that every call looks at, as plain attributes.

Django's settings object runs Python code at each look, which came to a thirtieth of a
call's time.
"""

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed


class CallSettings:
    """A part of `django.conf.settings`, under the same names."""

    BYTES_PER_WORKER: int
    CALLS_PER_KEY: int
    CALLS_PER_PROVIDER: int
    CALLS_PER_WORKER: int
    KEEPALIVE_SECONDS: float
    LOG_BODIES: bool
    RATE_LIMIT_ENFORCEMENT: bool
    REQUEST_BODY_LIMIT: int
    RESPONSES_MEMORY_DAYS: int
    UNAVAILABLE_AFTER: int
    UPSTREAM_BODY_LIMIT: int

    def read(self, **signal: Any) -> None:
        """Take the values over; sent again by tests that change them."""
        for name in self.__annotations__:
            setattr(self, name, getattr(settings, name))


call_settings = CallSettings()
call_settings.read()
setting_changed.connect(call_settings.read)
