"""Certificates made for a test: a CA, and what it signs."""

import contextlib
import datetime
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import loopback

HOST = "model.test"


class Pair(NamedTuple):
    """A certificate and its private key, in PEM."""

    certificate: str
    key: str

    def context(
        self, folder: Path, *, wants: "Authority | None" = None
    ) -> ssl.SSLContext:
        """Return what a server of this certificate needs.

        With `wants` its clients must show one of that CA.
        """
        file = folder / f"{abs(hash(self))}.pem"
        file.write_text(self.certificate + self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        if wants is not None:
            context.load_verify_locations(cadata=wants.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Authority:
    """A CA of one's own."""

    def __init__(self, name: str = "Test CA", *, days: int = 365) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        builder = _builder(self._name, self._name, self._key.public_key(), days)
        builder = builder.add_extension(x509.BasicConstraints(True, None), True)
        self._made = builder.sign(self._key, hashes.SHA256())
        self.pem = _pem(self._made)

    def sign(self, name: str = HOST, *, days: int = 365) -> Pair:
        """Return a certificate for `name` that ends in `days`, which may be over.

        It holds for 127.0.0.1, too.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self._name, key.public_key(), days)
        names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        made = (
            builder.add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(x509.SubjectAlternativeName(names), False)
            .sign(self._key, hashes.SHA256())
        )
        return Pair(_pem(made), pem_of(key))


def pem_of(key: ec.EllipticCurvePrivateKey, passphrase: str = "") -> str:
    """Return a key in PEM, protected by a passphrase if there is one."""
    how: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        how = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how
    ).decode()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    ends = now + datetime.timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, ends) - datetime.timedelta(days=2))
        .not_valid_after(ends)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


class Strict:
    """An https upstream that tells by TLS's alerts whom it does not let in.

    asyncio's servers close without a word. `requests` are what it answered with 200.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[bytes] = []

    def serve(self, listening: socket.socket, context: ssl.SSLContext) -> None:
        """Answer connections until `listening` is closed."""
        while True:
            try:
                plain, _ = listening.accept()
            except OSError:
                return
            plain.settimeout(loopback.PATIENCE)
            secured = context.wrap_socket(
                plain, server_side=True, do_handshake_on_connect=False
            )
            with secured, contextlib.suppress(OSError):
                self._answer(secured)

    def _answer(self, secured: ssl.SSLSocket) -> None:
        try:
            secured.do_handshake()
            while head := secured.recv(65536):
                self.requests.append(head)
                body = b'{"data": [{"id": "gpt-4o-mini"}]}'
                length = b"content-length: %d" % len(body)
                secured.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n" + body)
        except ssl.SSLError:
            # What is unread when a socket closes takes the alert along.
            socket.socket.shutdown(secured, socket.SHUT_WR)
            while os.read(secured.fileno(), 65536):
                pass


@contextlib.contextmanager
def strict(context: ssl.SSLContext) -> Iterator[Strict]:
    """Run an upstream that speaks TLS to the letter."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Strict(listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening, context))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
    thread.join(loopback.PATIENCE)
