"""What the settings say of the way out, judged in words when the program starts."""

from django.core.exceptions import ImproperlyConfigured

from providers.network import certificates, proxy_address


def check_network(proxy: str, authorities: str, certificate: str, key: str) -> None:
    """Raise ImproperlyConfigured unless these texts can be used; empty ones can.

    A certificate that has expired stops no start: *Settings > Health* tells of it.
    """
    try:
        if proxy:
            proxy_address.read(proxy)
    except ValueError as error:
        raise ImproperlyConfigured(f"The address in UPSTREAM_PROXY {error}.") from None
    _check("UPSTREAM_CA_CERTIFICATES", authorities)
    _check("UPSTREAM_CLIENT_CERTIFICATE", certificate)
    if bool(certificate) != bool(key):
        raise ImproperlyConfigured(
            "UPSTREAM_CLIENT_CERTIFICATE and UPSTREAM_CLIENT_KEY belong together: set "
            "both or none."
        )
    if certificate:
        try:
            certificates.check_pair(certificate, key)
        except certificates.CertificateError as error:
            raise ImproperlyConfigured(f"UPSTREAM_CLIENT_KEY: {error}") from None


def _check(name: str, text: str) -> None:
    try:
        if text:
            certificates.read(text)
    except certificates.CertificateError as error:
        raise ImproperlyConfigured(
            f"{name}: {error} A file is named by {name}_FILE."
        ) from None
