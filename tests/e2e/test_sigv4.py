"""What AWS would see: signatures recomputed over the bytes that arrived."""

import datetime
import json
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e import dialects, registries
from tests.e2e.processes import Server, chat
from tests.e2e.replay import Received, Replay

REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
)
SESSION_TOKEN = "FwoGZXIvYXdzEXAMPLE//token+with/signs=="
BEARER = "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLz9BY3Rpb249"

PLAIN = "anthropic.claude-3-5-sonnet-20240620-v1:0"
PROFILE = (
    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/abc123def"
)
NOVA = "eu.amazon.nova-lite-v1:0"
IDS = {"plain": PLAIN, "profile": PROFILE, "converse": NOVA}


@pytest.fixture(scope="module")
def gateway(server: Callable[..., Server], replay: Replay) -> Server:
    """A server with AWS keys, with a session token, and with a Bedrock API key."""
    for prefix in ("/keys", "/session", "/bearer"):
        dialects.install(replay, prefix)
    profile = {"id": "profile", "upstream_id": PROFILE, "base_model": PLAIN}

    def provider(name: str, plain: str, *models: object) -> registries.Provider:
        model = {"id": plain, "upstream_id": PLAIN}
        row = registries.bedrock(name, f"{replay.url}/{name}", model, *models)
        return registries.with_aws(row, f"{name}-secret", REGION)

    nova = registries.bedrock(
        "nova",
        f"{replay.url}/keys",
        {"id": "converse", "upstream_id": NOVA},
        bedrock_api="converse",
    )

    keys = {"aws_access_key_id": "ID", "aws_secret_access_key": "SECRET"}
    return server(
        registries.registry(
            provider("keys", "plain", profile),
            registries.with_aws(nova, "keys-secret", REGION),
            provider("session", "with-session"),
            provider("bearer", "with-bearer"),
            keys_secret=keys,
            session_secret={**keys, "aws_session_token": "TOKEN"},
            bearer_secret={"bedrock_api_key": "BEARER"},
        ),
        {
            "ID": ACCESS_KEY,
            "SECRET": SECRET_KEY,
            "TOKEN": SESSION_TOKEN,
            "BEARER": BEARER,
        },
    )


def recomputed(received: Received, token: str | None = None) -> str:
    """Return the Authorization header that the received bytes ask for."""
    authorization = received.header("authorization") or ""
    signed = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        received.method,
        f"http://{received.header('host')}{received.target}",
        headers={k: v for k, v in received.headers if k in signed and k != "host"},
        data=received.body,
    )
    request.context["timestamp"] = received.header("x-amz-date")
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY, token), "bedrock", REGION)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    scope = f"{ACCESS_KEY}/{signer.scope(request).partition('/')[2]}"
    return (
        f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders={';'.join(signed)}, "
        f"Signature={signer.signature(text, request)}"
    )


def asked(gateway: Server, replay: Replay, model: str, stream: bool) -> Received:
    """Return what the upstream received for one successful call."""
    before = len(replay.calls)
    answer = gateway.chat(model, "Grüße — 你好", stream=stream)
    assert answer.status_code == 200, answer.text
    if not stream:
        said = answer.json()["choices"][0]["message"]["content"]
        assert said == "You said: Grüße — 你好"
    (received,) = replay.calls[before:]
    return received


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", IDS)
def test_the_signature_covers_exactly_what_arrived(gateway, replay, model, stream):
    received = asked(gateway, replay, model, stream)
    assert received.header("authorization") == recomputed(received)
    name = received.path.removeprefix("/keys/model/").rpartition("/")[0]
    assert unquote(name) == IDS[model]
    assert ":" not in name
    assert "/" not in name


def test_the_signature_names_the_region_the_service_and_the_time(gateway, replay):
    began = datetime.datetime.now(datetime.UTC)
    received = asked(gateway, replay, "plain", False)
    stamp = received.header("x-amz-date")
    authorization = received.header("authorization")
    assert f"{ACCESS_KEY}/{stamp[:8]}/{REGION}/bedrock/aws4_request" in authorization
    assert "host" in authorization.partition("SignedHeaders=")[2]
    at = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%S%z")
    # It tells whole seconds.
    assert began - datetime.timedelta(seconds=1) < at
    assert at <= datetime.datetime.now(datetime.UTC)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_session_token_is_sent_and_signed(gateway, replay, stream):
    received = asked(gateway, replay, "with-session", stream)
    assert received.header("x-amz-security-token") == SESSION_TOKEN
    authorization = received.header("authorization")
    assert "x-amz-security-token" in authorization
    assert authorization == recomputed(received, SESSION_TOKEN)


def test_a_signature_over_other_bytes_would_differ(gateway, replay):
    received = asked(gateway, replay, "plain", False)
    received.body += b" "
    assert received.header("authorization") != recomputed(received)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_bedrock_api_key_replaces_the_signature(gateway, replay, stream):
    received = asked(gateway, replay, "with-bearer", stream)
    assert received.header("authorization") == f"Bearer {BEARER}"
    assert not [name for name, _ in received.headers if name.startswith("x-amz-")]


def test_the_check_asks_with_a_signature_as_well(gateway, replay):
    assert replay.wait_until(lambda: len(checks_of(replay)) >= 4)
    paths = {each.path for each in checks_of(replay)}
    assert paths == {"/keys/foundation-models", "/keys/inference-profiles"}
    for each in checks_of(replay):
        assert each.header("authorization") == recomputed(each)


def checks_of(replay: Replay) -> list[Received]:
    """Return the questions for models that came with the plain keys."""
    found = [each for each in replay.received if each.method == "GET"]
    return [each for each in found if each.path.startswith("/keys/")]


def test_what_is_sent_is_what_the_agent_said(gateway, replay):
    body = {**chat("plain", "x" * 100_000), "max_tokens": 5}
    answer = gateway.chat("plain", body["messages"][0]["content"], max_tokens=5)
    assert answer.status_code == 200
    received = replay.calls[-1]
    assert json.loads(received.body)["max_tokens"] == 5
    assert received.header("content-length") == str(len(received.body))
    assert received.header("authorization") == recomputed(received)
