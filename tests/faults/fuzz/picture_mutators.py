"""Pictures of listings as nobody should send them: addresses into the operator's network, bombs, broken files."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from random import Random
from typing import Any

from PIL import Image

from tests.faults.fuzz.mutator import Mutator, of_body
from tests.faults.fuzz.specimens import Specimen
from tests.pictures import png_claiming

#: Stands for the port of a server on this machine that must never be asked for anything.
PORT = "{port}"

_ADDRESSES = (
    f"http://127.0.0.1:{PORT}/a.jpg", f"http://localhost:{PORT}/a.jpg", f"http://[::1]:{PORT}/a.jpg", f"http://2130706433:{PORT}/",
    f"http://127.1:{PORT}/", f"http://0x7f000001:{PORT}/", f"http://017700000001:{PORT}/", f"http://[::ffff:127.0.0.1]:{PORT}/",
    f"http://[64:ff9b::7f00:1]:{PORT}/", f"http://user:secret@localhost:{PORT}/", f"http://localhost:{PORT}@img.invalid/",
    f"http://img.invalid:{PORT}\\@localhost/", f"http://LOCALHOST.:{PORT}/", f"http://ｌｏｃａｌｈｏｓｔ:{PORT}/", f"http://127。0。0。1:{PORT}/",
    f"HTTP://localhost:{PORT}/%2e%2e/%00?a=%0d%0aHost:%20x", f"http://localhost:{PORT}/" + "a" * 10_000, f"//localhost:{PORT}/a",
    "file:///etc/passwd", "ftp://img.invalid/a", "gopher://localhost/_", "data:image/png;base64,AAAA", "javascript:alert(1)",
    "jar:http://img.invalid!/", "http://", "http:///a", "http://:80/", "http://[", "http://[::1", "http://[fe80::1%25eth0]/",
    "http://img.invalid:0/", "http://img.invalid:99999/", "http://img.invalid:-1/", "http://img.invalid:x/", "http://.invalid/",
    "http://a..invalid/", "http://" + "a" * 64 + ".invalid/", "http://" + "a." * 150 + "invalid/", "http://xn--a.invalid/",
    "http://例え.invalid/画像.jpg", "http://\u200b.invalid/", "http://\ud800.invalid/", "http://a b.invalid/", "http://a\0b.invalid/",
    "http://img.invalid/a\r\nX: y", "https://img.invalid/a.jpg#" + "f" * 5_000, "http://169.254.169.254/latest/meta-data/", "", " ",
    "http://%6c%6f%63%61%6c%68%6f%73%74/", "http://img.invalid/%ff%fe", "http://img.invalid?", "http:img.invalid", "あ" * 10_000,
)  # fmt: skip
_PATHS = (
    "../../etc/passwd",
    "/etc/passwd",
    "",
    ".",
    "a\0b",
    "x" * 5_000,
    "/dev/zero",
    "/proc/self/environ",
    "\ud800",
    "CON",
    "~",
)


@lru_cache
def _files() -> tuple[bytes, ...]:
    found = []
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "ICO"):
        out = io.BytesIO()
        Image.new("RGB", (40, 40), (200, 30, 30)).save(out, kind)
        found.append(out.getvalue())
    return (
        *found,
        png_claiming(60_000, 60_000),
        png_claiming(1, 2_000_000_000),
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"%!PS",
        b"<svg/>",
    )


def _damaged(rng: Random) -> str:
    data = bytearray(rng.choice(_files()))
    for _ in range(rng.choice((0, 1, 5))):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    data = data[: rng.randint(0, len(data))] if rng.random() < 0.3 else data
    text = base64.b64encode(bytes(data)).decode()
    return rng.choice(
        (
            text,
            text,
            text,
            text[:-1],
            text + "=",
            "%%%",
            text.replace("A", "-"),
            f"data:image/png;base64,{text}",
            "é",
        )
    )


def _source(rng: Random, kind: str) -> dict[str, Any]:
    match kind:
        case "url":
            return {"url": rng.choice(_ADDRESSES)}
        case "data":
            return {"data": _damaged(rng)}
        case _:
            return {"path": rng.choice(_PATHS)}


def _of(kind: str) -> Mutator:
    def change(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
        body["images"] = [_source(rng, kind) for _ in range(rng.choice((1, 1, 2, 4)))]

    names = {"url": "addresses of pictures", "data": "files of pictures", "path": "paths of pictures"}
    return Mutator(names[kind], of_body(change), topics=("listings",), share=2)


def _lists(rng: Random, body: dict[str, Any], specimen: Specimen) -> None:
    body["images"] = rng.choice((
        [], [{}], [{"url": None}], [{"url": "http://img.invalid/", "data": "AAAA"}], [{"url": 7}], ["http://img.invalid/"], {},
        [{"url": "x"}] * 50, [{"url": "x"}] * 51, [None], [{"url": "x", "extra": 1}], None, [[{}]], [{"path": "a", "url": "b", "data": "c"}],
    ))  # fmt: skip


MUTATORS = (
    _of("url"),
    _of("data"),
    _of("path"),
    Mutator("lists of pictures", of_body(_lists), topics=("listings",)),
)
