"""Credentials that AWS lends: asked for by name, fetched once, refused in words."""

import asyncio
import json
from urllib.parse import parse_qs

import httpx
import pytest

from providers import auth, transport
from providers.auth import aws_identity
from providers.auth.tokens import TokenError
from providers.models import ModelProvider, Secret
from providers.transport.guard import METADATA, Forbidden, Guard, Rules

BEDROCK = "https://bedrock-runtime.eu-west-1.amazonaws.com"
LENT = {
    "AccessKeyId": "ASIALENT000000000000",
    "SecretAccessKey": "lent-secret-0123456789",
    "Token": "lent-token-0123456789",
    "Expiration": "2099-01-01T00:00:00Z",
}
ASSUMED = """<R><Credentials><AccessKeyId>ASIAROLE000000000000</AccessKeyId>
<SecretAccessKey>role-secret</SecretAccessKey><SessionToken>role-token</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></R>"""


def bedrock(**options):
    return ModelProvider(
        name="bedrock",
        provider_type="bedrock",
        endpoint=BEDROCK,
        auth_type="aws_sigv4",
        region="eu-west-1",
        options=options,
    )


class Cloud:
    """STS and the metadata services; `seen` are the requests, `sts` what STS says."""

    def __init__(self) -> None:
        self.seen: list[httpx.Request] = []
        self.sts = httpx.Response(200, text=ASSUMED)
        self.profile = httpx.Response(200, text="the-role")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        host, path = request.url.host, request.url.path
        if host.startswith("sts."):
            return httpx.Response(self.sts.status_code, text=self.sts.text)
        if host == "bedrock-runtime.eu-west-1.amazonaws.com":
            return httpx.Response(200, json={})
        assert request.extensions["metadata"]
        if path == "/latest/api/token":
            assert request.method == "PUT"
            return httpx.Response(200, text="imds-token")
        if path.endswith("/security-credentials/"):
            assert request.headers["x-aws-ec2-metadata-token"] == "imds-token"
            return httpx.Response(self.profile.status_code, text=self.profile.text)
        return httpx.Response(200, json=LENT)

    def asked(self, host: str) -> list[httpx.Request]:
        return [each for each in self.seen if each.url.host.startswith(host)]


@pytest.fixture
def cloud():
    cloud = Cloud()
    with transport.use(httpx.MockTransport(cloud)):
        yield cloud


@pytest.fixture
def given(settings):
    """Sets what the environment says."""

    def give(**values: str) -> None:
        settings.AWS_IDENTITY = {**dict.fromkeys(settings.AWS_IDENTITY, ""), **values}

    give()
    return give


def call(provider, times: int = 1, url: str = BEDROCK):
    """Return the responses to so many calls at once."""
    scheme = auth.for_provider(provider)

    async def go():
        requests = [httpx.Request("POST", url, content=b"{}") for _ in range(times)]
        return await asyncio.gather(*(auth.send(each, scheme) for each in requests))

    return asyncio.run(go())


def signed_by(cloud: Cloud) -> str:
    (last,) = cloud.asked("bedrock-runtime")
    return last.headers["authorization"].partition("Credential=")[2].partition("/")[0]


def test_an_instance_profile(cloud, given):
    call(bedrock(aws_identity="instance"))
    assert signed_by(cloud) == LENT["AccessKeyId"]
    (last,) = cloud.asked("bedrock-runtime")
    assert last.headers["x-amz-security-token"] == LENT["Token"]
    assert cloud.seen[2].url.path.endswith("/security-credentials/the-role")


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        (
            {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"},
            "http://169.254.170.2/v2/x",
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"
            },
            "http://169.254.170.23/v1/credentials",
        ),
    ],
)
def test_a_containers_role(cloud, given, tmp_path, environment, address):
    token = tmp_path / "token"
    token.write_text("pod-token\n")
    given(AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(token), **environment)
    call(bedrock(aws_identity="container"))
    assert signed_by(cloud) == LENT["AccessKeyId"]
    assert str(cloud.seen[0].url) == address
    assert cloud.seen[0].headers["authorization"] == "pod-token"


def test_a_web_identity(cloud, given, tmp_path):
    token = tmp_path / "token"
    token.write_text("jwt")
    given(AWS_ROLE_ARN="arn:aws:iam::1:role/r", AWS_WEB_IDENTITY_TOKEN_FILE=str(token))
    call(bedrock(aws_identity="web_identity"))
    assert signed_by(cloud) == "ASIAROLE000000000000"
    (asked,) = cloud.asked("sts.eu-west-1.amazonaws.com")
    form = parse_qs(asked.content.decode())
    assert form["Action"] == ["AssumeRoleWithWebIdentity"]
    assert form["WebIdentityToken"] == ["jwt"]
    assert "authorization" not in asked.headers


def test_a_role_is_assumed_with_an_external_id_by_stored_keys(cloud, given):
    row = bedrock(aws_role_arn="arn:aws:iam::1:role/r", aws_external_id="x-1")
    row.secret = Secret(name="keys")
    keys = {
        "aws_access_key_id": "AKIASTORED0000000000",
        "aws_secret_access_key": "stored-secret-0123456789",
    }
    row.secret.store(keys, row.required_origins())
    call(row)
    assert signed_by(cloud) == "ASIAROLE000000000000"
    (asked,) = cloud.asked("sts.")
    form = parse_qs(asked.content.decode())
    assert (form["Action"], form["ExternalId"]) == (["AssumeRole"], ["x-1"])
    assert "AKIASTORED0000000000" in asked.headers["authorization"]
    assert "/eu-west-1/sts/aws4_request" in asked.headers["authorization"]


