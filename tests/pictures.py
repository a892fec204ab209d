"""Pictures that no honest seller sends."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header promises more than its few bytes hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _png(_chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0" * 1000)))


def png_with(chunks: dict[bytes, bytes], *, pixels: bytes | None = None) -> bytes:
    """A black PNG of 10 x 10, with further chunks before its data, or other bytes than its own for the pixels."""
    data = zlib.compress(b"\0" * 310) if pixels is None else pixels
    extra = b"".join(_chunk(kind, body) for kind, body in chunks.items())
    header = struct.pack(">IIBBBBB", 10, 10, 8, 2, 0, 0, 0)
    return _png(_chunk(b"IHDR", header) + extra + _chunk(b"IDAT", data))


def exif_of_large_tags(tags: int, size: int) -> bytes:
    """A TIFF directory in which every tag claims the same `size` bytes."""
    entries = b"".join(struct.pack("<HHLL", 1000 + tag, 1, size, 8) for tag in range(tags))
    body = struct.pack("<2sHLH", b"II", 42, 8, tags) + entries + struct.pack("<L", 0)
    return body.ljust(size + 8, b"\0")


def jpeg_of_scans(side: int, scans: int) -> bytes:
    """A progressive JPEG of one colour whose last, empty scan comes as often as to make that many."""
    out = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * (scans - data.count(b"\xff\xda")) + data[-2:]


def gif_beyond_its_screen(width: int, height: int) -> bytes:
    """A GIF whose screen is a single pixel and whose one frame claims that size."""
    out = io.BytesIO()
    Image.new("P", (1, 1)).save(out, "GIF")
    data = bytearray(out.getvalue())
    frame = data.index(b"\x2c", 13)  # the image descriptor: left, top, width, height
    struct.pack_into("<HH", data, frame + 5, width, height)
    return bytes(data)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _png(chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunks + _chunk(b"IEND", b"")
