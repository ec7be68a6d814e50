"""Calls through proxies and TLS of one's own: how they end, and what is booked.

The same is told by a check of the provider.
"""

import asyncio
import logging

import pytest

from providers import status, transport
from providers.forms.provider import ProviderForm
from providers.models import ModelProvider
from providers.transport.guard import Rules
from tests import doors
from tests.certified import Authority, strict
from tests.faults import Answer, FaultServer, refused_port
from tests.forwarding import ForwardProxy

LOOPBACK = transport.GuardedTransport(Rules(private_networks=("127.0.0.0/8",)))
PASSWORD = "proxy-pass-0123456789"

AUTHORITY = Authority()
OWN = AUTHORITY.sign("gateway")


@pytest.fixture(autouse=True)
def _on_loopback():
    """The transport of this process may connect to this machine."""
    with transport.use(LOOPBACK):
        yield


@pytest.fixture
def upstream(tmp_path):
    """An https upstream of a private CA."""
    with FaultServer(tls=AUTHORITY.sign().context(tmp_path)) as server:
        yield server


def saved(endpoint, **values):
    """Return a provider, saved as the form does."""
    form = ProviderForm.for_values(
        {
            "provider_type": "openai",
            "name": "walled",
            "endpoint": endpoint,
            "auth_type": "none",
            "models": ["gpt-4o-mini"],
            **values,
        }
    )
    assert form.is_valid(), form.errors
    return ModelProvider.objects.get(pk=form.save().pk)


def called(gateway, ledger, row):
    """Call a provider and check it; return what the call and the check told."""
    response = doors.CHAT.ask(gateway())
    checked = asyncio.run(status.check(row, models=[]))
    (entry,) = ledger()
    return response, entry, checked


def refused(gateway, ledger, row, code, told, state):
    """Call and check a provider whose connection fails; return the check's outcome."""
    response, entry, checked = called(gateway, ledger, row)
    message = doors.CHAT.check_refused(response, 502, code)
    assert told in message
    assert "127.0.0.1" not in message
    assert (entry["outcome"], entry["error_code"]) == ("upstream_error", code)
    assert told in entry["error_message"]
    assert checked.status == state, checked
    return checked


pytestmark = pytest.mark.django_db(transaction=True)


def test_a_call_goes_through_the_proxy_by_the_private_ca(upstream, gateway, ledger):
    with ForwardProxy(user=f"agents:{PASSWORD}") as proxy:
        row = saved(
            upstream.url,
            option_ca_certificates=AUTHORITY.pem,
            option_proxy=proxy.url,
            proxy_user="agents",
            proxy_password=PASSWORD,
        )
        response, entry, checked = called(gateway, ledger, row)
    assert response.status_code == 200
    assert entry["outcome"] == "ok"
    assert checked.http_status == 200
    assert set(proxy.asked) == {f"CONNECT 127.0.0.1:{upstream.port}"}
    assert upstream.requests[0].header("proxy-authorization") is None


def test_a_client_certificate_is_shown(tmp_path, gateway, ledger):
    context = AUTHORITY.sign().context(tmp_path, wants=AUTHORITY)
    with strict(context) as upstream:
        row = saved(
            f"https://127.0.0.1:{upstream.port}",
            option_ca_certificates=AUTHORITY.pem,
            option_client_certificate=OWN.certificate,
            client_key=OWN.key,
        )
        checked = asyncio.run(status.check(row, models=[]))
    assert checked.is_available, checked


def test_an_unknown_ca_is_told(upstream, gateway, ledger):
    told = refused(
        gateway,
        ledger,
        saved(upstream.url),
        "upstream_unreachable",
        "its certificate is not trusted",
        "failed",
    )
    assert "private CA" in told.hint
    assert upstream.requests == []


def test_a_missing_client_certificate_is_told(tmp_path, gateway, ledger):
    context = AUTHORITY.sign().context(tmp_path, wants=AUTHORITY)
    with strict(context) as upstream:
        endpoint = f"https://127.0.0.1:{upstream.port}"
        told = refused(
            gateway,
            ledger,
            saved(endpoint, option_ca_certificates=AUTHORITY.pem),
            "upstream_unreachable",
            "it wants a client certificate",
            "failed",
        )
    assert "Enter a client certificate" in told.hint


def test_an_expired_client_certificate_is_told(tmp_path, gateway, ledger):
    context = AUTHORITY.sign().context(tmp_path, wants=AUTHORITY)
    old = AUTHORITY.sign("gateway", days=-1)
    with strict(context) as upstream:
        row = saved(
            f"https://127.0.0.1:{upstream.port}",
            option_ca_certificates=AUTHORITY.pem,
            option_client_certificate=OWN.certificate,
            client_key=OWN.key,
        )
        # It has expired since it was entered.
        secret = row.network_secret
        secret.store({"client_key": old.key}, secret.origins)
        secret.save()
        row.options["client_certificate"] = old.certificate
        row.save()
        told = refused(
            gateway,
            ledger,
            row,
            "upstream_unreachable",
            "the client certificate, which has expired",
            "failed",
        )
    assert "Enter a new client certificate" in told.hint


