"""Texts that are hard to look through: marks, jamo, invisible characters, look-alikes, and bait for every pattern."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from tests.faults.fuzz.mutator import Mutator, of_text

#: Characters in a long one: up to twice what rules look through, which is the most that costs time.
LONG: Final = (50, 500, 2_000, 20_000)
_PERSONAL: Final = (
    "090-1234-5678",
    "taro@example.com",
    "〒150-0001 東京都渋谷区神宮前1-2-3",
    "LINE ID: taro_99",
    "4111 1111 1111 1111",
)


def _filled(piece: str) -> Callable[[Random, str], str]:
    """The text, personal data beside it so that masking has work to do, and the piece many times over."""

    def text(rng: Random, written: str) -> str:
        count = rng.choices(LONG, (4, 4, 2, 1))[0]
        filled = (piece * (count // len(piece) + 1))[:count]
        return f"{rng.choice(_PERSONAL)} {written}{filled}" if rng.random() < 0.5 else f"{filled}{written}"

    return text


def _sprinkled(characters: str) -> Callable[[Random, str], str]:
    """One of the characters between every two of the text."""
    return lambda rng, written: "".join(letter + rng.choice(characters) for letter in written)


_LOOK_ALIKES = str.maketrans("LINEAOPlineaop", "ＬⅠΝΕΑОРⅼіոеаоρ")

MUTATORS = (
    Mutator("marks heaped on a letter", of_text(_filled("\u0301\u0316\u0338\u20dd"))),
    Mutator("one mark a thousand times", of_text(_filled("\u0301"))),
    Mutator("half-width voiced marks", of_text(_filled("カﾞ")), share=0.5),
    Mutator("Hangul jamo", of_text(_filled("\u1100\u1161\u11a8\u115f\uffa0"))),
    Mutator("characters that grow when normalised", of_text(_filled("\ufdfa㍍㋿ﬃ")), share=0.5),
    Mutator("zero-width characters", of_text(_sprinkled("\u200b\u200c\u200d\u2060\ufeff\u00ad\U000e0041"))),
    Mutator("bidirectional controls", of_text(_sprinkled("\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f"))),
    Mutator("control characters", of_text(_sprinkled("\0\a\b\x1b\x7f\x85\u2028\u2029\r"))),
    Mutator("look-alikes", of_text(lambda rng, written: written.translate(_LOOK_ALIKES))),
    Mutator("lone surrogates", of_text(_sprinkled("\ud800\udbff\udc00\udfff"))),
    Mutator("private and unassigned characters", of_text(_sprinkled("\ue000\ue00f\uf8ff\U000f0000\U0010ffff\uffff\ufdd0"))),
    Mutator("emoji sequences", of_text(_filled("👨‍👩‍👧‍👦🇱🇮🇳🇪0️⃣"))),
    Mutator("digits", of_text(_filled("1234567890"))),
    Mutator("numerals in other scripts", of_text(_filled("１２③Ⅳ五〇𝟗٣"))),
    Mutator("bait for numbers", of_text(_filled("090-12-34 +81 (0)3-"))),
    Mutator("bait for addresses", of_text(_filled("a.b@c.d@e.f..at g dot "))),
    Mutator("bait for accounts", of_text(_filled("口座番号 普通 gb82 west 1234 sort code "))),
    Mutator("bait for places", of_text(_filled("東京都市区町村丁目1-"))),
    Mutator("bait for handles", of_text(_filled("line id:t.me/@_a"))),
    Mutator("placeholders", of_text(_filled("〈PHONE〉〈NAME〉〈"))),
    Mutator("brackets and quotes", of_text(_filled("(「『\"'`${{<!--%s\\"))),
    Mutator("white space", of_text(_filled(" \t\n\u3000\u00a0\u2003"))),
    Mutator("one letter", of_text(_filled("a"))),
    Mutator("nothing", of_text(lambda rng, written: "")),
    Mutator("very long", of_text(lambda rng, written: (written + "。") * (99_000 // (len(written) + 1))), share=0.1),
)  # fmt: skip
