"""What may be entered for a provider's connections, and what becomes of it."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from providers.forms import credentials
from providers.forms.provider import ProviderForm
from providers.models import ModelProvider, Secret
from providers.network import ways
from providers.transport import NoWay
from tests.certified import Authority, pem_of

pytestmark = pytest.mark.django_db

ENDPOINT = "https://llm.example.com"
PASSWORD = "proxy-pass-0123456789"


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture(scope="module")
def own(authority):
    """The certificate of a client, and its key."""
    pair = authority.sign("gateway")
    return pair._replace(key=pair.key.strip())


def form(instance=None, **values):
    given = {"provider_type": "openai", "name": "openai", "endpoint": ENDPOINT}
    given |= {"auth_type": "none", "models": ["gpt-4o"], **values}
    return ProviderForm.for_values(given, instance)


def saved(instance=None, **values):
    filled = form(instance, **values)
    assert filled.is_valid(), filled.errors
    return ModelProvider.objects.get(pk=filled.save().pk)


def errors(field, instance=None, **values):
    filled = form(instance, **values)
    assert not filled.is_valid()
    return " ".join(filled.errors.get(field, []))


# --- certificates ---


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "not PEM"),
        ("\x30\x82\x01", "not PEM"),
        ("-----BEGIN CERTIFICATE-----\nabcd\n-----END CERTIFICATE-----", "damaged"),
        ("-----BEGIN CERTIFICATE-----\nMIIB", "damaged or cut off"),
        (pem_of(ec.generate_private_key(ec.SECP256R1())), "holds a private key"),
    ],
)
@pytest.mark.parametrize(
    "field", ["option_ca_certificates", "option_client_certificate"]
)
def test_what_is_no_certificate_is_told(field, text, told):
    assert told in errors(field, **{field: text})


def test_a_servers_certificate_is_no_ca(own):
    told = errors("option_ca_certificates", option_ca_certificates=own.certificate)
    assert "gateway is no CA" in told


def test_an_expired_ca_is_told():
    old = Authority("Old CA", days=-3).pem
    told = errors("option_ca_certificates", option_ca_certificates=old)
    assert "The CA Old CA expired on 2" in told


def test_an_expired_client_certificate_is_told(authority):
    pair = authority.sign("gateway", days=-1)
    told = errors(
        "option_client_certificate",
        option_client_certificate=pair.certificate,
        client_key=pair.key,
    )
    assert "gateway expired on 2" in told


def test_a_key_that_belongs_to_another_certificate_is_told(authority, own):
    other = authority.sign("other").key
    told = errors(
        "client_key", option_client_certificate=own.certificate, client_key=other
    )
    assert "does not belong to the certificate gateway" in told
    assert other[40:80] not in told


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (pem_of(ec.generate_private_key(ec.SECP256R1()), "word"), "passphrase"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n"
            "-----END RSA PRIVATE KEY-----",
            "passphrase",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "damaged"),
        ("sk-123", "not a private key"),
    ],
)
def test_a_key_that_cannot_be_used_is_told(own, key, told):
    given = {"option_client_certificate": own.certificate, "client_key": key}
    assert told in errors("client_key", **given)


def test_a_certificate_needs_its_key_and_a_key_its_certificate(own):
    given = {"option_client_certificate": own.certificate}
    assert "Enter the key" in errors("client_key", **given)
    assert "certificate" in errors("client_key", client_key=own.key)


def test_certificate_and_ca_are_stored_in_the_open_and_the_key_sealed(authority, own):
    row = saved(
        option_ca_certificates=authority.pem,
        option_client_certificate=own.certificate,
        client_key=own.key,
    )
    assert row.options["ca_certificates"] == authority.pem
    assert row.network_secret.keys == ["client_key"]
    assert own.key[40:80] not in str(ModelProvider.objects.values())
    assert own.key[40:80] not in str(Secret.objects.values())
    way = ways.of(row)()
    assert (way.certificate, way.key) == (own.certificate, own.key)
    assert way.authorities == authority.pem


def test_what_a_secret_of_the_network_holds_is_told_in_words(own):
    row = saved(
        option_proxy=f"http://gateway:{PASSWORD}@proxy.example.com:3128",
        option_client_certificate=own.certificate,
        client_key=own.key,
    )
    assert credentials.outline(row.network_secret) == (
        "Key of the client certificate, Proxy password, Proxy user"
    )


def test_a_blank_key_keeps_the_stored_one(own):
    row = saved(option_client_certificate=own.certificate, client_key=own.key)
    row = saved(row, requests_per_minute=5)
    assert ways.of(row)().key == own.key


def test_another_endpoint_asks_for_the_key_again(own):
    row = saved(option_client_certificate=own.certificate, client_key=own.key)
    told = errors("client_key", row, endpoint="https://other.example.com")
    assert "again" in told


def test_a_row_whose_address_was_changed_behind_our_back_uses_no_key(own):
    row = saved(option_client_certificate=own.certificate, client_key=own.key)
    ModelProvider.objects.update(endpoint="https://other.example.com")
    row.refresh_from_db()
    with pytest.raises(NoWay, match="another address"):
        ways.of(row)()


def test_without_the_certificate_the_key_goes(own):
    row = saved(option_client_certificate=own.certificate, client_key=own.key)
    row = saved(row, option_client_certificate="")
    assert row.network_secret is None
    assert ways.of(row) is None


# --- proxies ---


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("proxy.example:3128", "needs its scheme"),
        ("socks5://proxy.example:1080", "begins with socks5://"),
        ("https://proxy.example:443", "begins with https://"),
        ("http://", "names no host"),
        ("http://proxy.example:99999", "malformed"),
        ("http://proxy.example:3128/path", "ends with its port"),
    ],
)
def test_an_address_that_is_no_proxys_is_told(address, told):
    assert told in errors("option_proxy", option_proxy=address).lower()


def test_a_proxys_user_is_sealed():
    row = saved(
        option_proxy="http://proxy.example:3128",
        proxy_user="agents",
        proxy_password=PASSWORD,
    )
    assert row.options["proxy"] == "http://proxy.example:3128"
    assert PASSWORD not in str(ModelProvider.objects.values())
    assert row.network_secret.origins == ["http://proxy.example:3128"]
    assert ways.of(row)().proxy.authorization.startswith("Basic ")


def test_a_user_pasted_within_the_address_is_taken_out_of_it():
    row = saved(option_proxy=f"http://agents:{PASSWORD}@proxy.example:3128")
    assert row.options["proxy"] == "http://proxy.example:3128"
    assert sorted(row.network_secret.keys) == ["proxy_password", "proxy_user"]


def test_another_proxy_asks_for_the_user_again():
    row = saved(option_proxy=f"http://agents:{PASSWORD}@proxy.example:3128")
    told = errors("proxy_password", row, option_proxy="http://evil.example:3128")
    assert "again" in told


def test_a_new_key_leaves_the_proxys_user(own):
    proxy = f"http://agents:{PASSWORD}@proxy.example:3128"
    row = saved(option_proxy=proxy)
    row = saved(row, option_client_certificate=own.certificate, client_key=own.key)
    way = ways.of(row)()
    assert (way.key, bool(way.proxy.authorization)) == (own.key, True)


def test_a_user_without_a_proxy_is_told():
    assert "proxy" in errors("proxy_user", proxy_user="agents").lower()


def test_a_proxy_on_this_machine_ticks_the_mark():
    row = saved(option_proxy="http://localhost:3128")
    assert row.private_network
    assert ways.of(row)().proxy.private_network


def test_none_goes_without_the_installations_proxy(settings):
    settings.UPSTREAM_PROXY = "http://proxy.example:3128"
    assert ways.of(saved())().proxy.host == "proxy.example"
    row = saved(name="direct", option_proxy="none")
    assert ways.of(row)().proxy is None


def test_an_own_ca_is_trusted_beside_the_installations(settings, authority):
    settings.UPSTREAM_CA_CERTIFICATES = Authority("Company").pem
    way = ways.of(saved(option_ca_certificates=authority.pem))()
    assert way.authorities.count("BEGIN CERTIFICATE") == 2


# --- who may ---


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("option_proxy", "http://proxy.example:3128"),
        ("option_proxy_resolves", "on"),
        ("option_ca_certificates", "ca"),
    ],
)
def test_an_operator_does_not_decide_how_connections_are_made(authority, field, value):
    filled = form(**{field: authority.pem if value == "ca" else value})
    filled.by_administrator = False
    assert not filled.is_valid()
    assert "Only an administrator" in " ".join(filled.errors[field])


def test_an_operator_does_not_lend_the_machines_identity():
    filled = ProviderForm.for_values(
        {
            "provider_type": "bedrock",
            "name": "bedrock",
            "models": ["m"],
            "option_aws_identity": "instance",
        }
    )
    filled.by_administrator = False
    assert not filled.is_valid()
    assert "Only an administrator" in str(filled.errors["option_aws_identity"])


def test_an_operator_edits_what_an_administrator_set_up(own):
    row = saved(option_client_certificate=own.certificate, client_key=own.key)
    filled = form(row, requests_per_minute=7)
    filled.by_administrator = False
    assert filled.is_valid(), filled.errors
    filled.save()
    row.refresh_from_db()
    assert ways.of(row)().key == own.key
