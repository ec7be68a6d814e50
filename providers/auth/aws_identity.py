"""AWS without long-lived keys: whom this machine or pod is, and roles it may assume.

A provider asks for one identity by its option `aws_identity`; nothing is looked for
otherwise. Credentials are fetched once however many wait, and renewed ahead of their
end. Every request goes the guarded way out, which opens the metadata addresses for
these requests alone.

- `web_identity`: a token file of the cluster (IRSA), traded at STS.
  https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
- `container`: ECS, and EKS Pod Identity.
  https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
- `instance`: the instance profile, by IMDSv2.
  https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html

With `aws_role_arn` that role is assumed with it, or with stored keys.
"""

import asyncio
import datetime
import re
import time
from collections.abc import AsyncGenerator, Mapping
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import msgspec
from django.conf import settings

from providers import transport
from providers.auth.aws import AwsSigV4
from providers.auth.tokens import TOKEN_BODY_LIMIT, TokenError
from providers.models import ModelProvider
from providers.network import ways

INSTANCE = "http://169.254.169.254"
CONTAINER = "http://169.254.170.2"
CONTAINER_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"})
AWS_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
EARLY = 300.0
FAILURE_SECONDS = 5.0
TIMEOUT = {"connect": 2.0, "read": 5.0, "total": 10.0}
SESSION = "runagents-model-providers"

_PROFILES = "/latest/meta-data/iam/security-credentials/"
_REFUSALS = {
    "AccessDenied": "the role's trust policy, or the identity's own, does not allow it",
    "ExpiredTokenException": "the identity token has expired",
    "ExpiredToken": "the credentials have expired",
    "IDPCommunicationError": "AWS cannot reach the identity provider; it may pass",
    "IDPRejectedClaim": "the identity provider rejected the token",
    "InvalidClientTokenId": "the access key is unknown there",
    "InvalidIdentityToken": "the account has no identity provider for this token",
    "RegionDisabledException": "the region is not enabled for the account",
    "SignatureDoesNotMatch": "the secret access key is not the one of the access key",
    "ValidationError": "the role's ARN or the external id is malformed",
}

Values = dict[str, str]


class AwsIdentity(AwsSigV4):
    """Signs with credentials that are lent for some hours."""

    def __init__(self, provider: ModelProvider) -> None:
        super().__init__(provider)
        self._renew_at = 0.0
        self._fetching: asyncio.Task[None] | None = None
        self._failure: TokenError | None = None
        self._retry_at = 0.0

    @property
    def access_token(self) -> str:
        """The session token in use, for whoever must keep it out of sight; or empty."""
        return self._opened.get("aws_session_token", "") if self._opened else ""

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Sign with what is lent now; raises TokenError where nothing is."""
        if not (request.url.host or "").endswith(AWS_HOSTS):
            raise _error("An identity on AWS signs for addresses of AWS alone.")
        if self._opened is None or time.monotonic() >= self._renew_at:
            await self._renewed()
        await request.aread()
        self._sign(request)
        response = yield request
        if self._adjust_clock(response):
            self._sign(request)
            yield request

    async def _renewed(self) -> None:
        """Fetch credentials; all that ask at once share one fetch."""
        task, loop = self._fetching, asyncio.get_running_loop()
        if task is None or task.done() or task.get_loop() is not loop:
            if self._failure is not None and time.monotonic() < self._retry_at:
                raise self._failure
            task = self._fetching = loop.create_task(self._fetch())
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(task)

    async def _fetch(self) -> None:
        row = self._provider
        try:
            values = await _own(row)
            if role := row.options.get("aws_role_arn"):
                values = await self._assumed(values, role)
        except TokenError as error:
            self._failure = error
            self._retry_at = time.monotonic() + FAILURE_SECONDS
            raise
        self._failure, self._signer = None, None
        self._opened = values
        left = _seconds_left(values.get("expires", ""))
        self._renew_at = time.monotonic() + max(left - EARLY, left / 2)

    async def _assumed(self, values: Values, role: str) -> Values:
        """Return the credentials of `role`, assumed by who has `values`."""
        form = {"Action": "AssumeRole", "RoleArn": role, "RoleSessionName": SESSION}
        if external := self._provider.options.get("aws_external_id"):
            form["ExternalId"] = external
        request = _sts_request(self._provider, form)
        signer = self._sigv4.Signer(
            self._sigv4.Credentials(
                values["aws_access_key_id"],
                values["aws_secret_access_key"],
                values.get("aws_session_token"),
            ),
            "sts",
            self._provider.region,
        )
        signed = signer.signed(request, datetime.datetime.now(datetime.UTC))
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in signed:
                request.headers[name] = signed[name]
        return await _from_sts(request)


async def _own(provider: ModelProvider) -> Values:
    """Return the credentials of the identity that a provider asks for."""
    match provider.options.get("aws_identity"):
        case "web_identity":
            return await _web_identity(provider)
        case "container":
            return await _container()
        case "instance":
            return await _instance()
    return provider.credentials()


async def _web_identity(provider: ModelProvider) -> Values:
    given: Mapping[str, str] = settings.AWS_IDENTITY
    role, file = given["AWS_ROLE_ARN"], given["AWS_WEB_IDENTITY_TOKEN_FILE"]
    if not role or not file:
        raise _error(
            "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set: this is no pod "
            "with a role, or its service account lacks the annotation."
        )
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "RoleArn": role,
        "RoleSessionName": given["AWS_ROLE_SESSION_NAME"] or SESSION,
        "WebIdentityToken": await asyncio.to_thread(_text_of, file),
    }
    return await _from_sts(_sts_request(provider, form))


async def _container() -> Values:
    given: Mapping[str, str] = settings.AWS_IDENTITY
    path = given["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    url = CONTAINER + path if path else given["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    if not url:
        raise _error("This container has no AWS_CONTAINER_CREDENTIALS_... address.")
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.netloc not in CONTAINER_HOSTS:
        raise _error("The container's credentials are at an address that is not AWS's.")
    token = given["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    if file := given["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]:
        token = await asyncio.to_thread(_text_of, file)
    headers = {"authorization": token} if token else {}
    return _lent(await _metadata("GET", url, headers), "The container's agent")


async def _instance() -> Values:
    ttl = {"x-aws-ec2-metadata-token-ttl-seconds": "300"}
    token = (await _metadata("PUT", f"{INSTANCE}/latest/api/token", ttl)).decode()
    headers = {"x-aws-ec2-metadata-token": token.strip()}
    listed = await _metadata("GET", INSTANCE + _PROFILES, headers)
    name = listed.decode("utf-8", "replace").strip().partition("\n")[0]
    if not re.fullmatch(r"[\w+=,.@-]{1,128}", name):
        raise _error("This instance has no instance profile.")
    said = await _metadata("GET", f"{INSTANCE}{_PROFILES}{name}", headers)
    return _lent(said, "The instance's metadata service")


async def _metadata(method: str, url: str, headers: Mapping[str, str]) -> bytes:
    """Return what a metadata service answers; raises TokenError."""
    request = httpx.Request(
        method,
        transport.address(url),
        headers=transport.header_lines(headers),
        extensions={"metadata": True, "timeout": TIMEOUT, "keep_alive": False},
    )
    status, body = await _sent(request, "The metadata service")
    if status == 404:
        raise _error("This instance or container has no role.")
    if status != 200:
        raise _error(f"The metadata service answered {status}.")
    return body


def _lent(said: bytes, who: str) -> Values:
    """Return the credentials in a metadata service's answer; raises TokenError."""
    try:
        told: Any = msgspec.json.decode(said)
        return {
            "aws_access_key_id": told["AccessKeyId"],
            "aws_secret_access_key": told["SecretAccessKey"],
            "aws_session_token": told["Token"],
            "expires": told.get("Expiration", ""),
        }
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        raise _error(f"{who} answered without credentials.") from None


