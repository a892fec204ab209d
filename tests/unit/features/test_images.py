from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import os
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from yarl import URL

from streams.events import ImageSource
from streams.features.image_addresses import is_public_address
from streams.features.image_decode import MAX_BYTES
from streams.features.image_fetch import AllowedHosts
from streams.features.images import MAX_TRIED, ImageLoader


def jpeg(colour: str = "red", size: tuple[int, int] = (60, 40)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


RED = jpeg()


class Shop:
    """A real HTTP server on the loopback with pictures and traps."""

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        routes: dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]] = {
            "/ok.jpg": self._picture,
            "/slow.jpg": self._slow,
            "/endless.jpg": self._endless,
            "/claims-much.jpg": self._claims_much,
            "/zipped.jpg": self._zipped,
            "/page.html": self._page,
            "/cut.jpg": self._cut,
            "/half.jpg": self._half,
        }
        for path, handler in routes.items():
            app.router.add_get(path, handler)
        app.router.add_get("/to", self._redirect)
        app.router.add_get("/loop", self._loop)
        self._runner = web.AppRunner(app, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()

    def url(self, path: str, host: str = "localhost") -> str:
        return f"http://{host}:{self.port}{path}"

    async def _picture(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        return web.Response(body=RED, content_type="image/jpeg", headers={"Set-Cookie": "a=b"})

    async def _slow(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for byte in RED:
            await response.write(bytes([byte]))
            await asyncio.sleep(0.05)
        return response

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while True:
            await response.write(b"\xff" * 65536)

    async def _claims_much(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(MAX_BYTES + 1)})
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    async def _zipped(self, request: web.Request) -> web.Response:
        return web.Response(body=zlib.compress(b"\0" * 10_000_000), headers={"Content-Encoding": "deflate"})

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(text="<html>not found</html>", content_type="text/html")

    async def _cut(self, request: web.Request) -> web.Response:
        return web.Response(body=jpeg(size=(600, 600))[:3000], content_type="image/jpeg")

    async def _half(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(RED))})
        await response.prepare(request)
        await response.write(RED[:100])
        assert request.transport is not None
        request.transport.close()
        return response

    async def _redirect(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["url"]})

    async def _loop(self, request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": "/loop"})


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    shop = Shop()
    await shop.start()
    yield shop
    await shop.stop()


@pytest_asyncio.fixture
async def loader(shop: Shop) -> AsyncIterator[ImageLoader]:
    """A loader that may talk to the loopback, where the shop stands."""
    loader = ImageLoader(
        hosts=[f"localhost:{shop.port}"],
        paths=None,
        timeout_s=2.0,
        allow_address=lambda ip: ip in ("127.0.0.1", "::1"),
    )
    await loader.start()
    yield loader
    await loader.close()


async def refusal(loader: ImageLoader, url: str) -> str:
    image, notes = await loader.load([ImageSource(url=url)])
    assert image is None
    (note,) = notes
    return note


async def test_a_picture_from_an_allowed_host(loader: ImageLoader, shop: Shop) -> None:
    image, notes = await loader.load([ImageSource(url=shop.url("/ok.jpg"))])
    assert image is not None
    assert notes == ()
    assert image.digest == hashlib.sha256(RED).hexdigest()
    assert (image.pixels[..., 0] > 200).all()
    await loader.load([ImageSource(url=shop.url("/ok.jpg"))])
    assert "Cookie" not in shop.requests[-1].headers, "what a host sets must not come back to it"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/nothing.jpg", "image_http_404"),
        ("/slow.jpg", "image_timeout"),
        ("/endless.jpg", "image_too_large"),
        ("/claims-much.jpg", "image_too_large"),
        ("/zipped.jpg", "image_broken"),
        ("/page.html", "image_broken"),
        ("/cut.jpg", "image_broken"),
        ("/half.jpg", "image_unreachable"),
        ("/loop", "image_redirect_refused"),
    ],
)
async def test_what_a_host_may_answer(loader: ImageLoader, shop: Shop, path: str, reason: str) -> None:
    assert await refusal(loader, shop.url(path)) == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://other.example/a.jpg", "image_host_refused"),
        ("http://localhost.evil.example/a.jpg", "image_host_refused"),
        ("http://localhost@evil.example/a.jpg", "image_host_refused"),
        ("http://localhost:1/a.jpg", "image_host_refused"),
        ("file:///etc/passwd", "image_scheme_refused"),
        ("ftp://localhost/a.jpg", "image_scheme_refused"),
        ("gopher://localhost/", "image_scheme_refused"),
        ("data:image/png;base64,AAAA", "image_scheme_refused"),
        ("/relative.jpg", "image_scheme_refused"),
        ("", "image_scheme_refused"),
        ("http://[::1/a.jpg", "image_address_unreadable"),
        ("http:///a.jpg", "image_host_refused"),
        ("http://localhost:99999/a.jpg", "image_address_unreadable"),
    ],
)
async def test_addresses_that_are_not_fetched(loader: ImageLoader, url: str, reason: str) -> None:
    assert await refusal(loader, url) == reason


