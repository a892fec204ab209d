"""E-mail addresses and names at messengers in a text in normal form."""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import chain

from streams.features.scan import Places, first_group, whole

_PROVIDER = r"(?:gmail|yahoo|icloud|outlook|hotmail|docomo|ezweb|softbank|i\.softbank|au)"
#: Possessive and not after its own characters: a long word is tried once, not once per letter.
_LOCAL = r"(?<![a-z0-9._%+\-])(?!line@)[a-z0-9][a-z0-9._%+\-]{0,63}+"
_DOT = r"(?:\.| ?\[dot\] ?| ?\(dot\) ?| dot |ドット)"
_DOMAIN = rf"(?:[a-z0-9\-]{{1,63}}{_DOT}){{1,4}}(?:[a-z]{{2,24}}|コム)"
_EMAIL = re.compile(
    rf"{_LOCAL}(?:@(?:[a-z0-9\-]{{1,63}}\.){{1,5}}[a-z]{{2,24}}|@{_PROVIDER}(?![a-z])"
    rf"|(?: ?[\[(](?:at|@|アット|あっと)[\])] ?|アットマーク|アット|あっと|★|☆){_DOMAIN}"
    # "only at shop.com" is no address: in plain words a provider or the word "dot" is asked for.
    rf"| at (?:{_PROVIDER}{_DOT}(?:[a-z]{{2}}\.[a-z]{{2}}|[a-z]{{2,24}})|[a-z0-9\-]{{1,63}} dot [a-z]{{2,24}}))"
)


def emails(text: str) -> Places:
    """taro@example.com, taro@gmail, taro(at)example.com, taro★gmail.com, taro at gmail dot com."""
    yield from whole(_EMAIL, text)


#: Messengers whose name means nothing else, so that "name: word" is enough.
_SURE_NAMES = (
    "カカオトーク", "カカオ", "インスタグラム", "インスタ", "テレグラム", "ディスコード", "ディスコ", "スカイプ", "ツイッター",
    "ウィーチャット", "微信", "kakaotalk", "kakao", "instagram", "insta", "telegram", "discord", "twitter", "wechat", "whatsapp",
    "skype", "snapchat", "tiktok",
)  # fmt: skip
#: A text without any of these names no handle.
HANDLE_HINTS = ("@", "_", ".", "line", "ライン", "らいん", ".me/", "lin.ee", "x.com/", "discord.gg", "facebook.com", "ig ", "ig:", "snap",
                "signal", "viber", *_SURE_NAMES)  # fmt: skip
_SURE = "|".join(_SURE_NAMES)
_MESSENGER = re.compile(
    rf"(?P<sure>{_SURE})|ライン(?<![ァ-ヶー]ライン)|らいん|line(?<![a-z\-]line)|ig(?<![a-z]ig)|signal(?<![a-z]signal)"
    r"|viber(?<![a-z]viber)|snap(?<=my snap)"
)
_ACCOUNT_WORD = "(?:の|ー|-| )?(?:id|アイディー|アカウント名?|ユーザー名|アカ|垢|account|username|handle)"
_SAID = r"(?:\s*(?:は|が|:|=|→|⇒|「|『|\(|\"|'|is\b|,)\s*){1,2}"
_HANDLE = r"@?[a-z0-9][a-z0-9._\-]{2,31}"
#: A digit, a low line or a dot inside: no ordinary word. Discord adds #1234.
_ODD_HANDLE = (
    r"(?:@[a-z0-9][a-z0-9._\-]{2,31}|[a-z][a-z0-9._\-]{1,30}\#[0-9]{4}"
    r"|(?=[a-z._\-]*[0-9_]|[a-z]+\.[a-z])[a-z][a-z0-9._\-]{3,31})"
)
_HYPHENED_HANDLE = r"[a-z]{3,15}-[a-z]{3,15}"
_END = r"(?<![.\-])"
#: What follows the messenger's name.
_AFTER_ANY = (
    re.compile(rf"{_ACCOUNT_WORD}(?!\s*\(){_SAID}({_HANDLE}){_END}"),
    re.compile(rf"{_ACCOUNT_WORD}\s*({_ODD_HANDLE}|{_HYPHENED_HANDLE}){_END}"),
    re.compile(rf"(?:{_SAID}|\s+|(?=@))({_ODD_HANDLE}){_END}"),
)
_AFTER_SURE = (
    *_AFTER_ANY,
    re.compile(rf"\s*[:=→⇒]\s*({_HANDLE}){_END}"),
    re.compile(r"(?:は|が)\s*([a-z][a-z0-9._]{4,31})(?=です|だよ|っていう|という|で検索|で探)"),
)
#: IDはtaro777x、LINEで…, add the_jess32 Discord: the account first, the messenger at most 12 characters later.
_ACCOUNT_FIRST = re.compile(rf"(?:id(?<![a-z]id)|アカウント){_SAID}({_ODD_HANDLE}){_END}")
_MESSENGER_WITHIN = 12
_AT_HANDLE = re.compile(r"@(?<![a-z0-9._%+\-@/]@)(?!cosme|home\b|mart\b)[a-z_][a-z0-9_.]{3,30}(?<!\.)")
#: Joined by a low line, or by a dot with figures after it: taro_99, taro.8436. Names of camera files are not.
_JOINED = r"(?!img_|dsc_|dscn|pxl_)[a-z][a-z0-9\-]{1,20}(?:_[a-z0-9_]{1,20}|\.[0-9]{2,6})(?![a-z0-9.])"
_JOINED_HANDLE = re.compile(rf"(?<![a-z0-9@/._])({_JOINED})")
#: The answer to "what is your ID?": a line that is hardly more than the handle. taro99 alone is not taken, because
#: WH1000 answers "which model?" in the same way.
_ALONE = re.compile(
    r"^(?:はい|これです|こちらです|id|here|it's|it is|sure|ok|yes|add me|[ 、,:→\-「])*"
    rf"({_JOINED})(?:」|です|だよ|になります|で検索|でお願い|で追加| on | please|[!。. ]|$)[^\n]{{0,15}}$",
    re.MULTILINE,
)
_PROFILE_ADDRESS = re.compile(
    r"(?<![a-z0-9\-])(?:line\.me/(?:r/)?+(?:ti/)?+(?:[a-z]/)?+|lin\.ee/|t\.me/|telegram\.me/|instagram\.com/|twitter\.com/"
    r"|(?<!\.)x\.com/|discord\.gg/|wa\.me/|facebook\.com/|m\.me/|tiktok\.com/|snapchat\.com/add/|open\.kakao\.com/o/)"
    r"([a-z0-9@~%._\-]{2,64})(?<!\.)"
)


def handles(text: str) -> Places:
    """What one is found by at a messenger: LINE ID: taro_99, @taro.photo, the path of t.me/taro. The label stays."""
    if "/" in text:
        yield from first_group(_PROFILE_ADDRESS, text)
    messengers = list(_MESSENGER.finditer(text))
    for messenger in messengers:
        for pattern in _AFTER_SURE if messenger["sure"] else _AFTER_ANY:
            if match := pattern.match(text, messenger.end()):
                yield match.span(1)
                break
    if messengers:
        starts = [messenger.start() for messenger in messengers]
        for match in chain(_ACCOUNT_FIRST.finditer(text), _JOINED_HANDLE.finditer(text)):
            following = bisect_left(starts, match.end())
            if following < len(starts) and starts[following] <= match.end() + _MESSENGER_WITHIN:
                yield match.span(1)
    yield from whole(_AT_HANDLE, text)
    yield from first_group(_ALONE, text)
