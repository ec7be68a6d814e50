"""TLS as a way asks for it."""

import secrets
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from providers.network import certificates
from providers.transport.ways import Way

# One holds the system's authorities, which take a megabyte.
MOST = 64


@lru_cache(maxsize=MOST)
def of(authorities: str, certificate: str, key: str) -> ssl.SSLContext:
    """Return the context for these texts in PEM (blocking).

    Raises certificates.CertificateError for texts that cannot be used.
    """
    context = ssl.create_default_context()
    try:
        if authorities:
            context.load_verify_locations(cadata=authorities)
        if certificate:
            _show(context, certificate, key)
    except ssl.SSLError as error:
        raise certificates.CertificateError(
            f"TLS does not take the certificates: {error.reason or 'unknown'}."
        ) from None
    return context


def of_way(way: Way) -> ssl.SSLContext:
    """Return the context of `way` (blocking); raises as `of` does."""
    return of(way.authorities, way.certificate, way.key)


def _show(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Have `context` show a certificate.

    `ssl` takes files only. The key is in one for a moment, encrypted by a word that
    nobody else knows.
    """
    from cryptography.hazmat.primitives import serialization

    word = secrets.token_bytes(24).hex()
    sealed = certificates.read_key(key).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(word.encode()),
    )
    with tempfile.TemporaryDirectory(dir=settings.DATA_DIR) as folder:
        file = Path(folder) / "client.pem"
        file.touch(0o600)
        file.write_bytes(certificate.encode() + b"\n" + sealed)
        context.load_cert_chain(file, password=word)