@pytest.mark.parametrize(
    ("proxy", "told", "state", "shown"),
    [
        ({"user": "a:b"}, "wants a user name and password (407)", "failed", "Enter"),
        ({"refusal": 403}, "does not allow its address (403)", "failed", "allow"),
        ({"refusal": 502}, "cannot reach it (502)", "unavailable", "cannot reach"),
        ({"refusal": 405}, "is no proxy", "failed", "address and port"),
        ({"says": b"SSH-2.0-x\r\n"}, "is no proxy", "failed", "address and port"),
        ({"mute": True}, "did not answer in time", "unavailable", "Is it running"),
    ],
)
def test_a_proxy_that_does_not_connect_is_told(
    upstream, gateway, ledger, proxy, told, state, shown
):
    with ForwardProxy(**proxy) as there:
        # Any other may take its time on a busy machine.
        soon = {"timeout_connect": 1} if "mute" in proxy else {}
        row = saved(upstream.url, option_proxy=there.url, **soon)
        checked = refused(gateway, ledger, row, "upstream_proxy_failed", told, state)
    assert shown in checked.message
    assert f"127.0.0.1:{there.port}" in checked.message


def test_a_proxy_that_is_not_there_is_told(upstream, gateway, ledger):
    with refused_port() as port:
        row = saved(upstream.url, option_proxy=f"http://127.0.0.1:{port}")
        checked = refused(
            gateway,
            ledger,
            row,
            "upstream_proxy_failed",
            "cannot be reached",
            "unavailable",
        )
    assert "connection refused" in checked.message


def test_a_wrong_password_is_in_no_error_and_no_log(upstream, gateway, ledger, caplog):
    caplog.set_level(logging.DEBUG)
    with ForwardProxy(user="agents:another") as proxy:
        row = saved(
            upstream.url,
            option_proxy=proxy.url,
            proxy_user="agents",
            proxy_password=PASSWORD,
        )
        told = "refused the user name and password (407)"
        checked = refused(gateway, ledger, row, "upstream_proxy_failed", told, "failed")
    everything = f"{checked} {caplog.text} {ledger()}"
    assert PASSWORD not in everything
    assert "Basic" not in everything


def test_a_proxy_that_echoes_the_password_is_not_passed_on(gateway, ledger):
    from base64 import b64encode

    word = b64encode(f"agents:{PASSWORD}".encode()).decode()
    body = f'{{"error": {{"message": "no: {PASSWORD} {word}"}}}}'.encode()
    head = b"HTTP/1.1 500 No\r\ncontent-type: application/json\r\n"
    says = head + b"content-length: %d\r\n\r\n" % len(body) + body
    with ForwardProxy(says=says) as proxy:
        row = saved(
            "http://127.0.0.1:9",
            option_proxy=proxy.url,
            proxy_user="agents",
            proxy_password=PASSWORD,
        )
        response, entry, checked = called(gateway, ledger, row)
    everything = f"{response.text} {entry} {checked}"
    assert "[redacted]" in response.text
    assert PASSWORD not in everything
    assert word not in everything


def test_an_unreadable_key_is_told_and_sends_nothing(upstream, gateway, ledger):
    row = saved(
        upstream.url,
        option_client_certificate=OWN.certificate,
        client_key=OWN.key,
    )
    row.network_secret.sealed = "v1:gone:AAAA"
    row.network_secret.save()
    row = ModelProvider.objects.get(pk=row.pk)
    response, _entry, checked = called(gateway, ledger, row)
    message = doors.CHAT.check_refused(response, 503, "provider_unavailable")
    assert "cannot be decrypted" in message
    assert checked.status == "failed"
    assert upstream.connections == 0


def test_another_provider_serves_where_a_proxy_does_not_connect(
    upstream, gateway, ledger
):
    with ForwardProxy(refusal=503) as proxy, FaultServer() as other:
        saved(upstream.url, option_proxy=proxy.url)
        saved(other.url, name="open", priority=200)
        response = doors.CHAT.ask(gateway())
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("No required SSL certificate was sent", "it wants a client certificate"),
        ("The SSL certificate error", "it refused the client certificate"),
    ],
)
def test_what_nginx_answers_in_place_of_an_alert_is_told(gateway, ledger, title, told):
    page = f"<html><head><title>400 {title}</title></head></html>".encode()
    with FaultServer() as upstream:
        upstream.answer = Answer(400, page, {"content-type": "text/html"})
        row = saved(upstream.url)
        refused(gateway, ledger, row, "upstream_unreachable", told, "failed")