def _sts_request(provider: ModelProvider, form: Mapping[str, str]) -> httpx.Request:
    suffix = ".amazonaws.com.cn" if provider.region.startswith("cn-") else ""
    host = f"sts.{provider.region}{suffix or '.amazonaws.com'}"
    return httpx.Request(
        "POST",
        f"https://{host}/",
        headers={"content-type": "application/x-www-form-urlencoded"},
        content=urlencode({**form, "Version": "2011-06-15"}).encode(),
        extensions=ways.extensions(provider, timeout=TIMEOUT, keep_alive=False)
        | {"private_network": False},
    )


async def _from_sts(request: httpx.Request) -> Values:
    """Return the credentials that STS lends; raises TokenError, in words."""
    status, body = await _sent(request, "AWS STS")
    text = body.decode("utf-8", "replace")
    if status != 200:
        code = _tag(text, "Code") or str(status)
        why = _REFUSALS.get(code, "see the role in IAM")
        raise _error(f"AWS STS refused ({code[:64]}): {why}.", rejected=status < 500)
    values = {
        "aws_access_key_id": _tag(text, "AccessKeyId"),
        "aws_secret_access_key": _tag(text, "SecretAccessKey"),
        "aws_session_token": _tag(text, "SessionToken"),
        "expires": _tag(text, "Expiration"),
    }
    if not all(values.values()):
        raise _error("AWS STS answered without credentials.")
    return values


async def _sent(request: httpx.Request, who: str) -> tuple[int, bytes]:
    try:
        response = await transport.transport().handle_async_request(request)
        body = await transport.read(response, TOKEN_BODY_LIMIT)
    except httpx.RequestError as error:
        raise _error(f"{who} cannot be used: {error}", rejected=False) from None
    return response.status_code, body


def _tag(text: str, name: str) -> str:
    found = re.search(rf"<{name}>([^<]+)</{name}>", text)
    return unescape(found[1]).strip() if found else ""


def _text_of(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError):
        raise _error("The identity token's file cannot be read.") from None


def _seconds_left(expires: str) -> float:
    """Return how long credentials live; 15 minutes where nothing is said."""
    try:
        end = datetime.datetime.fromisoformat(expires)
    except ValueError:
        return 900.0
    if end.tzinfo is None:
        end = end.replace(tzinfo=datetime.UTC)
    return max(0.0, (end - datetime.datetime.now(datetime.UTC)).total_seconds())


def _error(message: str, *, rejected: bool = True) -> TokenError:
    return TokenError(message, rejected=rejected)
