from __future__ import annotations

import io
import pickle
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from streams.features import image_decode
from streams.features.image_decode import MAX_BYTES, SIDE, ImageRefused, decode_image
from tests.pictures import (
    exif_of_large_tags,
    gif_beyond_its_screen,
    jpeg_of_scans,
    png_claiming,
    png_with,
)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def quarters(mode: str = "RGB", size: tuple[int, int] = (300, 200)) -> Image.Image:
    """Red, green / blue, white: shows which way up a picture is."""
    width, height = size
    image = Image.new("RGB", size, "white")
    image.paste("red", (0, 0, width // 2, height // 2))
    image.paste("lime", (width // 2, 0, width, height // 2))
    image.paste("blue", (0, height // 2, width // 2, height))
    return image.convert(mode)


def corners(pixels: np.ndarray) -> list[str]:
    names = {(1, 0, 0): "red", (0, 1, 0): "lime", (0, 0, 1): "blue", (1, 1, 1): "white", (0, 0, 0): "black"}
    q = SIDE // 4
    places = [(q, q), (q, 3 * q), (3 * q, q), (3 * q, 3 * q)]
    return [names[tuple((pixels[place] > 127).astype(int))] for place in places]


@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("PNG", "P"),
        ("WEBP", "RGB"),
        ("GIF", "P"),
    ],
)
def test_every_format_comes_out_as_the_same_picture(kind: str, mode: str) -> None:
    pixels = decode_image(encoded(quarters(mode), kind))
    assert pixels.shape == (SIDE, SIDE, 3)
    assert pixels.dtype == np.uint8
    assert corners(pixels) == ["red", "lime", "blue", "white"]


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, ["red", "lime", "blue", "white"]),
        (2, ["lime", "red", "white", "blue"]),
        (3, ["white", "blue", "lime", "red"]),
        (4, ["blue", "white", "red", "lime"]),
        (5, ["red", "blue", "lime", "white"]),
        (6, ["blue", "red", "white", "lime"]),
        (7, ["white", "lime", "blue", "red"]),
        (8, ["lime", "white", "red", "blue"]),
        (99, ["red", "lime", "blue", "white"]),
    ],
)
def test_a_picture_is_turned_the_way_its_exif_says(orientation: int, seen: list[str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(decode_image(encoded(quarters(), "JPEG", exif=exif))) == seen


def test_unreadable_exif_does_not_hide_the_picture() -> None:
    data = encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff broken")
    assert corners(decode_image(data)) == ["red", "lime", "blue", "white"]


def test_transparent_is_white_and_sixteen_bits_are_scaled() -> None:
    clear = Image.new("RGBA", (50, 50), (255, 0, 0, 0))
    assert (decode_image(encoded(clear, "PNG")) == 255).all()
    grey = Image.fromarray(np.full((50, 50), 0x8000, np.uint16))
    assert (decode_image(encoded(grey, "PNG")) == 0x80).all()


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert corners(decode_image(data)) == ["red"] * 4


def test_a_single_pixel_is_a_picture() -> None:
    assert corners(decode_image(encoded(Image.new("RGB", (1, 1), "blue"), "PNG"))) == ["blue"] * 4


@pytest.mark.parametrize(("width", "height"), [(7000, 7000), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_picture_of_too_many_pixels_is_refused_from_its_header(width: int, height: int) -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(png_claiming(width, height))
    assert refused.value.reason == "image_bomb"


def test_too_many_bytes_are_refused_unread() -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(b"\0" * (MAX_BYTES + 1))
    assert refused.value.reason == "image_too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
        encoded(quarters(), "TIFF"),
        encoded(quarters(), "BMP"),
        encoded(quarters(), "JPEG")[:1500],
        encoded(quarters(), "PNG")[:-100],
        png_claiming(200, 200),
    ],
    ids=["empty", "svg", "postscript", "tiff", "bmp", "truncated-jpeg", "truncated-png", "png-without-data"],
)
def test_what_is_no_whole_picture_of_a_known_format_is_broken(data: bytes) -> None:
    with pytest.raises(ImageRefused) as refused:
        decode_image(data)
    assert refused.value.reason == "image_broken"


def test_pixels_over_the_limit_are_refused_whatever_the_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_decode, "MAX_PIXELS", 300 * 200 - 1)
    for kind in ("JPEG", "PNG", "WEBP", "GIF"):
        with pytest.raises(ImageRefused) as refused:
            decode_image(encoded(quarters(), kind))
        assert refused.value.reason == "image_bomb"


_BASES = [encoded(quarters(size=(40, 30)), kind) for kind in ("JPEG", "PNG", "WEBP", "GIF")]


@given(st.sampled_from(_BASES), st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=8))
def test_damaged_bytes_are_decoded_or_refused_and_nothing_else(
    base: bytes, damage: list[tuple[int, int]]
) -> None:
    data = bytearray(base)
    for at, value in damage:
        data[at % len(data)] = value
    try:
        pixels = decode_image(bytes(data))
    except ImageRefused as refused:
        assert refused.reason in {"image_broken", "image_bomb"}  # noqa: PT017 - either outcome is right
    else:
        assert pixels.shape == (SIDE, SIDE, 3)


def refusal(data: bytes) -> str:
    with pytest.raises(ImageRefused) as refused:
        decode_image(data)
    return refused.value.reason


def test_a_jpeg_of_endless_scans_is_refused_unread() -> None:
    """Each scan of a progressive JPEG passes over all its pixels, and an empty one costs its sender 59 bytes."""
    assert corners(decode_image(jpeg_of_scans(300, image_decode.MAX_SCANS))) == ["red"] * 4
    assert refusal(jpeg_of_scans(300, image_decode.MAX_SCANS + 1)) == "image_bomb"


def test_markers_that_are_not_the_pictures_own_scans_are_not_counted() -> None:
    scans = b"\xff\xda" * 2 * image_decode.MAX_SCANS
    plain = encoded(quarters(), "JPEG")
    thumbnail = plain[:2] + b"\xff\xe5" + struct.pack(">H", len(scans) + 2) + scans + plain[2:]
    film = plain + scans
    for data in (thumbnail, film):
        assert corners(decode_image(data)) == ["red", "lime", "blue", "white"]


def test_an_end_inside_a_segment_does_not_hide_the_scans_behind_it() -> None:
    data = jpeg_of_scans(300, image_decode.MAX_SCANS + 1)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    feint = b"\xff\xe5" + struct.pack(">H", 4) + b"\xff\xd9"
    at = data.rindex(b"\xff\xc4", first, second)  # the tables before the second scan
    assert refusal(data[:at] + feint + data[at:]) == "image_bomb"


def test_a_gif_frame_larger_than_its_screen_counts_with_its_own_size() -> None:
    assert refusal(gif_beyond_its_screen(60_000, 60_000)) == "image_bomb"


@pytest.mark.parametrize("tail", [b"PK\x03\x04 an archive", b"<script>alert(1)</script>", b"\0" * 100_000])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_of_a_file_that_is_also_something_else_only_the_picture_is_seen(kind: str, tail: bytes) -> None:
    pixels = decode_image(encoded(quarters(), kind) + tail)
    assert corners(pixels) == ["red", "lime", "blue", "white"]


def test_further_frames_are_not_decoded() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "lime", "blue")]
    for kind in ("PNG", "WEBP", "GIF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50)
        assert corners(decode_image(data)) == ["red"] * 4
        if kind != "WEBP":  # whose frames stand in one container that must be whole
            assert corners(decode_image(data[: len(data) * 2 // 3])) == ["red"] * 4, kind


_MEASURED = """
import pickle, resource, sys
from streams.features.image_decode import ImageRefused, decode_image
data = pickle.load(sys.stdin.buffer)
decode_image(pickle.load(sys.stdin.buffer))  # what is loaded once
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    decode_image(data)
    outcome = "decoded"
except ImageRefused as refused:
    outcome = refused.reason
print(outcome, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def decoded_alone(data: bytes) -> tuple[str, int, str]:
    """What comes of it in a process of its own: the outcome, the memory it took in MiB, and standard error."""
    warm_up = encoded(quarters("RGBA"), "PNG")
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED],
        input=pickle.dumps(data) + pickle.dumps(warm_up),
        capture_output=True,
        timeout=120,
        check=True,
    )
    outcome, grown = done.stdout.decode().split()
    return outcome, int(grown), done.stderr.decode()


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_picture_takes_little_more_than_its_own_pixels(mode: str) -> None:
    """16 million pixels of 4 bytes are 61 MiB; steps that each held a whole picture took four times that."""
    outcome, grown, _ = decoded_alone(encoded(Image.new(mode, (4000, 4000)), "PNG"))
    assert outcome == "decoded"
    assert grown < 61 + 40


_ZEROS = zlib.compress(b"\0" * 100_000_000, 1)


@pytest.mark.parametrize(
    "data",
    [
        png_with({}, pixels=_ZEROS),
        png_with({b"iCCP": b"x\0\0" + _ZEROS}),
        png_with({b"zTXt": b"x\0\0" + _ZEROS}),
        png_with({b"iTXt": b"x\0\1\0\0\0" + _ZEROS}),
        png_with({b"eXIf": exif_of_large_tags(200, 5_000_000)}),
        encoded(quarters(), "JPEG", icc_profile=b"\0" * 3_000_000),
    ],
    ids=["pixels", "colour-profile", "text", "international-text", "exif", "jpeg-colour-profile"],
)
def test_what_surrounds_the_pixels_does_not_unfold(data: bytes) -> None:
    outcome, grown, _ = decoded_alone(data)
    assert outcome in {"decoded", "image_broken"}
    assert grown < 40


def test_broken_exif_is_no_flood_of_warnings() -> None:
    """Each distinct warning would be printed and remembered for ever."""
    exif = exif_of_large_tags(20_000, 300_000)
    outcome, _, printed = decoded_alone(png_with({b"eXIf": exif}))
    assert outcome == "decoded"
    assert printed == ""
