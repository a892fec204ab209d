"""Telephone, bank account and card numbers in a text in normal form."""

from __future__ import annotations

import re

from streams.features.scan import Places, first_group, whole

_DIGIT = "[0-9〇零一二三四五六七八九]"
#: Between the digits of a telephone number: 090ー1234ー5678, 090の1234の5678, 0 9 0 1 2 …
_GAP = r"[ \-.・ー_/()の]{0,2}"
_ZERO = "(?:[0〇零]|ゼロ|ぜろ)"
# These patterns begin with a character and look back afterwards: `re` then skips to that character, 5 times as fast.
_MOBILE = re.compile(
    rf"[0〇零ゼぜ](?<![0-9.,\-].)(?:(?<![ゼぜ])|(?<=ゼ)ロ|(?<=ぜ)ろ){_GAP}[5-9五六七八九]{_GAP}{_ZERO}(?:{_GAP}{_DIGIT}){{8}}(?!-?[0-9])"
)
#: 10 digits in three groups, the last of 3 or 4: 03-1234-5678, 06(6123)4567, 0466-12-3456, 0120-123-456.
_LANDLINE = re.compile(
    r"0(?<![0-9.,\-]0)[0-9]{1,4}[\- (・ー]{1,2}[0-9]{1,4}[\- )・ー]{1,2}[0-9]{3,4}(?![0-9]|-[0-9]|[,.][0-9])"
)
_UK_MOBILE = re.compile(r"07(?<![0-9.,\-]07)[0-9]{3} ?[0-9]{3} ?[0-9]{3}(?!-?[0-9])")
_NORTH_AMERICAN = re.compile(
    r"(?<![0-9.,\-])(?<![0-9] )(?:1[- .])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}([- ]))[2-9][0-9]{2}(?(1)\1|-)[0-9]{4}(?![- ]?[0-9])"
)
_INTERNATIONAL = re.compile(r"\+(?<![0-9a-z]\+)[1-9](?:[ \-.()]{0,2}[0-9]){8,14}(?![0-9])")
_LABELLED_PHONE = re.compile(
    r"(?:電話番号|電話|でんわ|携帯番号|携帯|連絡先|☎|📞|\btel\b|\bphone\b|\bwhatsapp\b|\bmobile\b|\bcell\b|"
    r"\b(?:call|text) (?:me )?(?:at|on)|\bmy number is)"
    r"[^0-9\n]{0,8}?(\+?[0-9](?:[ \-.()]{0,2}[0-9]){8,14})(?![0-9])"
)
_LANDLINE_DIGITS = 10


def phones(text: str) -> Places:
    """Japanese mobile and landline numbers in many spellings, international ones with +, North American and British."""
    for pattern in (_INTERNATIONAL, _MOBILE, _UK_MOBILE, _NORTH_AMERICAN):
        yield from whole(pattern, text)
    for match in _LANDLINE.finditer(text):
        if sum(character.isdigit() for character in match.group()) == _LANDLINE_DIGITS:
            yield match.span()
    yield from first_group(_LABELLED_PHONE, text)


_ACCOUNTS = (
    re.compile(
        r"(?:口座番号?|普通預金|普通口座|普通|当座)[ :)はがの、→\-]{0,4}([0-9](?:[ \-]?[0-9]){5,7})(?![0-9円])"
    ),
    re.compile(r"(?:銀行|信用金庫|信金|信組|労金|農協|支店)[^0-9\n]{0,20}?([0-9]{7})(?![0-9円])"),
    re.compile(r"記号[^0-9\n]{0,3}([0-9]{5})(?![0-9円])"),
    re.compile(r"記号[^0-9\n]{0,3}[0-9]{5}[^0-9\n]{0,3}番号[^0-9\n]{0,3}([0-9]{6,8})(?![0-9円])"),
    re.compile(
        r"\b(?:account|acct|a/c)(?: number| no\.?| #)?[ :#]{1,3}(?:is )?([0-9](?:[ \-]?[0-9]){5,16})(?![0-9])"
    ),
    re.compile(r"\brouting(?: number| no\.?)?[ :#]{1,3}(?:is )?([0-9]{9})(?![0-9])"),
    re.compile(r"\bsort code[ :]{1,3}(?:is )?([0-9]{2}-?[0-9]{2}-?[0-9]{2})(?![0-9])"),
)
_IBAN = re.compile(r"(?<![a-z0-9])[a-z]{2}[0-9]{2}(?: ?[a-z0-9]{4}){2,7}(?: ?[a-z0-9]{1,3})?(?![a-z0-9])")


def accounts(text: str) -> Places:
    """Numbers that a bank, an account type or an account label announces, and IBANs whose check digits hold."""
    for pattern in _ACCOUNTS:
        yield from first_group(pattern, text)
    for match in _IBAN.finditer(text):
        if is_iban(match.group().replace(" ", "")):
            yield match.span()


def is_iban(letters: str) -> bool:
    """Whether the check digits of an IBAN (ISO 13616, without spaces) hold: read as a number it is 1 modulo 97."""
    if not 15 <= len(letters) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in letters[4:] + letters[:4])) % 97 == 1


_CARD = re.compile(
    r"(?<![0-9\-])(?:[0-9]{14,16}|[0-9]{4}([ \-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}|[0-9]{4}([ \-])[0-9]{6}\2[0-9]{4,5})(?![0-9]|[ \-][0-9])"
)
#: Leading digits and length of Visa, Mastercard, American Express, JCB, Diners, Discover and UnionPay.
_CARD_ISSUER = re.compile(
    r"4[0-9]{15}|5[1-5][0-9]{14}|2[2-7][0-9]{14}|3[47][0-9]{13}|35[2-8][0-9]{13}|3[068][0-9]{12}|6(?:011|2|4|5)[0-9]*"
)


def cards(text: str) -> Places:
    """Card numbers of the known issuers whose check digit holds."""
    for match in _CARD.finditer(text):
        digits = re.sub("[^0-9]", "", match.group())
        if _CARD_ISSUER.fullmatch(digits) and passes_luhn(digits):
            yield match.span()


def passes_luhn(digits: str) -> bool:
    """Whether the check digit of a card number holds (ISO/IEC 7812-1, Luhn): one in ten random numbers passes."""
    doubled = (int(d) * 2 for d in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0