async def test_redirects_are_followed_inside_the_allowed_hosts_only(loader: ImageLoader, shop: Shop) -> None:
    image, _ = await loader.load([ImageSource(url=shop.url("/to?url=/ok.jpg"))])
    assert image is not None
    for target in (
        "http://169.254.169.254/latest/meta-data",
        f"http://127.0.0.1:{shop.port}/ok.jpg",
        "file:///etc/passwd",
    ):
        assert await refusal(loader, shop.url(f"/to?url={target}")) == "image_redirect_refused"
    assert shop.requests[-1].path == "/ok.jpg"
    assert len(shop.requests) == 1


async def test_a_name_that_leads_to_a_private_address_is_refused_by_default(shop: Shop) -> None:
    hosts = [
        f"localhost:{shop.port}",
        f"127.0.0.1:{shop.port}",
        f"[::1]:{shop.port}",
        f"2130706433:{shop.port}",
    ]
    loader = ImageLoader(hosts=hosts, paths=None, timeout_s=2.0)
    await loader.start()
    try:
        for host in ("localhost", "127.0.0.1", "[::1]"):
            assert await refusal(loader, shop.url("/ok.jpg", host)) == "image_address_refused"
        for host in ("2130706433", "127.0.0.1."):
            assert await refusal(loader, shop.url("/ok.jpg", host)) == "image_host_refused"
    finally:
        await loader.close()
    assert shop.requests == []


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    loader = ImageLoader(hosts=["nowhere.invalid"], paths=None, timeout_s=10.0)
    await loader.start()
    try:
        assert await refusal(loader, "http://nowhere.invalid/a.jpg") in {"image_unreachable", "image_timeout"}
    finally:
        await loader.close()


@pytest.mark.parametrize(
    "host", ["a" * 70 + ".shop.invalid", "a..shop.invalid", "xn--a.shop.invalid", "\ud800.shop.invalid"]
)
async def test_a_host_that_is_no_name_is_refused_like_any_other(host: str) -> None:
    """Encoding such a name for the resolver raises UnicodeError, which is no error of the connection."""
    loader = ImageLoader(hosts=["*.shop.invalid"], paths=None, timeout_s=10.0)
    await loader.start()
    try:
        assert await refusal(loader, f"http://{host}/a.jpg") in {
            "image_address_unreadable",
            "image_unreachable",
        }
    finally:
        await loader.close()


@given(
    st.text(st.sampled_from("a.:/@[]%\\?#\x00\ud800é。0-_ \n"), max_size=14),
    st.sampled_from(["", ".shop.invalid:1/", "@shop.invalid"]),
)
@settings(deadline=None, max_examples=150)
def test_no_address_raises_anything(start: str, end: str) -> None:
    async def load() -> tuple[str, ...]:
        loader = ImageLoader(
            hosts=["*.shop.invalid:1"], paths=None, timeout_s=5.0, allow_address=lambda _: False
        )
        await loader.start()
        try:
            return (await loader.load([ImageSource(url=f"http://{start}{end}")]))[1]
        finally:
            await loader.close()

    assert len(asyncio.run(load())) == 1


async def test_nothing_is_fetched_before_start() -> None:
    loader = ImageLoader(hosts=["localhost"], paths=None, timeout_s=1.0)
    with pytest.raises(RuntimeError, match="before start"):
        await loader.load([ImageSource(url="http://localhost/a.jpg")])
    await loader.close()


