"""The digits view: numbers written so as not to look like numbers, as plain digits (ゼロ九〇-一二三四の五六七八 → 09012345678)."""

from __future__ import annotations

import re

#: Nine units are a telephone number without its area code's zero, or a bank's branch and account number. Shorter
#: runs are prices, dates and counts.
MIN_UNITS = 9

_WORDS = {
    **{"ゼロ": "0", "ぜろ": "0", "れい": "0", "レイ": "0", "まる": "0", "マル": "0", "いち": "1", "イチ": "1"},
    **{"に": "2", "ニ": "2", "さん": "3", "サン": "3", "よん": "4", "ヨン": "4", "ご": "5", "ゴ": "5"},
    **{"ろく": "6", "ロク": "6", "なな": "7", "ナナ": "7", "はち": "8", "ハチ": "8", "きゅう": "9", "キュウ": "9"},
    **{"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6"},
    **{"seven": "7", "eight": "8", "nine": "9", "o": "0"},
}  # fmt: skip
_KANJI = dict(zip("〇零一二三四五六七八九壱弐参", "00123456789123", strict=True))
_VALUES = {**{str(digit): str(digit) for digit in range(10)}, **_KANJI, **_WORDS}
_UNIT = "(?:" + "|".join(sorted(map(re.escape, _VALUES), key=len, reverse=True)) + ")"
_ONE = re.compile(_UNIT)
#: No unit begins with another one that is followed by a unit or a separator, and no separator is a unit, so there is
#: one way to read a run and the search is linear.
_RUN = re.compile(rf"{_UNIT}(?:[\s\-ー・.,、。()/~*_の]{{0,3}}{_UNIT}){{{MIN_UNITS - 1},}}")


def digits(safe_view: str) -> str:
    """The safe view with every run of nine or more digit-like units written as digits without separators."""
    return _RUN.sub(lambda run: "".join(_VALUES[unit] for unit in _ONE.findall(run.group())), safe_view)


def digits_places(safe_view: str) -> tuple[list[int], list[int]]:
    """For each character of `digits(safe_view)` where it begins and ends in the safe view."""
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for run in _RUN.finditer(safe_view):
        starts.extend(range(at, run.start()))
        ends.extend(range(at + 1, run.start() + 1))
        for unit in _ONE.finditer(safe_view, run.start(), run.end()):
            starts.append(unit.start())
            ends.append(unit.end())
        at = run.end()
    starts.extend(range(at, len(safe_view)))
    ends.extend(range(at + 1, len(safe_view) + 1))
    return starts, ends
