"""Certificates and keys as administrators paste them: PEM, read and judged in words.

Pure functions. https://www.rfc-editor.org/rfc/rfc7468
"""

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LONGEST = 256 * 1024
"""Characters of a text: the public authorities of a whole system fit in."""

_BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_BEGIN_KEY = "PRIVATE KEY-----"


class CertificateError(ValueError):
    """A text that cannot be used; the message says what it is and what to do."""


def read(text: str) -> "list[x509.Certificate]":
    """Return the certificates in `text`, in its order; raises CertificateError."""
    # Here, as below: most installations have none of their own, and it takes a while.
    from cryptography import x509

    if len(text) > LONGEST:
        raise CertificateError(f"It is longer than {LONGEST:,} characters.")
    if _BEGIN_KEY in text:
        raise CertificateError(
            "It holds a private key, which belongs into the field for the key alone."
        )
    if _BEGIN_CERTIFICATE not in text:
        raise CertificateError(
            "It is not PEM: the text of a certificate begins with "
            f"{_BEGIN_CERTIFICATE}. Convert others with `openssl x509 -inform der`."
        )
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise CertificateError(
            "A certificate in it is damaged or cut off. Copy it again, from its "
            "BEGIN line to its END line."
        ) from None


def check_authorities(text: str) -> None:
    """Raise CertificateError unless `text` holds a CA to trust, and nothing else."""
    for certificate in read(text):
        if not _is_authority(certificate):
            raise CertificateError(
                f"{_name(certificate)} is no CA: it is the certificate of a server or "
                "client. Enter that of the CA which signed it."
            )
        if certificate.not_valid_after_utc < _now():
            raise CertificateError(
                f"The CA {_name(certificate)} expired on {_day(certificate)}."
            )


def check_client(text: str) -> None:
    """Raise CertificateError unless `text` is a client's certificate of today.

    Those that lead from it to its CA may follow.
    """
    own = read(text)[0]
    if own.not_valid_after_utc < _now():
        raise CertificateError(
            f"The certificate {_name(own)} expired on {_day(own)}. Enter a new one."
        )
    if own.not_valid_before_utc > _now() + datetime.timedelta(days=1):
        raise CertificateError(
            f"The certificate {_name(own)} is valid from "
            f"{own.not_valid_before_utc:%Y-%m-%d} on."
        )


def read_key(text: str) -> "PrivateKeyTypes":
    """Return the private key in `text`; raises CertificateError, which quotes none."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if _BEGIN_KEY not in text:
        raise CertificateError(
            "It is not a private key in PEM, which begins with "
            "-----BEGIN PRIVATE KEY-----."
        )
    if "ENCRYPTED" in text:
        raise CertificateError(
            "The key is protected by a passphrase. Take it off (`openssl pkey -in "
            "key.pem -out plain.pem`): it is stored encrypted here all the same."
        )
    try:
        return load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateError(
            "The key is damaged, cut off or of a kind that is not supported. Copy it "
            "again."
        ) from None


def check_pair(certificate: str, key: str) -> None:
    """Raise CertificateError unless `key` is the one of `certificate`."""
    own = read(certificate)[0]
    if read_key(key).public_key() != own.public_key():
        raise CertificateError(
            f"The key does not belong to the certificate {_name(own)}. Enter the key "
            "that the certificate was requested with."
        )


def expires_at(text: str) -> datetime.datetime:
    """Return when the first certificate in `text` ends; raises CertificateError."""
    return read(text)[0].not_valid_after_utc


def outline(text: str) -> str:
    """Return whose certificates stand in `text`, for a page: "a, b until 2030-01-01".

    Empty for one that cannot be read.
    """
    try:
        found = read(text)
    except CertificateError:
        return ""
    names = ", ".join(_name(each) for each in found[:3])
    return f"{names} until {min(map(_day, found))}"


def _is_authority(certificate: "x509.Certificate") -> bool:
    """Tell whether a certificate may sign others.

    One of the first version says nothing of it; such a one is a CA if it signed itself.
    """
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.BasicConstraints
        )
    except x509.ExtensionNotFound:
        return certificate.issuer == certificate.subject
    return extension.value.ca


def _name(certificate: "x509.Certificate") -> str:
    from cryptography.x509.oid import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    text = str(names[0].value) if names else certificate.subject.rfc4514_string()
    return "".join(each if each.isprintable() else " " for each in text)[:80]


def _day(certificate: "x509.Certificate") -> str:
    return f"{certificate.not_valid_after_utc:%Y-%m-%d}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
