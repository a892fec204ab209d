"""Mutations that know nothing of the format: bytes flipped, lost, repeated, in another encoding."""

from __future__ import annotations

from random import Random

from tests.faults.fuzz.mutator import Mutator, of_value


def _flipped(rng: Random, value: bytes) -> bytes:
    out = bytearray(value)
    for _ in range(rng.randint(1, 8)):
        if out:
            out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def _inserted(rng: Random, value: bytes) -> bytes:
    at = rng.randint(0, len(value))
    return value[:at] + rng.randbytes(rng.choice((1, 2, 3, 50))) + value[at:]


def _repeated(rng: Random, value: bytes) -> bytes:
    first, last = sorted((rng.randint(0, len(value)), rng.randint(0, len(value))))
    return value[:last] + value[first:last] * rng.randint(1, 3) + value[last:]


def _swapped(rng: Random, value: bytes) -> bytes:
    a, b, c = sorted(rng.randint(0, len(value)) for _ in range(3))
    return value[:a] + value[b:c] + value[a:b] + value[c:]


#: Never valid: stray bytes, overlong forms, a surrogate in UTF-8 (CESU), beyond U+10FFFF, cut short.
_NO_UTF8 = (b"\xff", b"\xc0\x80", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88", b"\xe3\x81", b"\x80")  # fmt: skip


def _no_utf8(rng: Random, value: bytes) -> bytes:
    at = value.rfind(b'"') if rng.random() < 0.5 else rng.randint(0, len(value))
    return value[:at] + rng.choice(_NO_UTF8) + value[at:]


def _other_encoding(rng: Random, value: bytes) -> bytes:
    encoding = rng.choice(
        ("utf-16", "utf-16-le", "utf-32", "utf-7", "shift_jis", "euc_jp", "iso2022_jp", "utf-8-sig")
    )
    return value.decode("utf-8", "replace").encode(encoding, "ignore")


MUTATORS = (
    Mutator("bits flipped", of_value(_flipped), share=3),
    Mutator("cut short", of_value(lambda rng, value: value[: rng.randint(0, len(value))])),
    Mutator("beginning lost", of_value(lambda rng, value: value[rng.randint(0, len(value)) :])),
    Mutator("bytes inserted", of_value(_inserted), share=2),
    Mutator("bytes repeated", of_value(_repeated)),
    Mutator("bytes moved", of_value(_swapped)),
    Mutator("not UTF-8", of_value(_no_utf8), share=2),
    Mutator("another encoding, or a byte order mark", of_value(_other_encoding)),
    Mutator("zero bytes", of_value(lambda rng, value: value + b"\0" * rng.randint(1, 100))),
    Mutator("noise", of_value(lambda rng, value: rng.randbytes(rng.randint(0, 3000)))),
    Mutator(
        "two records in one", of_value(lambda rng, value: value + rng.choice((b"", b"\n", b",")) + value)
    ),
)
