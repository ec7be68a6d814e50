"""AWS: a signature over each request, or the API key that stands in for it."""

import datetime
import email.utils
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

import httpx

from providers import options
from providers.auth.keyed import Keyed
from providers.models import ModelProvider

if TYPE_CHECKING:
    from providers.auth.sigv4 import Signer

# AWS accepts a signature for five minutes; a difference near that is a wrong clock.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
MAX_SKEW = datetime.timedelta(minutes=4)

logger = logging.getLogger(__name__)


def scheme(provider: ModelProvider) -> httpx.Auth:
    """Return the scheme that the options or the stored secret ask for."""
    if provider.is_lent or provider.options.get("aws_role_arn"):
        from providers.auth.aws_identity import AwsIdentity

        _ = provider.secret
        return AwsIdentity(provider)
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
        # botocore takes 60 ms to load: those who need it wait here, where the registry
        # is read in a thread, and not on the event loop at their first call.
        from providers.auth import sigv4

        self._sigv4 = sigv4
        self._signer: Signer | None = None
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
            self._signer = self._sigv4.Signer(
                self._sigv4.Credentials(
                    self._value("aws_access_key_id"),
                    self._value("aws_secret_access_key"),
                    self._opened.get("aws_session_token") if self._opened else None,
                ),
                self.SERVICE,
                self._provider.region,
            )
        signed = self._signer.signed(request, _now() + self._offset)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in signed:
                request.headers[name] = signed[name]

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
