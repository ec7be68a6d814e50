"""Signing: what each scheme puts on the request, and how secrets stay out of sight."""

import asyncio
import datetime
import logging
import re

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from providers import auth, options, sealing, transport
from providers.auth import aws
from providers.models import ModelProvider, Secret, SecretNotAllowed
from providers.transport.guard import Rules
from tests.faults import FaultServer, json_answer

KEYS = {
    "aws_access_key_id": "AKIDCANARYCANARY0000",
    "aws_secret_access_key": "canary-secret-access-key-000000000000000",
}


@pytest.fixture
def upstream():
    """An upstream, reached through a real transport."""
    rules = Rules(private_networks=("127.0.0.0/8",))
    with FaultServer() as server, transport.use(transport.GuardedTransport(rules)):
        yield server


def provider_at(endpoint, values, **fields):
    """An unsaved provider whose secret was entered for it."""
    row = ModelProvider(
        name="upstream", endpoint=endpoint, private_network=True, **fields
    )
    row.secret = Secret(name="upstream-secret")
    row.secret.store(values, row.required_origins())
    return row


def api_key_provider(endpoint="http://127.0.0.1:9", **fields):
    return provider_at(
        endpoint,
        {"api_key": "sk-canary-0123456789"},
        **{"header_name": "Authorization", "value_prefix": "Bearer ", **fields},
    )


def aws_provider(endpoint, **values):
    return provider_at(
        endpoint,
        {**KEYS, **values},
        provider_type="bedrock",
        auth_type="aws_sigv4",
        region="eu-west-1",
    )


def call(scheme, url, body=b'{"a":1}', **headers):
    """Send one request signed by `scheme` and return the response."""

    async def go():
        response = await auth.send(
            httpx.Request(
                "POST",
                url,
                content=body,
                headers={"content-type": "application/json", **headers},
                extensions={"private_network": True, "keep_alive": False},
            ),
            scheme,
        )
        await transport.read(response, 1 << 20)
        return response

    return asyncio.run(go())


# --- API key ---


@pytest.mark.parametrize(
    ("header", "prefix", "sent"),
    [
        ("Authorization", "Bearer ", "Bearer sk-canary-0123456789"),
        ("x-api-key", "", "sk-canary-0123456789"),
        ("api-key", "", "sk-canary-0123456789"),
    ],
)
def test_the_key_is_sent_in_the_administrators_header(upstream, header, prefix, sent):
    provider = api_key_provider(upstream.url, header_name=header, value_prefix=prefix)
    call(auth.for_provider(provider), upstream.url)
    assert upstream.requests[0].header(header) == sent


def test_a_provider_without_authentication_is_not_signed(upstream):
    provider = ModelProvider(name="local", endpoint=upstream.url, auth_type="none")
    assert auth.for_provider(provider) is None
    call(None, upstream.url)
    assert upstream.requests[0].header("authorization") is None


@pytest.mark.proves("4.2")
def test_a_repointed_provider_sends_nothing(upstream):
    provider = api_key_provider("http://127.0.0.1:9")
    provider.endpoint = upstream.url
    with pytest.raises(SecretNotAllowed):
        call(auth.for_provider(provider), upstream.url)
    assert upstream.requests == []


def test_an_unreadable_secret_fails_on_use_and_not_before():
    provider = api_key_provider()
    provider.secret.sealed = "v1:00000000:AAAA"
    scheme = auth.for_provider(provider)
    with pytest.raises(sealing.UnreadableSecret):
        call(scheme, "http://127.0.0.1:9")


def test_a_secret_without_the_value_says_which_is_missing():
    provider = provider_at("http://127.0.0.1:9", {"client_id": "x"}, header_name="a")
    with pytest.raises(sealing.UnreadableSecret, match="no api_key"):
        call(auth.for_provider(provider), "http://127.0.0.1:9")


@pytest.mark.proves("3.7")
def test_a_header_that_may_not_be_set_is_refused_again_when_built():
    provider = api_key_provider(header_name="Host")
    with pytest.raises(options.HeaderError):
        call(auth.for_provider(provider), "http://127.0.0.1:9")


def test_no_scheme_asks_httpx_to_read_the_response():
    for scheme in (auth.ApiKey, aws.BedrockBearer, aws.AwsSigV4, auth.OAuth2):
        assert not scheme.requires_response_body


def test_no_repr_shows_a_secret(upstream):
    for provider in (api_key_provider(upstream.url), aws_provider(upstream.url)):
        scheme = auth.for_provider(provider)
        call(scheme, upstream.url)
        shown = repr(scheme) + repr(vars(scheme)["_provider"])
        assert "canary" not in shown.lower()


# --- AWS ---


