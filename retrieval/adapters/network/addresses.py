"""Which network addresses may be reached where somebody else names the place: web sources, webhooks. No name is resolved here."""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_NEVER: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("0.0.0.0/8"),  # "this host": Linux connects it to loopback
    IPv4Network("169.254.0.0/16"),  # link-local: metadata services of AWS, Google, Azure and others
    IPv4Network("100.100.100.200/32"),  # metadata service of Alibaba Cloud
    IPv4Network("168.63.129.16/32"),  # Azure's platform service, a public address that is not
    IPv4Network("192.0.0.0/24"),  # protocol assignments; metadata service of Oracle Cloud
    IPv4Network("240.0.0.0/4"),  # reserved, and broadcast
    IPv6Network("::/128"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::/32"),  # metadata service of AWS
    IPv6Network("fd20:ce::/32"),  # metadata service of Google Cloud
)
"""Refused even where private addresses are allowed: nothing that anybody could mean is there."""
_PRIVATE: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("127.0.0.0/8"),
    IPv4Network("10.0.0.0/8"),
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("100.64.0.0/10"),
    IPv6Network("::1/128"),
    IPv6Network("fc00::/7"),
)
_NOT_REALLY_PUBLIC: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("192.88.99.0/24"),  # relays into 6to4
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("3fff::/20"),  # documentation
)
_PUBLIC_IPV6 = IPv6Network("2000::/3")
"""All that is handed out of IPv6 for public use."""
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = 0x5EFE
"""The interface identifier 0:5efe or 200:5efe says that the last 32 bits are an IPv4 address."""


def as_address(host: str) -> Address | None:
    """The address that a host name is written as; None for a name that has to be resolved."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def may_connect(address: Address, *, allow_private: bool) -> bool:
    """Whether a connection may be made. An IPv6 address that carries an IPv4 address is judged by both."""
    carried = _carried(address)
    if carried is not None:
        wrapper_is_only_a_wrapper = isinstance(address, IPv6Address) and (address.ipv4_mapped is not None or address in _NAT64)
        return may_connect(carried, allow_private=allow_private) and (wrapper_is_only_a_wrapper or _is_public(address))
    if _is_in(address, _NEVER) or address.is_multicast or (isinstance(address, IPv6Address) and address.scope_id is not None):
        return False
    return _is_public(address) or (allow_private and _is_in(address, _PRIVATE))


def _is_public(address: Address) -> bool:
    if not address.is_global or address.is_multicast or _is_in(address, _NOT_REALLY_PUBLIC):
        return False
    return isinstance(address, IPv4Address) or address in _PUBLIC_IPV6


def _is_in(address: Address, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _carried(address: Address) -> IPv4Address | None:
    """The IPv4 address inside a mapped, 6to4, NAT64, ISATAP or IPv4-compatible one; None for none. Teredo is refused as a whole."""
    if isinstance(address, IPv4Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    last = IPv4Address(int(address) & 0xFFFFFFFF)
    is_isatap = (int(address) >> 32) & 0xFDFFFFFF == _ISATAP
    is_compatible = address in _COMPATIBLE and int(address) > 0xFFFF
    return last if address in _NAT64 or is_isatap or is_compatible else None
