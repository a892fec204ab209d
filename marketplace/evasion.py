"""Spellings that hide a word from a word list: half-width kana, spread letters, look-alikes, inserted marks."""

from __future__ import annotations

from random import Random

#: Katakana to its half-width form. Voiced letters become two characters, as a keyboard writes them.
_FULL = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー"
_HALF = "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ"
_VOICED = {
    "ガ": "ｶﾞ",
    "ギ": "ｷﾞ",
    "グ": "ｸﾞ",
    "ゲ": "ｹﾞ",
    "ゴ": "ｺﾞ",
    "ザ": "ｻﾞ",
    "ジ": "ｼﾞ",
    "ズ": "ｽﾞ",
    "ゼ": "ｾﾞ",
    "ゾ": "ｿﾞ",
}
_VOICED |= {"ダ": "ﾀﾞ", "デ": "ﾃﾞ", "ド": "ﾄﾞ", "バ": "ﾊﾞ", "ビ": "ﾋﾞ", "ブ": "ﾌﾞ", "ベ": "ﾍﾞ", "ボ": "ﾎﾞ"}
_VOICED |= {"パ": "ﾊﾟ", "ピ": "ﾋﾟ", "プ": "ﾌﾟ", "ペ": "ﾍﾟ", "ポ": "ﾎﾟ"}
_HALF_WIDTH = str.maketrans({**dict(zip(_FULL, _HALF, strict=True)), **_VOICED})
_FULL_WIDTH = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
_LOOK_ALIKE = str.maketrans({"a": "@", "e": "3", "i": "1", "o": "0", "s": "$", "I": "l", "E": "3", "O": "0"})
_MARKS = (" ", "　", ".", "・", "-", "*", "\u200b", "_", "/")


def half_width(word: str) -> str:
    """ライン → ﾗｲﾝ."""
    return word.translate(_HALF_WIDTH)


def full_width(word: str) -> str:
    """LINE → ＬＩＮＥ."""
    return word.translate(_FULL_WIDTH)


def look_alike(word: str) -> str:
    """Signal → $1gn@l."""
    return word.translate(_LOOK_ALIKE)


def spread(word: str, mark: str) -> str:
    """振込 → 振　込: one mark between the characters."""
    return mark.join(word)


def disguise(word: str, rng: Random) -> str:
    """One of the disguises that changes this word; the word itself when none does."""
    candidates = [form for form in (half_width(word), full_width(word), look_alike(word)) if form != word]
    if len(word) > 1:
        candidates.append(spread(word, rng.choice(_MARKS)))
    return rng.choice(candidates) if candidates else word


def disguise_in(text: str, words: tuple[str, ...], rng: Random) -> str:
    """The text with the first of the words that stands in it disguised everywhere."""
    for word in words:
        if word in text:
            return text.replace(word, disguise(word, rng))
    return text