def test_credentials_are_fetched_once_for_all_callers(cloud, given):
    call(bedrock(aws_identity="instance", aws_role_arn="arn:aws:iam::1:role/r"), 50)
    assert len(cloud.asked("bedrock-runtime")) == 50
    assert len(cloud.asked("sts.")) == 1
    assert len(cloud.asked("169.254.169.254")) == 3


def test_nothing_is_asked_of_the_machine_unless_it_is_said(cloud, given):
    given(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/v2/x")
    with pytest.raises(auth.UNUSABLE_CREDENTIALS):
        call(bedrock())
    assert cloud.seen == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("AccessDenied", "trust policy"),
        ("InvalidIdentityToken", "no identity provider"),
        ("ExpiredTokenException", "has expired"),
        ("Unheard", "see the role in IAM"),
    ],
)
def test_sts_that_refuses_is_told_in_words(cloud, given, code, said):
    message = "<Message>arn:aws:iam::123456789012:x</Message>"
    cloud.sts = httpx.Response(403, text=f"<E><Code>{code}</Code>{message}</E>")
    row = bedrock(aws_identity="instance", aws_role_arn="arn:aws:iam::1:role/r")
    with pytest.raises(TokenError) as told:
        call(row)
    assert f"AWS STS refused ({code})" in str(told.value)
    assert said in str(told.value)
    assert "123456789012" not in str(told.value)
    assert told.value.rejected


def test_an_instance_without_a_role_is_told(cloud, given):
    cloud.profile = httpx.Response(404)
    with pytest.raises(TokenError, match="has no role"):
        call(bedrock(aws_identity="instance"))


@pytest.mark.parametrize(
    ("identity", "environment"),
    [
        ("web_identity", {}),
        ("container", {}),
        ("container", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://evil.example/x"}),
        (
            "container",
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.169.254/x"},
        ),
        (
            "web_identity",
            {"AWS_ROLE_ARN": "r", "AWS_WEB_IDENTITY_TOKEN_FILE": "/nowhere/at/all"},
        ),
    ],
)
def test_what_is_missing_or_elsewhere_asks_nobody(cloud, given, identity, environment):
    given(**environment)
    with pytest.raises(TokenError):
        call(bedrock(aws_identity=identity))
    assert cloud.seen == []


def test_it_signs_for_addresses_of_aws_alone(cloud, given):
    with pytest.raises(TokenError, match="addresses of AWS alone"):
        call(bedrock(aws_identity="instance"), url="https://example.com")
    assert cloud.seen == []


def test_a_lent_token_is_kept_out_of_sight(cloud, given):
    scheme = auth.for_provider(bedrock(aws_identity="instance"))
    assert isinstance(scheme, auth.LENT)
    assert scheme.access_token == ""

    async def go():
        await auth.send(httpx.Request("POST", BEDROCK, content=b"{}"), scheme)

    asyncio.run(go())
    assert scheme.access_token == LENT["Token"]
    assert LENT["Token"] not in repr(scheme)


def test_a_refusal_is_asked_again_after_a_pause(cloud, given):
    cloud.sts = httpx.Response(403, text="<Code>AccessDenied</Code>")
    row = bedrock(aws_identity="instance", aws_role_arn="arn:aws:iam::1:role/r")
    scheme = auth.for_provider(row)

    async def go():
        for _ in range(3):
            with pytest.raises(TokenError):
                await auth.send(httpx.Request("POST", BEDROCK, content=b"{}"), scheme)

    asyncio.run(go())
    assert len(cloud.asked("sts.")) == 1


def test_the_form_wants_no_keys_for_an_identity(db):
    from providers.forms.provider import ProviderForm

    def errors(**options):
        values = {
            "name": "bedrock",
            "provider_type": "bedrock",
            "endpoint": BEDROCK,
            "auth_type": "aws_sigv4",
            "region": "eu-west-1",
            "models": "anthropic.claude-x",
            "enabled": True,
            **options,
        }
        return ProviderForm(values).errors

    assert "aws_access_key_id" in errors()
    assert not errors(option_aws_identity="instance")


# --- the guarded way out ---


@pytest.mark.proves("3.3")
@pytest.mark.parametrize("address", sorted(METADATA))
def test_metadata_is_open_to_its_own_requests_alone(address):
    rules = Rules(private_networks=("0.0.0.0/0", "::/0"))
    Guard(rules, metadata=True).check(*address)
    for guard in (Guard(rules), Guard(rules, private_network=True)):
        with pytest.raises(Forbidden):
            guard.check(*address)


@pytest.mark.proves("3.3")
@pytest.mark.parametrize(
    ("address", "port"),
    [
        ("169.254.169.254", 8080),
        ("169.254.169.253", 80),
        ("127.0.0.1", 80),
        ("10.0.0.1", 80),
        ("93.184.216.34", 80),
        ("::ffff:169.254.169.254", 80),
    ],
)
def test_requests_for_metadata_go_nowhere_else(address, port):
    rules = Rules(private_networks=("0.0.0.0/0", "::/0"))
    with pytest.raises(Forbidden):
        Guard(rules, metadata=True).check(address, port)


def test_the_answers_hold_what_botocore_reads():
    """The names are those of https://docs.aws.amazon.com/sdkref."""
    assert set(aws_identity._lent(json.dumps(LENT).encode(), "it")) == {
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
        "expires",
    }


def test_sts_is_asked_by_the_way_of_the_provider_and_metadata_directly(cloud):
    proxy = "http://proxy.example:3128"
    row = bedrock(
        aws_identity="instance", aws_role_arn="arn:aws:iam::1:role/r", proxy=proxy
    )
    call(row)
    (sts,) = cloud.asked("sts.")
    assert sts.extensions["way"]().proxy.host == "proxy.example"
    assert all("way" not in each.extensions for each in cloud.asked("169.254"))
