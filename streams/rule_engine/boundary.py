"""Where a word ends in text without spaces: a hit inside a longer run of the same script is another word.

ライン in ラインストーン and `line` in `deadline` are not hits. Morphological analysis does not help here: UniDic,
IPAdic and Sudachi all cut ラインストーン into ライン and ストーン. Kanji and hiragana have no such runs; there the rule's
exceptions decide.
"""

from __future__ import annotations

_KATAKANA, _LATIN, _OTHER = 1, 2, 0


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] (not empty) is not part of a longer katakana or Latin/digit run."""
    return not (
        (start > 0 and _same_run(text[start - 1], text[start]))
        or (end < len(text) and _same_run(text[end - 1], text[end]))
    )


def _same_run(left: str, right: str) -> bool:
    script = _script(left)
    return script != _OTHER and script == _script(right)


def _script(character: str) -> int:
    if "ァ" <= character <= "ヺ" or character == "ー":
        return _KATAKANA
    return _LATIN if character.isascii() and character.isalnum() else _OTHER
