"""Which addresses may be connected to, whatever form they come in."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import addresses
from providers.addresses import Kind

DEFAULT = (
    "127.0.0.0/8",
    "::1/128",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "100.64.0.0/10",
)

NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "192.0.0.1",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "239.255.255.255",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "::169.254.169.254",
    "2002:a9fe:a9fe::1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "64:ff9b:1:a9fe:a9:fe00::",
    "2001:0:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:5601:5601",
    "2001:db8::5efe:169.254.169.254",
    "::ffff:0.0.0.0",
]
PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "::1",
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "fc00::1",
    "fd12:3456::1",
    "100.64.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "198.18.0.1",
    "2001:db8::1",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "100.63.255.255",
    "100.128.0.1",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


def refusal(text, *, marked=True, networks=DEFAULT):
    return addresses.refusal(
        addresses.parse(text), private_network=marked, private_networks=networks
    )


@pytest.mark.proves("3.3")
@pytest.mark.parametrize("text", NEVER)
def test_an_address_that_hands_out_credentials_is_refused_whatever_is_allowed(text):
    assert addresses.kind(addresses.parse(text)) is Kind.FORBIDDEN
    assert refusal(text, networks=("0.0.0.0/0", "::/0"))


@pytest.mark.parametrize("text", PRIVATE)
def test_a_private_address_needs_the_providers_mark(text):
    assert addresses.kind(addresses.parse(text)) is Kind.PRIVATE
    assert "Private network" in refusal(text, marked=False)


@pytest.mark.parametrize(
    "text", [x for x in PRIVATE if not x.startswith(("198", "2001"))]
)
def test_a_marked_provider_reaches_the_private_networks_of_the_setting(text):
    assert refusal(text) == ""


@pytest.mark.parametrize("text", PRIVATE)
def test_a_hosted_installation_refuses_private_addresses_even_when_marked(text):
    assert "PRIVATE_NETWORKS" in refusal(text, networks=())


@pytest.mark.parametrize("text", PUBLIC)
def test_a_public_address_needs_nothing(text):
    assert refusal(text, marked=False, networks=()) == ""


@given(st.sampled_from(addresses.FORBIDDEN), st.data())
def test_every_address_of_a_forbidden_network_is_refused(network, data):
    offset = data.draw(st.integers(0, network.num_addresses - 1))
    assert addresses.kind(network[offset]) is Kind.FORBIDDEN


@pytest.mark.proves("3.3")
@given(st.ip_addresses(v=4))
def test_an_ipv4_address_carried_inside_another_is_judged_as_itself(inner):
    number = int(inner)
    carriers = [
        0xFFFF << 32 | number,
        0x64FF9B << 96 | number,
        0x2002 << 112 | number << 80 | 1,
        0x20010000 << 96 | 0x08080808 << 64 | (~number & 0xFFFFFFFF),
    ]
    for carrier in carriers:
        assert addresses.kind(ipaddress.IPv6Address(carrier)) >= addresses.kind(inner)


@given(st.ip_addresses())
def test_without_the_mark_only_public_addresses_pass(address):
    passed = not addresses.refusal(
        address, private_network=False, private_networks=DEFAULT
    )
    assert passed == (addresses.kind(address) is Kind.PUBLIC)
