"""What a listing says apart from its words and picture, as a fixed row of finite numbers.

Shops differ in their fields, so nothing here depends on one shop's categories or conditions: known conditions go on a
scale, free numeric attributes are named by hash into a few slots, and anything absent says that it is absent.
"""

from __future__ import annotations

import math
import re
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from streams.events import Listing

#: Slots for the numbers in `attributes`; two attributes of one shop that share a slot are added up. A shop with six
#: numeric attributes shares no slot with probability 34 % (with six slots it would be 1.5 %).
ATTRIBUTE_SLOTS = 16
#: The row's columns, in order. Models name them in their metadata.
AUX_NAMES: tuple[str, ...] = (
    "log_price_jpy",
    "price_missing",
    "currency_unknown",
    "log_title_length",
    "log_description_length",
    "images",
    "brand_present",
    "category_present",
    "condition",
    "condition_missing",
    "digit_ratio",
    "latin_ratio",
    "symbol_ratio",
    "exclamation_ratio",
    *(f"attribute_{slot}" for slot in range(ATTRIBUTE_SLOTS)),
)

#: Yen for one unit, rounded. Deliberately constants: a rate that followed the market would change the scores of old
#: listings, and being 20 % off is 0.18 on the log scale, where prices spread over more than 10.
YEN_PER_UNIT = {
    "JPY": 1.0,
    "USD": 150.0,
    "EUR": 165.0,
    "GBP": 195.0,
    "CNY": 21.0,
    "KRW": 0.11,
    "TWD": 4.7,
    "HKD": 19.0,
    "AUD": 98.0,
    "CAD": 108.0,
    "SGD": 113.0,
    "INR": 1.75,
    "BRL": 27.0,
}
#: From new (1) to junk (0): the wording of the large marketplaces, in normalised lower case.
CONDITIONS = {
    "new": 1.0,
    "brand_new": 1.0,
    "新品、未使用": 1.0,
    "新品": 1.0,
    "未使用": 1.0,
    "like_new": 0.85,
    "未使用に近い": 0.85,
    "very_good": 0.7,
    "目立った傷や汚れなし": 0.7,
    "good": 0.6,
    "used": 0.5,
    "中古": 0.5,
    "やや傷や汚れあり": 0.45,
    "fair": 0.4,
    "acceptable": 0.35,
    "傷や汚れあり": 0.3,
    "poor": 0.2,
    "全体的に状態が悪い": 0.1,
    "junk": 0.0,
    "for_parts": 0.0,
    "ジャンク": 0.0,
}
#: A condition in words that are not on the scale stands in its middle.
CONDITION_UNKNOWN = 0.5
#: Values beyond are cut: log1p of a price of 10^13 yen is 30, and no column needs more.
LARGEST = 32.0
#: Ratios are taken over this much of the text, as much as the models read.
_READ_CHARACTERS = 2_000

_DIGITS = re.compile(r"\d")
_LATIN = re.compile(r"[A-Za-z\uff21-\uff3a\uff41-\uff5a\u00c0-\u024f]")
_SYMBOLS = re.compile("[\u2190-\u2bff\u3004\u3012\u3013\u3020\ufe0f\U0001f000-\U0001faff]")
_EXCLAMATIONS = re.compile("[!\uff01\u203c\u2757]")


def auxiliary_values(listing: Listing) -> npt.NDArray[np.float32]:
    """The listing's row, float32 [A] in the order of `AUX_NAMES`; always finite, whatever the listing holds."""
    text = f"{listing.title}\n{listing.description}"[:_READ_CHARACTERS]
    price, currency_unknown = _log_price_jpy(listing.price, listing.currency)
    values = [
        price or 0.0,
        float(price is None),
        currency_unknown,
        math.log1p(len(listing.title)),
        math.log1p(len(listing.description)),
        math.log1p(len(listing.images)),
        float(bool(listing.brand)),
        float(bool(listing.category)),
        _condition(listing.condition),
        float(not listing.condition),
        *(len(pattern.findall(text)) / len(text) for pattern in (_DIGITS, _LATIN, _SYMBOLS, _EXCLAMATIONS)),
        *_attribute_slots(listing.attributes),
    ]
    row = np.array(values, np.float32)
    return np.clip(row, -LARGEST, LARGEST)


def _log_price_jpy(price: float | None, currency: str | None) -> tuple[float | None, float]:
    """log1p of the price in yen (None without a usable price), and 1.0 where the currency is not known."""
    rate = YEN_PER_UNIT.get((currency or "").strip().upper())
    if price is None or not math.isfinite(price) or price < 0:
        return None, float(rate is None)
    return math.log1p(price * (rate or 1.0)), float(rate is None)


def _condition(condition: str | None) -> float:
    if not condition:
        return CONDITION_UNKNOWN
    key = condition.strip().lower()
    return CONDITIONS.get(key, CONDITIONS.get(re.sub(r"[\s\-]+", "_", key), CONDITION_UNKNOWN))


def _attribute_slots(attributes: dict[str, str | float | bool]) -> list[float]:
    """Numbers and truths among the attributes, on a signed log scale, each in the slot its name hashes to."""
    slots = [0.0] * ATTRIBUTE_SLOTS
    for name, value in attributes.items():
        if isinstance(value, str):
            continue
        number = float(value)
        if math.isfinite(number):
            slots[_slot(name)] += math.copysign(math.log1p(abs(number)), number)
    return slots


def _slot(name: str) -> int:
    digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big") % ATTRIBUTE_SLOTS