@pytest.fixture
def local(tmp_path: Path) -> ImageLoader:
    root = tmp_path / "pictures"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "red.jpg").write_bytes(RED)
    (root / "big.jpg").write_bytes(b"\xff" * (MAX_BYTES + 1))
    (tmp_path / "secret.jpg").write_bytes(RED)
    (root / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    os.mkfifo(root / "pipe.jpg")
    return ImageLoader(hosts=[], paths=root, timeout_s=2.0)


async def test_a_local_path_is_read_inside_its_directory_only(local: ImageLoader, tmp_path: Path) -> None:
    image, _ = await local.load([ImageSource(path="inner/red.jpg")])
    assert image is not None
    for path in (
        "../secret.jpg",
        str(tmp_path / "secret.jpg"),
        "link.jpg",
        "pipe.jpg",
        "inner",
        "",
        "missing.jpg",
        "a\0b",
    ):
        assert await local.load([ImageSource(path=path)]) == (None, ("image_path_refused",)), path
    assert await local.load([ImageSource(path="big.jpg")]) == (None, ("image_too_large",))
    await local.close()


async def test_local_paths_are_off_unless_a_directory_is_named() -> None:
    loader = ImageLoader(hosts=[], paths=None, timeout_s=1.0)
    assert await loader.load([ImageSource(path="red.jpg")]) == (None, ("image_path_refused",))
    await loader.close()


async def test_base64_and_unclear_sources() -> None:
    loader = ImageLoader(hosts=[], paths=None, timeout_s=2.0)
    image, notes = await loader.load([ImageSource(data=base64.b64encode(RED).decode())])
    assert image is not None
    assert notes == ()
    for data, reason in (
        ("%%%", "image_broken"),
        ("é", "image_broken"),
        ("A" * (2 * MAX_BYTES), "image_too_large"),
    ):
        assert await loader.load([ImageSource(data=data)]) == (None, (reason,))
    assert await loader.load([ImageSource()]) == (None, ("image_source_unclear",))
    assert await loader.load([ImageSource(data="", path="x")]) == (None, ("image_source_unclear",))
    assert await loader.load([]) == (None, ())
    await loader.close()


async def test_the_first_usable_picture_is_taken_and_the_refused_ones_are_noted() -> None:
    loader = ImageLoader(hosts=[], paths=None, timeout_s=2.0)
    good = [ImageSource(data=base64.b64encode(jpeg(colour)).decode()) for colour in ("lime", "blue")]
    bad = ImageSource(data="AAAA")
    image, notes = await loader.load([bad, ImageSource(path="x"), *good])
    assert image is not None
    assert np.argmax(image.pixels[0, 0]) == 1
    assert notes == ("image_broken", "image_path_refused")
    assert await loader.load([bad] * MAX_TRIED + good) == (
        None,
        ("image_broken",) * MAX_TRIED + ("image_others_untried",),
    )
    await loader.close()


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
        ("2002:0a00:0001::1", False),
    ],
)
def test_public_addresses(address: str, public: bool) -> None:
    assert is_public_address(address) is public


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("img.example.com", "https://img.example.com/a", True),
        ("img.example.com", "http://IMG.EXAMPLE.COM./a", True),
        ("img.example.com", "https://img.example.com:8443/a", False),
        ("img.example.com:8443", "https://img.example.com:8443/a", True),
        ("img.example.com:8443", "https://img.example.com/a", False),
        ("img.example.com", "https://a.img.example.com/a", False),
        ("img.example.com", "https://evilimg.example.com/a", False),
        ("*.example.com", "https://a.b.example.com/a", True),
        ("*.example.com", "https://example.com/a", False),
        ("*.example.com", "https://evilexample.com/a", False),
        ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080/a", True),
        ("2001:db8::1", "http://[2001:db8::1]/a", True),
    ],
)
def test_allowed_hosts(entry: str, url: str, allowed: bool) -> None:
    assert AllowedHosts([entry]).allow(URL(url)) is allowed


@pytest.mark.parametrize(
    "entry", ["", "*", "https://img.example.com", "img.example.com/a", "img.example.com:http"]
)
def test_an_entry_that_is_no_host_is_refused_at_start(entry: str) -> None:
    with pytest.raises(ValueError, match=r"host or host:port|host, \*\.host"):
        ImageLoader(hosts=[entry], paths=None, timeout_s=1.0)
