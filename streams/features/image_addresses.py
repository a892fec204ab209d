"""Which addresses pictures may be fetched from: public ones only, whatever a name resolves to."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from threading import Thread
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: All of IPv6 that is given out as unicast addresses. Outside it `is_global` calls much public that is not: site-local
#: addresses, IPv4 addresses behind `::` or `::ffff:0:`, local NAT64.
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
#: What `is_global` calls public in one Python or another, and is not: addresses of protocols, relays and documentation,
#: and the one at which Azure's own services answer its machines.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "2001::/23", "3fff::/20")
)
_NUMERIC = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
#: Names looked up at the same time, those of pictures that were given up included.
MAX_LOOKUPS = 32

#: `socket.getaddrinfo`, as far as it is used.
LookUp = Callable[..., list[tuple[Any, ...]]]


def is_public_address(address: str) -> bool:
    """Whether an IP address is on the public internet, and so is the IPv4 address inside it if it carries one."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return _is_public(ip)
    if ip.ipv4_mapped is not None:
        return _is_public(ip.ipv4_mapped)
    if ip in _NAT64:
        return _is_public(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return ip in _IPV6_UNICAST and _is_public(ip) and (ip.sixtofour is None or _is_public(ip.sixtofour))


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _NOT_PUBLIC)


def is_ip(host: str) -> bool:
    """Whether this is an IP address in full, IPv4 or IPv6 without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class AddressRefused(OSError):
    """A name resolves to nothing but addresses that are not allowed."""


class CheckedResolver(AbstractResolver):
    """The system's resolver less the addresses that are not allowed, in threads of its own.

    A name server may take its time, and who may write a name below an allowed `*.host` may have it be theirs. In the
    event loop's own threads, where asyncio looks names up, Kafka's would then wait behind the pictures'.
    """

    def __init__(self, allow_address: Callable[[str], bool], look_up: LookUp) -> None:
        self._allow_address = allow_address
        self._look_up = look_up
        self._running = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses to connect to. Raises `AddressRefused` when none is left, OSError when there is none."""
        found = [
            ResolveResult(hostname=host, host=str(place[0]), port=port, family=of, proto=0, flags=_NUMERIC)
            for of, _, _, _, place in await self._looked_up(host, port, family)
        ]
        allowed = [entry for entry in found if self._allow_address(entry["host"])]
        if found and not allowed:
            raise AddressRefused(f"{host} resolves to {found[0]['host']}, which is not a public address")
        return allowed

    async def _looked_up(self, host: str, port: int, family: socket.AddressFamily) -> list[tuple[Any, ...]]:
        if self._running >= MAX_LOOKUPS:
            raise OSError(f"{self._running} names are being looked up, and none is answered")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[tuple[Any, ...]]] = loop.create_future()

        def finish(found: list[tuple[Any, ...]], error: BaseException | None) -> None:
            self._running -= 1
            if answer.done():  # given up
                return
            if error is not None:
                answer.set_exception(error)
            else:
                answer.set_result(found)

        def look_up() -> None:
            found: list[tuple[Any, ...]] = []
            failed: BaseException | None = None
            try:
                found = self._look_up(
                    host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
                )
            except Exception as error:  # noqa: BLE001 - not swallowed: `resolve` raises it
                failed = error
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(finish, found, failed)

        # Not an executor's: the interpreter waits for those when it ends, as long as the name server likes.
        Thread(target=look_up, name="image-name", daemon=True).start()
        self._running += 1
        return await answer

    async def close(self) -> None:
        """Nothing is held open."""
