"""Postal codes and addresses, Japanese and English, in a text in normal form."""

from __future__ import annotations

import re

from streams.features.scan import Places, first_group, whole

_POSTAL = re.compile(
    r"(?:〒|郵便番号|\bpostcode|\bzip(?: code)?)[^0-9\n]{0,4}([0-9]{3}-?[0-9]{4}|[0-9]{5}(?:-[0-9]{4})?)(?![0-9])"
)
_NAME_CHARACTER = "[ぁ-んァ-ヶー一-鿿々〆]"
_PREFECTURE = (
    "(?:北海道|東京都|(?:京都|大阪)府|(?:青森|岩手|宮城|秋田|山形|福島|茨城|栃木|群馬|埼玉|千葉|神奈川|新潟|富山|石川|福井|山梨|長野"
    "|岐阜|静岡|愛知|三重|滋賀|兵庫|奈良|和歌山|鳥取|島根|岡山|広島|山口|徳島|香川|愛媛|高知|福岡|佐賀|長崎|熊本|大分|宮崎|鹿児島"
    "|沖縄)県)"
)
_POSTAL_BEFORE_ADDRESS = re.compile(rf"(?<![0-9a-z\-])([0-9]{{3}}-[0-9]{{4}})(?=\s{{0,3}}{_PREFECTURE})")


def postal_codes(text: str) -> Places:
    """Codes after 〒 or a label or before a prefecture; 123-4567 alone is as often a part number and stays."""
    yield from first_group(_POSTAL, text)
    yield from first_group(_POSTAL_BEFORE_ADDRESS, text)


_NUMERAL = "[0-9一二三四五六七八九十]{1,4}"
#: 1-2-3, 一丁目2番3号, 123番地, 北1条西2丁目3-4.
_BLOCK = (
    rf"(?:{_NUMERAL}(?:(?:丁目|番地の?|番町?|号|条[東西南北]?|線|-|ー)(?:{_NUMERAL})?|の{_NUMERAL}){{1,5}}"
    rf"|(?<=字)[ぁ-んァ-ヶー一-鿿々]{{1,8}}[0-9]{{1,5}}(?![0-9円個点枚]))"
)
_ROOM = (
    r"(?: ?[ぁ-んァ-ヶー一-鿿々a-z]{0,12}(?:ハイツ|マンション|アパート|コーポ|メゾン|荘|ビル|レジデンス|タワー|ハウス|寮|団地|ハイム"
    r"|スクエア|パレス|コート|ヒルズ)[ぁ-んァ-ヶー一-鿿々a-z]{0,12} ?[0-9]{1,4}(?:号室|号)?| ?[0-9]{1,4}号室)?"
)
_ADDRESS_IN_PREFECTURE = re.compile(
    rf"{_PREFECTURE} ?{_NAME_CHARACTER}{{1,12}}?[市区町村郡島] ?{_NAME_CHARACTER}{{0,16}}? ?{_BLOCK}{_ROOM}"
)
#: Without the prefecture, a block of three numbers or one in words is asked for.
_ADDRESS_IN_CITY = re.compile(
    rf"(?<![一-鿿])[一-鿿々]{{1,5}}[市区町村]{_NAME_CHARACTER}{{1,16}}? ?"
    rf"(?:[0-9]{{1,4}}(?:-[0-9]{{1,4}}){{2,3}}|{_NUMERAL}(?:丁目|番地)(?:{_NUMERAL}(?:番地?|号|-))*(?:{_NUMERAL})?){_ROOM}"
)
#: 大阪市北区南町6-37: city and ward together are enough for a block of two.
_ADDRESS_IN_WARD = re.compile(
    rf"[一-鿿]{{1,5}}市[一-鿿]{{1,4}}区{_NAME_CHARACTER}{{0,12}}? ?[0-9]{{1,4}}(?:-[0-9]{{1,4}}){{1,3}}(?!日|時|人){_ROOM}"
)
_STREET = r"[0-9]{1,5}[a-z]? (?:[a-z0-9.']{1,20} ){1,3}?(?:street|st|avenue|ave|road|rd|boulevard|blvd|lane|ln|drive|dr|court|ct|way|place|terrace|square)\b\.?(?: [ns][ew]?\b)?"
_FLAT = r"(?:,? (?:apt|apartment|suite|unit|flat|#)\.? ?[a-z0-9\-]{1,6})?"
_CITY_AND_CODE = r",? [a-z][a-z .]{1,24},? [a-z]{2}\.? [0-9]{5}(?:-[0-9]{4})?"
_STREET_WITH_CITY = re.compile(rf"(?<![0-9a-z.]){_STREET}{_FLAT}{_CITY_AND_CODE}(?![0-9])")
_LABELLED_STREET = re.compile(
    rf"(?:address(?: is)?|ship(?: it)? to|send(?: it)? to|deliver(?: it)? to|i live at)[: ]{{1,3}}({_STREET}{_FLAT})"
)
_PO_BOX = re.compile(r"\bp\.?o\.? ?box [0-9]{1,6}\b")


def addresses(text: str) -> Places:
    """From the prefecture or city down to the block and room; a town without a block (where it is sent from) stays."""
    for pattern in (_ADDRESS_IN_PREFECTURE, _ADDRESS_IN_CITY, _ADDRESS_IN_WARD, _STREET_WITH_CITY, _PO_BOX):
        yield from whole(pattern, text)
    yield from first_group(_LABELLED_STREET, text)
