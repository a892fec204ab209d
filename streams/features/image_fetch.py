"""Fetches pictures from addresses that strangers wrote: named hosts only, public addresses only, within limits.

A worker stands inside the operator's network, so an address is a way in (server-side request forgery). The host is
compared with an allow-list before anything is resolved; what it resolves to is checked by the resolver that the
connection itself uses, so a name cannot change its address between check and use; redirects start over.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Collection

import aiohttp
from yarl import URL

from streams.features.image_addresses import (
    AddressRefused,
    CheckedResolver,
    LookUp,
    is_ip,
    is_public_address,
)
from streams.features.image_decode import MAX_BYTES, ImageRefused

#: Redirects followed, each to an allowed host: a shop's image host has one from http to https and one to a CDN.
MAX_REDIRECTS = 2
_DEFAULT_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset((301, 302, 303, 307, 308))


class AllowedHosts:
    """Hosts that pictures may come from: `img.example.com`, `*.example.com` (any below it), each with `:port` or not.

    Without a port the entry stands for 80 and 443.
    """

    def __init__(self, hosts: Collection[str]) -> None:
        self._entries = [self._parsed(host) for host in hosts]

    def allow(self, url: URL) -> bool:
        """Whether the address's host and port are on the list."""
        host = (url.raw_host or "").lower().rstrip(".")
        return any(self._fits(host, url, *entry) for entry in self._entries)

    @staticmethod
    def _parsed(entry: str) -> tuple[str, int | None]:
        host, port = entry.strip().lower(), ""
        if ":" in host and not host.endswith("]") and not is_ip(host):
            host, _, port = host.rpartition(":")
        host = host.strip("[]")
        if not host or host == "*" or "/" in host or (port and not port.isdigit()):
            raise ValueError(
                f"image host {entry!r}: write a host, *.host or host:port, without scheme or path"
            )
        return host, int(port) if port else None

    @staticmethod
    def _fits(host: str, url: URL, allowed: str, port: int | None) -> bool:
        ports = (port,) if port is not None else tuple(_DEFAULT_PORTS.values())
        if url.port not in ports:
            return False
        return host.endswith(allowed[1:]) if allowed.startswith("*.") else host == allowed


class ImageFetcher:
    """One HTTP session for pictures: no cookies, no proxies from the environment, no compressed bodies."""

    def __init__(
        self,
        hosts: AllowedHosts,
        *,
        allow_address: Callable[[str], bool] = is_public_address,
        look_up: LookUp = socket.getaddrinfo,
    ) -> None:
        """`allow_address` is there for tests against a local server; the default is the only safe choice."""
        self._hosts = hosts
        self._allow_address = allow_address
        self._look_up = look_up
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the session (needs the running loop)."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=CheckedResolver(self._allow_address, self._look_up), limit=16
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # the limit counts what would be decompressed
            trust_env=False,
            timeout=aiohttp.ClientTimeout(total=None),  # `images.ImageLoader` sets the one that counts
            headers={"Accept": "image/jpeg, image/png, image/webp, image/gif", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, address: str) -> bytes:
        """The body, at most `MAX_BYTES`. Raises `ImageRefused`; how long it may take is the caller's to say."""
        if self._session is None:
            raise RuntimeError("ImageFetcher.fetch before start()")
        url = self._checked(_parsed(address))
        for _ in range(MAX_REDIRECTS + 1):
            try:
                async with self._session.get(url, allow_redirects=False) as response:
                    if response.status in _REDIRECTS:
                        url = self._redirected(url, response.headers.get("Location", ""))
                        continue
                    if response.status != 200:
                        raise ImageRefused(
                            f"image_http_{response.status}", f"{url.raw_host} answered {response.status}"
                        )
                    return await _body(response)
            except aiohttp.ClientConnectorDNSError as error:
                if isinstance(error.os_error, AddressRefused):
                    raise ImageRefused("image_address_refused", str(error.os_error)) from error
                raise ImageRefused("image_unreachable", f"{url.raw_host}: {error}") from error
            except (
                UnicodeError
            ) as error:  # resolving encodes the name: empty or long labels, letters IDNA does not know
                raise ImageRefused(
                    "image_address_unreadable", f"{url.raw_host} is no host name: {error}"
                ) from error
            except aiohttp.ClientError as error:
                raise ImageRefused(
                    "image_unreachable", f"{url.raw_host}: {type(error).__name__}: {error}"
                ) from error
        raise ImageRefused(
            "image_redirect_refused", f"more than {MAX_REDIRECTS} redirects, last to {url.raw_host}"
        )

    def _redirected(self, url: URL, location: str) -> URL:
        try:
            return self._checked(url.join(_parsed(location)))
        except ImageRefused as error:
            raise ImageRefused(
                "image_redirect_refused", f"{url.raw_host} redirects elsewhere: {error.detail}"
            ) from error

    def _checked(self, url: URL) -> URL:
        if url.scheme not in _DEFAULT_PORTS:
            raise ImageRefused(
                "image_scheme_refused", f"scheme {url.scheme!r}; only http and https are fetched"
            )
        if url.raw_host is None or url.user is not None or url.password is not None:
            raise ImageRefused(
                "image_host_refused", "an address needs a host and may not carry a user or password"
            )
        if not self._hosts.allow(url):
            raise ImageRefused(
                "image_host_refused", f"{url.raw_host}:{url.port} is not among SEKISHO_IMAGE_HOSTS"
            )
        # What looks like an address is not resolved by aiohttp, so the resolver's check does not see it; 2130706433
        # and 127.1 look like one to aiohttp and are the loopback to some systems.
        if is_ip(url.raw_host):
            if not self._allow_address(url.raw_host):
                raise ImageRefused("image_address_refused", f"{url.raw_host} is not a public address")
        elif url.raw_host.replace(".", "").isdigit():
            raise ImageRefused(
                "image_host_refused", f"{url.raw_host} is neither a name nor an address in full"
            )
        return url


def _parsed(address: str) -> URL:
    try:
        return URL(address)
    except ValueError as error:
        raise ImageRefused("image_address_unreadable", f"not an address: {error}") from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    if response.content_length is not None and response.content_length > MAX_BYTES:
        raise ImageRefused(
            "image_too_large", f"{response.content_length} bytes; at most {MAX_BYTES} are fetched"
        )
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BYTES:
            raise ImageRefused("image_too_large", f"more than {MAX_BYTES} bytes")
    return bytes(body)
