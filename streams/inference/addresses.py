"""From `SEKISHO_TRITON` to gRPC targets."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Targets:
    """`shared`: one target over all servers, for scoring; `each`: one per server, for what must reach all of them."""

    shared: str
    each: tuple[str, ...]


def targets(servers: str, *, tls: bool) -> Targets:
    """gRPC targets of a comma-separated list of host:port.

    One name may stand for many servers: all its addresses are used in turn (a headless service in Kubernetes).
    gRPC takes several entries only as IP addresses of one family, and then has no name to check a certificate
    against. Raises ValueError where that is asked for, and for anything that is not host:port.
    """
    entries = [entry.strip() for entry in servers.split(",") if entry.strip()]
    if not entries:
        raise ValueError("SEKISHO_TRITON names no server; give host:port")
    parsed = [_host_and_port(entry) for entry in entries]
    if len(entries) == 1:
        only = f"dns:///{entries[0]}"
        return Targets(only, (only,))
    families = {_ip_version(host) for host, _ in parsed}
    if tls:
        raise ValueError(
            f"SEKISHO_TRITON={servers}: with TLS give one DNS name that has all the servers' addresses, "
            "because a certificate is checked against that name"
        )
    if families not in ({4}, {6}):
        raise ValueError(
            f"SEKISHO_TRITON={servers}: several servers must all be IPv4 or all IPv6 addresses; "
            "or give one DNS name that has all the addresses"
        )
    scheme = f"ipv{families.pop()}"
    return Targets(f"{scheme}:{','.join(entries)}", tuple(f"{scheme}:{entry}" for entry in entries))


def _host_and_port(entry: str) -> tuple[str, int]:
    host, colon, port = entry.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65536 or "/" in entry:
        raise ValueError(
            f"SEKISHO_TRITON: {entry!r} is not host:port (gRPC, usually port 8001, without http://)"
        )
    return host.strip("[]"), int(port)


def _ip_version(host: str) -> int | None:
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None  # a name