def expected_authorization(received, secret, token=None):
    """Return the signature that AWS would compute for `received`."""
    authorization = received.header("authorization")
    names = re.search(r"SignedHeaders=([^,]+)", authorization).group(1).split(";")
    url = f"http://{received.header('host')}{received.target}"
    request = AWSRequest(
        received.method,
        url,
        headers={name: received.header(name) for name in names},
        data=received.body,
    )
    request.context["timestamp"] = received.header("x-amz-date")
    signer = SigV4Auth(
        Credentials(KEYS["aws_access_key_id"], secret, token), "bedrock", "eu-west-1"
    )
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return request.headers["Authorization"]


MODEL_PATHS = [
    "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
    "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Ainference-profile%2Feu.x"
    "/converse-stream",
    "/model/eu.amazon.nova-lite-v1%3A0/invoke-with-response-stream",
    "/foundation-models",
    "/inference-profiles?maxResults=1000&type=SYSTEM_DEFINED",
]


@pytest.mark.parametrize("path", MODEL_PATHS)
def test_the_signature_covers_what_arrives(upstream, path):
    call(auth.for_provider(aws_provider(upstream.url)), upstream.url + path)
    received = upstream.requests[0]
    assert received.target == path
    assert received.header("authorization") == expected_authorization(
        received, KEYS["aws_secret_access_key"]
    )


def test_content_type_and_bedrocks_own_headers_are_signed(upstream):
    call(
        auth.for_provider(aws_provider(upstream.url)),
        upstream.url + MODEL_PATHS[0],
        **{"x-amzn-bedrock-accept": "application/json", "accept": "*/*"},
    )
    assert (
        "SignedHeaders=content-type;host;x-amz-date;x-amzn-bedrock-accept,"
        in upstream.requests[0].header("authorization")
    )


def test_temporary_credentials_sign_their_session_token(upstream):
    provider = aws_provider(upstream.url, aws_session_token="canary-session-token")
    call(auth.for_provider(provider), upstream.url + MODEL_PATHS[0])
    received = upstream.requests[0]
    assert received.header("x-amz-security-token") == "canary-session-token"
    assert "x-amz-security-token" in received.header("authorization")
    assert received.header("authorization") == expected_authorization(
        received, KEYS["aws_secret_access_key"], "canary-session-token"
    )


def test_signing_logs_no_secret(upstream, caplog):
    caplog.set_level(logging.DEBUG)
    provider = aws_provider(upstream.url, aws_session_token="canary-session-token")
    call(auth.for_provider(provider), upstream.url + MODEL_PATHS[0])
    assert "canary" not in caplog.text.lower()


@pytest.mark.proves("6.5")
@pytest.mark.parametrize("minutes", [10, -10])
def test_a_wrong_clock_is_noticed_once_and_remembered(upstream, caplog, minutes):
    theirs = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=minutes)
    date = theirs.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def aws(received):
        signed = datetime.datetime.strptime(
            received.header("x-amz-date"), "%Y%m%dT%H%M%SZ"
        ).replace(tzinfo=datetime.UTC)
        if abs(signed - theirs) > datetime.timedelta(minutes=5):
            return json_answer({"message": "Signature expired"}, 403, date=date)
        return json_answer({}, 200, date=date)

    upstream.answer = aws
    scheme = auth.for_provider(aws_provider(upstream.url))
    assert call(scheme, upstream.url + MODEL_PATHS[0]).status_code == 200
    assert call(scheme, upstream.url + MODEL_PATHS[0]).status_code == 200
    assert len(upstream.requests) == 3
    assert "clock" in caplog.text


def test_a_refusal_with_the_right_clock_is_not_tried_again(upstream):
    now = datetime.datetime.now(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    upstream.answer = json_answer({"message": "denied"}, 403, date=now)
    scheme = auth.for_provider(aws_provider(upstream.url))
    assert call(scheme, upstream.url).status_code == 403
    assert len(upstream.requests) == 1


def test_a_clock_that_stays_wrong_is_tried_once_more_only(upstream):
    upstream.answer = json_answer({}, 403, date="Mon, 01 Jan 2024 00:00:00 GMT")
    scheme = auth.for_provider(aws_provider(upstream.url))
    assert call(scheme, upstream.url).status_code == 403
    assert len(upstream.requests) == 2


def test_a_bedrock_key_replaces_the_signature(upstream):
    provider = provider_at(
        upstream.url,
        {"bedrock_api_key": "ABSKcanary"},
        auth_type="aws_sigv4",
        region="eu-west-1",
    )
    call(auth.for_provider(provider), upstream.url + MODEL_PATHS[0])
    received = upstream.requests[0]
    assert received.header("authorization") == "Bearer ABSKcanary"
    assert received.header("x-amz-date") is None


@pytest.mark.proves("3.6")
def test_the_environments_aws_credentials_are_unused(upstream, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDFROMENVIRONMENT0")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "from-the-environment")
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "from-the-environment")
    call(auth.for_provider(aws_provider(upstream.url)), upstream.url)
    assert KEYS["aws_access_key_id"] in upstream.requests[0].header("authorization")
