"""What a hostile image host, name server or address may try; the servers are real ones on the loopback."""

from __future__ import annotations

import asyncio
import gzip
import io
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from streams.events import ImageSource
from streams.features import image_addresses
from streams.features.image_addresses import is_public_address
from streams.features.image_decode import ImageRefused
from streams.features.image_fetch import AllowedHosts, ImageFetcher
from streams.features.images import ImageLoader
from tests.kafka_server import certificates

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def jpeg() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG")
    return out.getvalue()


RED = jpeg()
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(RED) + RED


class Host:
    """A server that counts its connections and answers each as it was told, byte for byte."""

    def __init__(self, answer: bytes | Answer, *, address: str = "127.0.0.1") -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0
        self._answer = answer
        self._address = address

    async def start(self, port: int = 0, tls: ssl.SSLContext | None = None) -> Host:
        self._server = await asyncio.start_server(self._serve, self._address, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            if isinstance(self._answer, bytes):
                writer.write(self._answer)
                await writer.drain()
            else:
                await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the fetcher has had enough
        finally:
            writer.close()


@pytest_asyncio.fixture
async def host() -> AsyncIterator[Callable[..., Awaitable[Host]]]:
    started: list[Host] = []

    async def start(answer: bytes | Answer, *, address: str = "127.0.0.1", **options: Any) -> Host:
        started.append(Host(answer, address=address))
        return await started[-1].start(**options)

    yield start
    for one in started:
        await one.stop()


@pytest_asyncio.fixture
async def fetcher() -> AsyncIterator[Callable[..., Awaitable[ImageFetcher]]]:
    """Fetchers to which 127.0.0.1 stands for the public internet, and 127.0.0.2 for the private network."""
    started: list[ImageFetcher] = []

    async def start(*hosts: str, **options: Any) -> ImageFetcher:
        options = {"allow_address": lambda ip: ip == "127.0.0.1", **options}
        started.append(ImageFetcher(AllowedHosts(hosts), **options))
        await started[-1].start()
        return started[-1]

    yield start
    for one in started:
        await one.close()


def answering(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A name server's answer to any name."""

    def look_up(_host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return look_up


async def refused(fetcher: ImageFetcher, url: str) -> str:
    with pytest.raises(ImageRefused) as caught:
        await fetcher.fetch(url)
    return caught.value.reason


# Names


async def test_of_a_name_with_both_kinds_of_addresses_only_the_public_one_is_connected_to(
    host, fetcher
) -> None:
    public = await host(WHOLE)
    private = await host(WHOLE, address="127.0.0.2", port=public.port)
    fetch = await fetcher(f"both.example:{public.port}", look_up=answering("127.0.0.2", "127.0.0.1"))
    assert await fetch.fetch(f"http://both.example:{public.port}/a.jpg") == RED
    assert (public.connections, private.connections) == (1, 0)


async def test_a_name_that_changes_its_address_after_the_check_is_connected_to_where_it_was_checked(
    host, fetcher
) -> None:
    public = await host(WHOLE)
    private = await host(WHOLE, address="127.0.0.2", port=public.port)
    asked: list[str] = []

    def rebinding(name: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        asked.append(name)
        return answering("127.0.0.1" if len(asked) == 1 else "127.0.0.2")(name, port, **options)

    fetch = await fetcher(f"*.example:{public.port}", look_up=rebinding)
    assert await fetch.fetch(f"http://a.example:{public.port}/a.jpg") == RED
    assert asked == ["a.example"], "a second question could have had another answer"
    assert await refused(fetch, f"http://b.example:{public.port}/a.jpg") == "image_address_refused"
    assert private.connections == 0


async def test_a_redirect_to_a_name_with_a_private_address_is_not_followed(host, fetcher) -> None:
    private = await host(WHOLE, address="127.0.0.2")
    location = f"http://inner.example:{private.port}/a.jpg".encode()
    public = await host(b"HTTP/1.1 302 Found\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")

    def look_up(name: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        return answering("127.0.0.2" if name == "inner.example" else "127.0.0.1")(name, port, **options)

    fetch = await fetcher(f"shop.example:{public.port}", f"inner.example:{private.port}", look_up=look_up)
    assert await refused(fetch, f"http://shop.example:{public.port}/a.jpg") == "image_address_refused"
    assert (public.connections, private.connections) == (1, 0)


async def test_a_name_server_that_does_not_answer_holds_up_nothing_but_its_own_pictures(
    host, fetcher
) -> None:
    """asyncio looks up Kafka's names in a handful of threads of the event loop, which must not all wait for it."""
    public = await host(WHOLE)
    asked: list[str] = []
    answer = threading.Event()

    def silent(name: str, port: int, **options: Any) -> list[tuple[Any, ...]]:
        asked.append(name)
        answer.wait(60)
        return answering("127.0.0.1")(name, port, **options)

    fetch = await fetcher(f"*.example:{public.port}", look_up=silent)
    try:
        async with asyncio.timeout(30):  # in the loop's own threads the last would wait for the sixty seconds
            for number in range(image_addresses.MAX_LOOKUPS):
                one = asyncio.create_task(fetch.fetch(f"http://n{number}.example:{public.port}/a.jpg"))
                await _until(lambda number=number: len(asked) > number)
                one.cancel()
            assert await refused(fetch, f"http://more.example:{public.port}/a.jpg") == "image_unreachable"
            assert await asyncio.get_running_loop().getaddrinfo("localhost", 80)
    finally:
        answer.set()
    async with asyncio.timeout(30):
        await _until(lambda: not any(thread.name == "image-name" for thread in threading.enumerate()))
        assert await fetch.fetch(f"http://again.example:{public.port}/a.jpg") == RED


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - threads set no event of ours
        await asyncio.sleep(0.005)


@pytest.mark.parametrize(
    "address",
    [
        "fec0::1",
        "::7f00:1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "100::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.8",
        "192.88.99.1",
        "198.18.0.1",
        "203.0.113.1",
        "240.0.0.1",
    ],
)
def test_addresses_inside_networks_are_not_public(address: str) -> None:
    assert not is_public_address(address)


# Addresses written otherwise

SPELLINGS = [
    "2130706433",
    "127.1",
    "0177.0.0.1",
    "0x7f000001",
    "0x7f.1",
    "127.0.0.1",
    "0.0.0.0",
    "[::]",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "169.254.169.254",
    "[fe80::1%25lo]",
    "１２７.0.0.1",
    "127。0。0。1",
    "localhost",
    "LOCALHOST.",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_however_a_private_address_is_written_nothing_connects_to_it(
    host, fetcher, spelling: str
) -> None:
    """Even where the operator's list names it; the check of addresses is the default one."""
    trap = await host(WHOLE)
    listed = [f"{spelling.lower().rstrip('.')}:{trap.port}", f"127.0.0.1:{trap.port}"]
    fetch = await fetcher(*listed, allow_address=is_public_address)
    async with asyncio.timeout(20):
        reason = await refused(fetch, f"http://{spelling}:{trap.port}/a.jpg")
    assert reason in {
        "image_address_refused", "image_host_refused", "image_address_unreadable", "image_unreachable",
    }  # fmt: skip
    assert trap.connections == 0


@pytest.mark.parametrize(
    "location",
    [
        "//169.254.169.254/latest/meta-data",
        "http://169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://0.0.0.0/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://user:pass@shop.example/",
        "http://shop.example@169.254.169.254/",
        "https://shop.example:22/",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "http://[",
        "\\\\169.254.169.254\\x",
    ],
)
async def test_redirects_elsewhere_are_refused(host, fetcher, location: str) -> None:
    shop = await host(b"HTTP/1.1 307 Go\r\nLocation: " + location.encode() + b"\r\nContent-Length: 0\r\n\r\n")
    fetch = await fetcher(f"shop.example:{shop.port}", look_up=answering("127.0.0.1"))
    assert await refused(fetch, f"http://shop.example:{shop.port}/a.jpg") == "image_redirect_refused"
    assert shop.connections <= 3


# Answers


async def _drip_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for byte in WHOLE:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.2)


async def _headers_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"a" * 4000 + b"\r\n")
        await writer.drain()


async def _one_header_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX-More: ")
    while True:
        writer.write(b"a" * 65536)
        await writer.drain()


async def _soon(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()
        await asyncio.sleep(0.01)


async def _silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    await reader.read()


async def _drip_after_the_headers(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\xff")
        await writer.drain()
        await asyncio.sleep(0.2)


async def _body_without_end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"\xff" * 65536)
        await writer.drain()


ZIPPED = gzip.compress(b"\0" * 50_000_000, 1)


@pytest.mark.parametrize(
    ("answer", "reasons"),
    [
        (_drip_headers, {"image_timeout"}),
        (_silent, {"image_timeout"}),
        (_drip_after_the_headers, {"image_timeout"}),
        (_soon, {"image_timeout", "image_unreachable"}),
        (_headers_without_end, {"image_unreachable"}),
        (_one_header_without_end, {"image_unreachable"}),
        (_body_without_end, {"image_too_large"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + RED, {"image_too_large"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + RED, {"image_unreachable"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + RED, {"image_broken", "image_unreachable"}),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + RED, {"image_unreachable"}),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 20\r\n\r\n" + RED,
            {"image_unreachable"},
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(ZIPPED) + ZIPPED,
            {"image_broken"},
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFF\r\n" + RED,
            {"image_unreachable", "image_too_large"},
        ),
        (b"not HTTP at all\r\n\r\n", {"image_unreachable"}),
        (b"", {"image_unreachable"}),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", {"image_http_101"}),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 0\r\n\r\n", {"image_http_206"}),
    ],
)
async def test_whatever_a_host_answers_costs_the_picture_and_its_time(
    host, answer: bytes | Answer, reasons: set[str]
) -> None:
    server = await host(answer)
    loader = ImageLoader(
        hosts=[f"127.0.0.1:{server.port}"], paths=None, timeout_s=1.5, allow_address=lambda _: True
    )
    await loader.start()
    try:
        async with asyncio.timeout(30):
            image, notes = await loader.load([ImageSource(url=f"http://127.0.0.1:{server.port}/a.jpg")])
    finally:
        await loader.close()
    assert image is None
    assert set(notes) <= reasons
    assert notes


async def test_nothing_of_the_environment_or_of_earlier_answers_is_sent(
    host, fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No proxy, no .netrc, no cookie, no referrer: a host learns nothing and chooses no way."""
    proxy = await host(WHOLE, address="127.0.0.2")
    (tmp_path / "netrc").write_text("default login operator password netrc-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.2:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    second = await host(WHOLE)
    first = await host(
        b"HTTP/1.1 302 Found\r\nSet-Cookie: session=1; Domain=example\r\nContent-Length: 0\r\nLocation: "
        + f"http://b.example:{second.port}/a.jpg\r\n\r\n".encode()
    )
    fetch = await fetcher(
        f"a.example:{first.port}", f"b.example:{second.port}", look_up=answering("127.0.0.1")
    )
    assert await fetch.fetch(f"http://a.example:{first.port}/a.jpg") == RED
    assert proxy.connections == 0
    (sent,) = second.requests
    names = {line.split(b":")[0].lower() for line in sent.splitlines()[1:] if line}
    assert names == {b"host", b"accept", b"accept-encoding", b"user-agent"}
    assert b"netrc-secret" not in sent


@pytest.mark.skipif(not certificates.available(), reason="openssl is not on the PATH")
async def test_a_host_over_tls_must_prove_its_name(host, fetcher, tmp_path: Path) -> None:
    shown = certificates.make(tmp_path).server
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(shown.certificate, shown.key)
    server = await host(WHOLE, tls=tls)
    fetch = await fetcher(f"shop.example:{server.port}", look_up=answering("127.0.0.1"))
    assert await refused(fetch, f"https://shop.example:{server.port}/a.jpg") == "image_unreachable"
    assert server.requests == []
