"""What the settings say of the way out, and certificates that end."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from providers.network import expiry
from providers.network.installation import check_network
from tests.certified import Authority

AUTHORITY = Authority()
OWN = AUTHORITY.sign("gateway")


def test_what_can_be_used_starts():
    check_network("", "", "", "")
    proxy = "http://user:pass@proxy.example:3128"
    check_network(proxy, AUTHORITY.pem, OWN.certificate, OWN.key)


def test_an_expired_certificate_stops_no_start():
    old = AUTHORITY.sign("gateway", days=-1)
    check_network("", "", old.certificate, old.key)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("proxy:3128", "", "", ""), "UPSTREAM_PROXY needs its scheme"),
        (("socks5://p:1", "", "", ""), "socks5"),
        (("", "/etc/ssl/ca.pem", "", ""), "UPSTREAM_CA_CERTIFICATES_FILE"),
        (("", "", OWN.certificate, ""), "belong together"),
        (("", "", "", OWN.key), "belong together"),
        (("", "", OWN.certificate, AUTHORITY.sign().key), "does not belong"),
    ],
)
def test_what_cannot_be_used_stops_it_with_a_sentence(given, told):
    with pytest.raises(ImproperlyConfigured, match=told) as caught:
        check_network(*given)
    assert OWN.key[40:80] not in str(caught.value)


def certified(provider, name, days, **fields):
    pair = AUTHORITY.sign(name, days=days)
    row = provider(name)
    row.options = {"client_certificate": pair.certificate}
    row.network_secret = row.secret
    for field, value in fields.items():
        setattr(row, field, value)
    row.save()
    return row


def test_certificates_that_end_within_two_weeks_are_told(provider, settings):
    certified(provider, "soon", 13)
    certified(provider, "later", 15)
    certified(provider, "over", -1)
    certified(provider, "disabled", 1, enabled=False)
    settings.UPSTREAM_CLIENT_CERTIFICATE = AUTHORITY.sign("all", days=5).certificate
    found = expiry.ending_soon()
    assert [(x.provider, x.is_over) for x in found] == [
        ("over", True),
        ("", False),
        ("soon", False),
    ]


def test_health_and_the_providers_page_tell_of_it(provider, logged_in_client):
    certified(provider, "soon", 3)
    assert "Expires soon" in logged_in_client.get("/settings/health/").content.decode()
    page = logged_in_client.get("/models/soon/").content.decode()
    assert "The client certificate expires soon." in page


def test_nothing_is_told_of_one_that_lasts(provider, logged_in_client):
    certified(provider, "later", 100)
    told = logged_in_client.get("/settings/health/").content.decode()
    assert "Client certificate" not in told
    assert "expires soon" not in logged_in_client.get("/models/later/").content.decode()


def test_the_overview_names_certificates_and_prints_none(provider, logged_in_client):
    row = certified(provider, "later", 100)
    page = logged_in_client.get(row.get_absolute_url()).content.decode()
    assert "BEGIN CERTIFICATE" not in page
    assert "<dt>Client certificate</dt>" in page


def test_one_that_is_over_was_valid_and_the_way_to_a_new_one_is_a_link(
    provider, logged_in_client, client, django_user_model
):
    row = certified(provider, "over", -1)
    page = logged_in_client.get(row.get_absolute_url()).content.decode()
    assert "It was valid until" in page
    assert f'<a href="{row.get_absolute_url()}edit/#advanced">' in page
    client.force_login(django_user_model.objects.create_user("viewer"))
    page = client.get(row.get_absolute_url()).content.decode()
    assert "An administrator enters a new one" in page
    assert "#advanced" not in page
