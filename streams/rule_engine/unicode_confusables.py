"""Writes `look_alikes.py` anew from Unicode's confusables.txt: `python -m streams.rule_engine.unicode_confusables FILE`.

The file (UTS #39, "Unicode Security Mechanisms") maps a character to the one it is drawn like. It is written for a
comparison of two identifiers, and three things are otherwise here:

- Texts are normalised and case-folded before the table is used, so only characters that survive that are in it, and
  a small letter stands for its capital too. Where the two resemble different letters the capital decides (ν is read
  as N, not as v), because names such as LINE are written in capitals.
- The file reads I, l, 1 and | as one character, l. A letter that is drawn like a capital I is read as i.
- Only letters of scripts whose letters stand beside Latin ones unremarked are in it. Others are either never used so,
  or are what ordinary Japanese is written in.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.features.normal_form import normalise

#: First words of the Unicode names of letters that are taken.
SCRIPTS = (
    "ARMENIAN",
    "CANADIAN SYLLABICS",
    "CHEROKEE",
    "COPTIC",
    "CYRILLIC",
    "GREEK",
    "LATIN",
    "LISU",
    "TIFINAGH",
)
#: The file has nothing for omega; and it takes the small palochka for i and the capital one for l, while those who write
#: one within a Latin word mean l (аррӏе).
_BY_HAND = {"ω": "w", "ӏ": "l"}
_LINE = re.compile(r"(?P<source>[0-9A-F]{4,6}) ;\t(?P<target>[0-9A-F ]+) ;\tMA\t#(?P<comment>.*)")
_NAMED_AFTER = re.compile(r"LATIN (?:SMALL LETTER ([A-Z]) WITH .+|LETTER SMALL CAPITAL ([A-Z]))")
_KANJI = re.compile("[一-鿿]")
_KATAKANA = re.compile("[ァ-ヺー]")


@dataclass(frozen=True, slots=True)
class Confusable:
    """A character, what it is drawn like (one or more characters), and the comment, which shows the way there."""

    source: str
    target: str
    comment: str


def read_confusables(lines: Iterable[str]) -> Iterator[Confusable]:
    """The entries of confusables.txt."""
    for line in lines:
        if found := _LINE.match(line):
            target = "".join(chr(int(code, 16)) for code in found["target"].split())
            yield Confusable(chr(int(found["source"], 16)), target, found["comment"])


def latin_look_alikes(confusables: Iterable[Confusable]) -> dict[str, str]:
    """Letters of the normal form that are drawn like one of a to z, and that letter."""
    latin = {
        found.source: letter
        for found in confusables
        if unicodedata.name(found.source, "").startswith(SCRIPTS) and (letter := _letter(found))
    }
    table: dict[str, str] = {}
    for code in range(0x80, sys.maxunicode + 1):
        character = chr(code)
        if not unicodedata.name(character, "").startswith(SCRIPTS) or normalise(character) != character:
            continue
        drawn_like = _named_after(character) or latin.get(character.upper()) or latin.get(character)
        if drawn_like and unicodedata.category(character).startswith("L") and not _has_accents(character):
            table[character] = drawn_like
    return dict(sorted((table | _BY_HAND).items()))


def katakana_look_alikes(confusables: Iterable[Confusable]) -> dict[str, str]:
    """Kanji that are drawn like a katakana, and that katakana."""
    alike: dict[str, set[str]] = {}
    for found in confusables:
        if len(found.target) == 1:
            alike.setdefault(found.target, {found.target}).add(found.source)
    table: dict[str, str] = {}
    for group in alike.values():
        katakana = sorted(filter(_KATAKANA.match, group))
        if len(katakana) == 1:
            table |= dict.fromkeys(filter(_KANJI.match, group), katakana[0])
    return dict(sorted(table.items()))


def _letter(found: Confusable) -> str:
    bare = "".join(character for character in found.target if not unicodedata.combining(character))
    if not re.fullmatch("[A-Za-z]", bare):
        return ""
    drawn_like_capital_i = unicodedata.category(found.source) == "Lu" or "→I→" in found.comment
    return "i" if bare == "l" and drawn_like_capital_i else bare.lower()


def _named_after(character: str) -> str:
    """Of letters with a stroke or a hook, and of small capitals, which the file does not hold for all."""
    found = _NAMED_AFTER.fullmatch(unicodedata.name(character, ""))
    return (found[1] or found[2]).lower() if found else ""


def _has_accents(character: str) -> bool:
    """Such letters lose their accents by themselves."""
    return len(unicodedata.normalize("NFD", character)) > 1


def as_module(latin: dict[str, str], katakana: dict[str, str], version: str) -> str:
    """The module's text, in the project's formatting."""
    lines = [
        '"""Characters that are drawn like Latin letters or like katakana; generated, see `unicode_confusables`.',
        "",
        f"From confusables.txt {version} (UTS #39), © Unicode, Inc., under the Unicode License",
        "(unicode.org/license.txt), and from the names of the letters.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
        "#: By Latin letter, in the order of their codes.",
        "LATIN = {",
    ]
    for letter in sorted(set(latin.values())):
        like = "".join(character for character, drawn in latin.items() if drawn == letter)
        lines.append(f'    "{letter}": "{like}",')
    lines += ["}", "#: By katakana.", "KATAKANA = {"]
    for letter in sorted(set(katakana.values())):
        like = "".join(character for character, drawn in katakana.items() if drawn == letter)
        lines.append(f'    "{letter}": "{like}",')
    return "\n".join([*lines, "}", ""])


def main(source: Path, target: Path) -> None:
    """Read confusables.txt, write the module."""
    text = source.read_text("utf-8-sig")
    version = re.search(r"^# Version: (\S+)$", text, re.MULTILINE)
    if version is None:
        sys.exit(f"{source} is not Unicode's confusables.txt: it names no version")
    found = list(read_confusables(text.splitlines()))
    written = as_module(latin_look_alikes(found), katakana_look_alikes(found), version[1])
    target.write_text(written, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(__file__).with_name("look_alikes.py"))
