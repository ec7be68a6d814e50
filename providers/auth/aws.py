"""AWS: a signature over each request, or the API key that stands in for it."""

import datetime
import email.utils
import logging
from collections.abc import Generator
from dataclasses import dataclass, field

import httpx
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest

from providers import options
from providers.auth.keyed import Keyed
from providers.models import ModelProvider

# AWS accepts a signature for five minutes; a difference near that is a wrong clock.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
MAX_SKEW = datetime.timedelta(minutes=4)

logger = logging.getLogger(__name__)


def scheme(provider: ModelProvider) -> httpx.Auth:
    """Return the scheme that the stored secret is for; it is not opened."""
    secret = provider.secret
    if secret is not None and "bedrock_api_key" in secret.keys:
        return BedrockBearer(provider)
    return AwsSigV4(provider)


class BedrockBearer(Keyed):
    """A Bedrock API key, which replaces the signature.

    https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-use.html
    """

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the Authorization header."""
        value = f"Bearer {self._value('bedrock_api_key')}"
        options.check_header("Authorization", value)
        request.headers["Authorization"] = value
        yield request


@dataclass(frozen=True)
class _Credentials:
    """What botocore's signer asks its credentials for."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


class _Signer(SigV4Auth):  # type: ignore[misc]
    """botocore's signer at a given time, without its log lines.

    They hold the canonical request, and with it the session token.
    """

    def sign(self, request: AWSRequest, now: datetime.datetime) -> None:
        request.context["timestamp"] = now.strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


class AwsSigV4(Keyed):
    """AWS Signature Version 4 over exactly the bytes and the path that are sent.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    Where AWS refuses a signature and its clock differs from ours, the request is signed
    once more by its clock, and so are those that follow.
    """

    requires_request_body = True
    SERVICE = "bedrock"

    def __init__(self, provider: ModelProvider) -> None:
        super().__init__(provider)
        self._signer: _Signer | None = None
        self._offset = datetime.timedelta()

    def auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign, and sign again if the clocks differ."""
        self._sign(request)
        response = yield request
        if self._adjust_clock(response):
            self._sign(request)
            yield request

    def _sign(self, request: httpx.Request) -> None:
        if self._signer is None:
            credentials = _Credentials(
                self._value("aws_access_key_id"),
                self._value("aws_secret_access_key"),
                self._opened.get("aws_session_token") if self._opened else None,
            )
            self._signer = _Signer(credentials, self.SERVICE, self._provider.region)
        signed = AWSRequest(
            method=request.method,
            url=str(request.url),
            data=request.content,
            headers={
                name: value
                for name, value in request.headers.items()
                if name == "content-type" or _is_signed(name)
            },
        )
        self._signer.sign(signed, _now() + self._offset)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in signed.headers:
                request.headers[name] = signed.headers[name]

    def _adjust_clock(self, response: httpx.Response) -> bool:
        if response.status_code not in (400, 403) or "date" not in response.headers:
            return False
        try:
            theirs = email.utils.parsedate_to_datetime(response.headers["date"])
        except ValueError:
            return False
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=datetime.UTC)
        offset = theirs - _now()
        if abs(offset - self._offset) < MAX_SKEW:
            return False
        self._offset = offset
        logger.warning(
            "The clock of this server and that of %s differ by %d seconds; requests "
            "are signed by the provider's clock. Set this server's clock.",
            self._provider.name,
            offset.total_seconds(),
        )
        return True


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _is_signed(header: str) -> bool:
    return header.startswith(("x-amz-", "x-amzn-bedrock-")) and header not in (
        "x-amz-date",
        "x-amz-security-token",
    )
