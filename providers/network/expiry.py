"""Client certificates that end soon, by whose they are."""

import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from providers.models import ModelProvider
from providers.network import certificates

SOON = datetime.timedelta(days=14)


class Ending(NamedTuple):
    """Whose certificate ends, a provider's or (empty) the installation's, and when."""

    provider: str
    ends_at: datetime.datetime

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ends_at <= timezone.now()


def ending_soon() -> list[Ending]:
    """Return the client certificates that end within 14 days, the first ones first."""
    rows = ModelProvider.objects.filter(enabled=True, network_secret__isnull=False)
    texts = [
        (name, options.get("client_certificate", ""))
        for name, options in rows.values_list("name", "options")
    ]
    texts.append(("", settings.UPSTREAM_CLIENT_CERTIFICATE))
    found = [Ending(name, ends) for name, text in texts if (ends := _end(text))]
    before = timezone.now() + SOON
    return sorted((x for x in found if x.ends_at < before), key=lambda x: x.ends_at)


def ending(provider: ModelProvider) -> Ending | None:
    """Return when a provider's own client certificate ends, if that is soon."""
    ends_at = _end(provider.options.get("client_certificate", ""))
    if ends_at is None or ends_at >= timezone.now() + SOON:
        return None
    return Ending(provider.name, ends_at)


def _end(text: str) -> datetime.datetime | None:
    """Return when a certificate ends, None where there is none to read."""
    try:
        return certificates.expires_at(text) if text else None
    except certificates.CertificateError:
        return None
