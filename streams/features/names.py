"""Which words of a tagged Japanese sentence are a private person's name (pure; works on part-of-speech tags).

UniDic marks 人名 generously: せや, 金, ワイ and brands are among them. So a name is believed when its writing or its
surroundings say so; docs/masking.md gives what that catches and what it lets through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME_TAGS = frozenset(("人名/姓", "人名/名", "人名/一般"))
#: Written after a name and hardly ever after anything else that is tagged as one.
HONORIFICS = frozenset(("さん", "さま", "様", "くん", "君", "ちゃん", "氏", "殿", "先生"))
#: After a name these make it a company, a place, a product or a team.
NOT_A_PERSON = (
    "支店", "支社", "営業", "病院", "大学", "高校", "中学", "小学", "電機", "電器", "電気", "製薬", "製菓", "製作所", "工業", "産業", "化学", "商店", "商会", "書店", "堂", "屋", "店", "社",
    "貴金属", "銀行", "証券", "牛", "焼", "織", "市", "町", "村", "区", "県", "駅", "川", "山", "島", "城", "神社", "寺",
    "線", "通り", "球場", "杯", "賞", "家", "式", "流", "時計", "眼鏡", "楽器", "漆器", "筆",
)  # fmt: skip
#: Surnames that are tagged as ordinary words; names only before an honorific.
ORDINARY_WORDS = frozenset("林森東関谷岡島星泉畑堀滝岸池杉橋柳桂橘梅乾")
#: Tagged as names before an honorific, and titles of goods instead: 星の王子さま.
_TITLES = frozenset(("王子",))
_KANJI_NAME = re.compile(r"[\u4e00-\u9fff\uf900-\ufaff々〆ヶ﨑]{2,}")
_KANJI_OR_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9fff\uf900-\ufaff々﨑]+")
_INTRODUCED_AFTER = (("と", "申し"), ("と", "申す"), ("と", "もうし"), ("と", "言い"), ("と", "いい"))
_INTRODUCED_BEFORE = frozenset(("名前", "氏名", "本名", "名義", "宛名", "宛先", "差出人"))
#: Between the label and the name: 名前は、氏名:.
_GLUE = frozenset(("は", "が", ":", "、", "→", "/"))


def person_names(surfaces: Sequence[str], tags: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of tokens (start, end exclusive) that name a person.

    `tags[i]` is UniDic's third and fourth level, `人名/姓`, `人名/名`, `人名/一般`, anything else for other words.
    """
    if _NAME_TAGS.isdisjoint(tags) and HONORIFICS.isdisjoint(surfaces):
        return []
    found: list[tuple[int, int]] = []
    i, count = 0, len(surfaces)
    while i < count:
        end = i
        while end < count and _may_be_name(surfaces[end], tags[end]):
            end += 1
        if (
            end == i
            and _may_be_name_before_honorific(surfaces[i], tags[i])
            and _followed_by_honorific(surfaces, i + 1)
        ):
            end = i + 1
        if end > i and _believed(surfaces, tags, i, end):
            found.append((i, end))
        i = max(end, i + 1)
    return found


def _may_be_name_before_honorific(surface: str, tag: str) -> bool:
    """Surnames that are also places (山口さん) or ordinary words (林様)."""
    return surface in ORDINARY_WORDS or (
        tag == "地名/一般" and surface not in _TITLES and _KANJI_NAME.fullmatch(surface) is not None
    )


def _may_be_name(surface: str, tag: str) -> bool:
    return tag in _NAME_TAGS and surface not in _TITLES and _KANJI_OR_KANA.fullmatch(surface) is not None


def _believed(surfaces: Sequence[str], tags: Sequence[str], start: int, end: int) -> bool:
    if _followed_by_honorific(surfaces, end) or _introduced(surfaces, start, end):
        return True
    if "".join(surfaces[end : end + 3]).startswith(NOT_A_PERSON):
        return False
    if end - start > 1:
        written = "".join(surfaces[start:end])
        return tags[start] == "人名/姓" and tags[start + 1] == "人名/名" and len(written) > 2
    return tags[start] != "人名/一般" and _KANJI_NAME.fullmatch(surfaces[start]) is not None


def _followed_by_honorific(surfaces: Sequence[str], end: int) -> bool:
    return end < len(surfaces) and surfaces[end] in HONORIFICS


def _introduced(surfaces: Sequence[str], start: int, end: int) -> bool:
    if tuple(surfaces[end : end + 2]) in _INTRODUCED_AFTER:
        return True
    before = start - 1
    while before >= 0 and surfaces[before] in _GLUE:
        before -= 1
    return start - 1 > before >= 0 and surfaces[before] in _INTRODUCED_BEFORE
