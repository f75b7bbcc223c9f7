"""Which network addresses a destination may have: public ones, and targets an operator named."""

import ipaddress
import re
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Target = tuple[str, int]
"""Host (lower case, an IPv6 address without brackets) and port."""

# The IANA special-purpose registry (RFC 6890 and its updates). Listed here because what `ipaddress` calls
# global has changed between releases of Python.
_CLOSED = tuple(
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; some clouds keep their metadata service here
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host service behind a public number
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # protocol assignments, Teredo among them, which carries an IPv4 address
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")  # outside: loopback, mapped, NAT64, link-local, unique local, multicast
_HOST = re.compile(r"(?!-)[a-z0-9._-]{1,253}")
_NUMBER = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)")


class InvalidHost(ValueError):
    """Not a host name or address in its usual spelling."""


class InvalidTarget(ValueError):
    """An entry of HEED_ALLOW_TARGETS is not `host:port`."""


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open internet, and neither to this machine nor to a network of ours."""
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_V6:
        return False
    return not any(address.version == block.version and address in block for block in _CLOSED)


def all_public(addresses: Iterable[Address]) -> bool:
    """Whether every address a name has is public; one that is not spoils the name."""
    return all(is_public(address) for address in addresses)


def normal_host(host: str) -> str:
    """One spelling for each host, so that a permission given for one holds for no other.

    Raises:
        InvalidHost: characters no host has, or an address as one number, in octal or in hex.
    """
    name = host.lower().removesuffix(".")
    if literal := literal_address(name):
        return str(literal)
    if not _HOST.fullmatch(name) or _NUMBER.fullmatch(name):
        raise InvalidHost("the host is neither a name nor an address in its usual form")
    return name


def literal_address(host: str) -> Address | None:
    """The address a host is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def parse_targets(text: str) -> frozenset[Target]:
    """Read HEED_ALLOW_TARGETS: `host:port,...`, an IPv6 address in brackets; empty is none.

    Raises:
        InvalidTarget: names the entry and the form it should have.
    """
    return frozenset(_target(entry.strip()) for entry in text.split(",") if entry.strip())


def _target(entry: str) -> Target:
    host, _, port = entry.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bracketed = bare != host
    try:
        name = normal_host(bare)
    except InvalidHost:
        name = ""
    if not name or (":" in name) != bracketed or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > 65535:
        raise InvalidTarget(
            f"HEED_ALLOW_TARGETS: {entry!r} is not host:port; write for example 10.0.0.5:8443 or [::1]:9000"
        )
    return name, int(port)
