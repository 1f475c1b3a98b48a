"""Which addresses may be connected to."""

from ipaddress import ip_address

import pytest

from retrieval.adapters.network.addresses import may_connect

_PRIVATE = ["127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1"]  # fmt: skip
_NEVER = [
    "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.51.100.1", "203.0.113.1", "198.18.0.1", "192.88.99.1",
    "::", "::ffff:0.0.0.0", "::ffff:169.254.169.254", "::169.254.169.254", "::127.0.0.1", "fe80::1", "fe80::1%1", "::1%1", "fec0::1",
    "ff02::1",
    "fd00:ec2::254", "fd20:ce::254", "2001:db8::1", "2001::1", "2001:0:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "64:ff9b::a9fe:a9fe",
    "64:ff9b::0.0.0.0",
    "64:ff9b:1::1", "100::1", "4000::1", "5f00::1", "::8.8.8.8", "2a00:1450::5efe:169.254.169.254", "2a00:1450::200:5efe:169.254.169.254",
]  # fmt: skip
_PUBLIC = [
    "8.8.8.8",
    "93.184.216.34",
    "1.1.1.1",
    "172.32.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", _PUBLIC)
def test_public_addresses_are_reached(address):
    assert may_connect(ip_address(address), allow_private=False)


@pytest.mark.parametrize("address", [*_PRIVATE, "2002:7f00:1::1", "2002:c0a8:101::1", "2a00:1450::5efe:10.0.0.1"])
def test_private_addresses_are_reached_only_when_allowed(address):
    assert not may_connect(ip_address(address), allow_private=False)
    assert may_connect(ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", _NEVER)
def test_some_addresses_are_never_reached(address):
    assert not may_connect(ip_address(address), allow_private=False)
    assert not may_connect(ip_address(address), allow_private=True)
