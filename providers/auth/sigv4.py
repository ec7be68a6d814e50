"""botocore's signer, apart because whoever has no provider on AWS need not load it.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest


@dataclass(frozen=True)
class Credentials:
    """What botocore's signer asks its credentials for."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)


class Signer(SigV4Auth):  # type: ignore[misc]
    """botocore's signer at a given time, without its log lines.

    They hold the canonical request, and with it the session token.
    """

    def signed(
        self, request: httpx.Request, now: datetime.datetime
    ) -> Mapping[str, str]:
        """Return the headers of `request` with those that sign it."""
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
        self.sign(signed, now)
        headers: Mapping[str, str] = signed.headers
        return headers

    def sign(self, request: AWSRequest, now: datetime.datetime) -> None:
        """Add the headers that sign it."""
        request.context["timestamp"] = now.strftime(SIGV4_TIMESTAMP)
        self._modify_request_before_signing(request)
        text = self.string_to_sign(request, self.canonical_request(request))
        self._inject_signature_to_request(request, self.signature(text, request))


def _is_signed(header: str) -> bool:
    return header.startswith(("x-amz-", "x-amzn-bedrock-")) and header not in (
        "x-amz-date",
        "x-amz-security-token",
    )
