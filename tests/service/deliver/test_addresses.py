import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.deliver.addresses import InvalidHost, InvalidTarget, is_public, normal_host, parse_targets

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]

OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "193.0.0.1",
    "2606:4700::1",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", INSIDE)
def test_inside(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_outside(address):
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses())
def test_never_more_open_than_the_standard_library(address):
    assert address.is_global or not is_public(address)


@given(st.ip_addresses(v=4))
def test_no_ipv6_form_carries_an_ipv4_address_inside(address):
    number = int(address)
    carriers = [0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80, number]
    assert not any(is_public(ipaddress.IPv6Address(carrier)) for carrier in carriers)


@pytest.mark.parametrize(
    ("host", "normal"),
    [("Example.COM.", "example.com"), ("0:0:0:0:0:0:0:1", "::1"), ("10.0.0.1", "10.0.0.1"), ("a_b-c.9x", "a_b-c.9x")],
)
def test_one_spelling_for_each_host(host, normal):
    assert normal_host(host) == normal


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "1.2.3.4.5",
        "a.0x7f",
        "a b",
        "a%20b",
        "-a",
        "é.fr",
        "a/b",
    ],
)
def test_no_host(host):
    with pytest.raises(InvalidHost):
        normal_host(host)


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("", set()),
        (" , ", set()),
        ("localhost:8081", {("localhost", 8081)}),
        ("CRM.internal:443, 10.0.0.5:8443,[::1]:9000", {("crm.internal", 443), ("10.0.0.5", 8443), ("::1", 9000)}),
    ],
)
def test_allowed_targets(text, targets):
    assert parse_targets(text) == targets


@pytest.mark.parametrize(
    "text",
    [
        "localhost",
        ":80",
        "a:",
        "a:0",
        "a:65536",
        "a:+80",
        "a:8 0",
        "::1:90",
        "[a]:80",
        "http://a:80",
        "a:80/x",
        "u@a:80",
        "*:80",
        "2130706433:80",
    ],
)
def test_an_entry_that_is_no_target_is_named(text):
    with pytest.raises(InvalidTarget, match=r"HEED_ALLOW_TARGETS: .* is not host:port") as error:
        parse_targets(f"ok:1,{text}")
    assert repr(text) in str(error.value)
