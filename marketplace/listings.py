"""Listings with labels: text, picture and price each carry a part of what tells a violation from its near misses."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Final, Literal, NamedTuple

from marketplace.conversations import JAPANESE_SHARE
from marketplace.grammar import Fashion, Language, Phrasing, Voice
from marketplace.lexicon import SLOTS, bindings
from marketplace.phrases import listings as phrases
from marketplace.phrases.listings import Goods, Shape
from marketplace.pictures import Mark, PicturePool

ListingDomain = Literal["counterfeit", "prohibited_goods"]
LISTING_DOMAINS: Final[tuple[ListingDomain, ...]] = ("counterfeit", "prohibited_goods")

_FAKE_MARKS: Final[tuple[Mark, ...]] = ("copy_text", "logo_pattern", "screen")
_HONEST_MARKS: Final[tuple[Mark, ...]] = ("none", "none", "none", "watermark", "genuine")
_CONDITIONS: Final[dict[Language, tuple[str, ...]]] = {
    "ja": ("新品、未使用", "未使用に近い", "目立った傷や汚れなし", "やや傷や汚れあり", "傷や汚れあり"),
    "en": ("brand_new", "like_new", "good", "fair", "poor"),
}
_COLOURS: Final[dict[Language, tuple[str, ...]]] = {
    "ja": ("黒", "白", "ベージュ", "ネイビー", "赤", "シルバー"),
    "en": ("black", "white", "beige", "navy", "red", "silver"),
}
#: Titles that say nothing; honest sellers use them too.
_VAGUE: Final[dict[Language, tuple[str, ...]]] = {
    "ja": (
        "専用ページ",
        "まとめ売り",
        "おまけ付きステッカー",
        "写真のもの",
        "訳あり品",
        "在庫処分",
        "雑貨セット",
        "詳細は説明文へ",
    ),
    "en": (
        "reserved listing",
        "bundle",
        "sticker with extra",
        "as pictured",
        "misc lot",
        "clearance",
        "see description",
    ),
}
_TITLES: Final[dict[Language, tuple[str, ...]]] = {
    "ja": (
        "{brand} {name}",
        "{name} {brand} {colour}",
        "【美品】{brand}{name}",
        "{brand} {colour} {name} 送料無料",
        "{name}（{colour}）{brand}",
    ),
    "en": ("{brand} {name}", "{colour} {name} {brand}", "{brand} {name}, {colour}", "{name} by {brand}"),
}
_PLAIN_TITLES: Final[dict[Language, tuple[str, ...]]] = {
    "ja": (
        "{name}",
        "{name} {colour}",
        "【即日発送】{name}",
        "{name} まとめ買い割引あり",
        "{colour}の{name}",
    ),
    "en": ("{name}", "{colour} {name}", "{name}, fast shipping", "{name} for sale"),
}
#: Units of other currencies for one yen are not needed: English listings are priced in dollars at this rate.
_YEN_PER_DOLLAR = 150


@dataclass(frozen=True, slots=True)
class ListingMix:
    """How often listings hold what. Shares are of listings and per domain."""

    violation_share: float = 0.03
    near_miss_share: float = 0.10
    image_share: float = 0.70
    phrasing: Phrasing = "every"
    fashion: Fashion | None = None

    def __post_init__(self) -> None:
        total = len(LISTING_DOMAINS) * (self.violation_share + self.near_miss_share)
        if min(self.violation_share, self.near_miss_share) < 0 or total > 1:
            raise ValueError(
                f"shares must not be negative and {len(LISTING_DOMAINS)} × their sum is {total:.2f}, above 1"
            )
        if not 0 <= self.image_share <= 1:
            raise ValueError(f"image_share is {self.image_share}, not within 0..1")


TRAFFIC = ListingMix()
TRAINING = ListingMix(violation_share=0.20, near_miss_share=0.20, phrasing="known")


@dataclass(frozen=True, slots=True)
class _Draft:
    goods: Goods
    shape: Shape
    mark: Mark
    yen: float
    texts: tuple[str, ...]
    vague_title: bool = False


class Listed(NamedTuple):
    """A listing without identity and time, and its labels by domain. `hard`: harmless, but much like a violation."""

    value: dict[str, Any]
    labels: dict[str, int]
    hard: bool


def listing(rng: Random, mix: ListingMix, pictures: PicturePool) -> Listed:
    """One listing of the mix."""
    language: Language = "ja" if rng.random() < JAPANESE_SHARE else "en"
    brand = rng.choice(phrases.BRANDS)
    bound = {**bindings(language, rng), "brand": brand}
    voice = Voice(language, mix.phrasing, SLOTS[language], bound, mix.fashion)
    with_image = rng.random() < mix.image_share
    draft, violated, hard = _draft(rng, mix, voice, with_image=with_image)
    value = _value(rng, voice, draft, brand, pictures if with_image else None)
    return Listed(value, {domain: int(domain == violated) for domain in LISTING_DOMAINS}, hard)


def _draft(
    rng: Random, mix: ListingMix, voice: Voice, *, with_image: bool
) -> tuple[_Draft, ListingDomain | None, bool]:
    """A draft, the domain that it violates, and whether it only nearly does."""
    drawn = rng.random()
    if drawn < mix.violation_share:
        return _counterfeit(rng, voice, with_image=with_image), "counterfeit", False
    drawn -= mix.violation_share
    if drawn < mix.violation_share:
        return _prohibited(rng, voice), "prohibited_goods", False
    drawn -= mix.violation_share
    if drawn < mix.near_miss_share:
        return _nearly_counterfeit(rng, voice), None, True
    drawn -= mix.near_miss_share
    if drawn < mix.near_miss_share:
        return _nearly_prohibited(rng, voice), None, True
    goods = rng.choice(phrases.ORDINARY)
    texts = (voice.say(phrases.DESCRIPTION, rng),)
    return _Draft(goods, goods.shape, rng.choice(_HONEST_MARKS), _fair(rng, goods), texts), None, False


def _counterfeit(rng: Random, voice: Voice, *, with_image: bool) -> _Draft:
    """At least two of three signs: the wording, the picture, a price far below the goods' own."""
    goods = _branded(rng)
    signs = {"text", "image", "price"} if with_image else {"text", "price"}
    if with_image and rng.random() < 0.7:
        signs.discard(rng.choice(("text", "image", "price")))
    described = voice.say(phrases.DESCRIPTION, rng)
    wording = phrases.COUNTERFEIT if "text" in signs else phrases.GENUINE
    said = voice.say(wording, rng) if "text" in signs or rng.random() < 0.5 else ""
    mark = rng.choice(_FAKE_MARKS if "image" in signs else _HONEST_MARKS)
    return _Draft(
        goods,
        goods.shape,
        mark,
        _cheap(rng, goods) if "price" in signs else _fair(rng, goods),
        (described, said),
    )


def _nearly_counterfeit(rng: Random, voice: Voice) -> _Draft:
    """One of the signs alone, or honest words about authenticity."""
    goods = _branded(rng)
    sign = rng.choice(("text", "image", "price", "none"))
    said = voice.say(phrases.COUNTERFEIT if sign == "text" else phrases.GENUINE, rng)
    mark = rng.choice(_FAKE_MARKS if sign == "image" else _HONEST_MARKS)
    yen = _cheap(rng, goods) if sign == "price" else _fair(rng, goods)
    return _Draft(goods, goods.shape, mark, yen, (voice.say(phrases.DESCRIPTION, rng), said))


def _prohibited(rng: Random, voice: Voice) -> _Draft:
    """Openly named, or veiled: an empty title with a telling picture and either telling words or a telling price."""
    goods = voice.choose(phrases.PROHIBITED, rng)
    offer = voice.say(phrases.PROHIBITED_OFFER, rng)
    described = voice.say(phrases.DESCRIPTION, rng)
    mark: Mark = rng.choice(("none", "none", "screen"))
    if rng.random() < 0.6:
        texts: tuple[str, ...] = (offer,) if rng.random() < 0.7 else (described,)
        return _Draft(goods, goods.shape, mark, _fair(rng, goods), texts)
    texts = (described, offer) if rng.random() < 0.6 else (described,)
    return _Draft(
        goods,
        goods.shape,
        mark,
        _fair(rng, goods) if len(texts) == 1 else _fair(rng, goods) * 0.5,
        texts,
        vague_title=True,
    )


def _nearly_prohibited(rng: Random, voice: Voice) -> _Draft:
    """Goods that look alike or share the words; or an empty title over something harmless."""
    described = voice.say(phrases.DESCRIPTION, rng)
    if rng.random() < 0.3:
        goods = rng.choice(
            [
                g
                for g in phrases.ORDINARY
                if not g.branded and g.shape not in {"pills", "blade", "card", "ticket"}
            ]
        )
        return _Draft(
            goods, goods.shape, rng.choice(_HONEST_MARKS), _fair(rng, goods), (described,), vague_title=True
        )
    goods = rng.choice([g for g in phrases.ORDINARY if not g.branded])
    return _Draft(
        goods,
        goods.shape,
        rng.choice(_HONEST_MARKS),
        _fair(rng, goods),
        (described, voice.say(phrases.PROHIBITED_INNOCENT, rng)),
    )


def _branded(rng: Random) -> Goods:
    return rng.choice([goods for goods in phrases.ORDINARY if goods.branded])


def _fair(rng: Random, goods: Goods) -> float:
    low, high = goods.yen
    return rng.uniform(low, high)


def _cheap(rng: Random, goods: Goods) -> float:
    return goods.yen[0] * rng.uniform(0.08, 0.45)


def _value(
    rng: Random, voice: Voice, draft: _Draft, brand: str, pictures: PicturePool | None
) -> dict[str, Any]:
    language = voice.language
    colour = rng.choice(_COLOURS[language])
    name = voice.fill(rng.choice(draft.goods.names[language]), rng)
    if draft.vague_title:
        title = rng.choice(_VAGUE[language])
    else:
        pattern = rng.choice((_TITLES if draft.goods.branded else _PLAIN_TITLES)[language])
        title = pattern.format(brand=brand, name=name, colour=colour)
    yen = int(round(draft.yen, -1 if draft.yen < 2_000 else -2)) or 300
    price, currency = (yen, "JPY") if language == "ja" else (max(1, round(yen / _YEN_PER_DOLLAR)), "USD")
    texts = [text for text in draft.texts if text]
    rng.shuffle(texts)
    value: dict[str, Any] = {
        "seller_id": f"s{rng.randrange(20_000):05d}",
        "title": title,
        "description": ("" if language == "ja" else " ").join(texts),
        "price": price,
        "currency": currency,
        "category": "others"
        if draft.vague_title or draft.goods in phrases.PROHIBITED
        else draft.goods.category,
        "condition": rng.choice(_CONDITIONS[language]),
        "attributes": {
            "colour": colour,
            "shipping_days": rng.randint(1, 7),
            "free_shipping": rng.random() < 0.6,
        },
    }
    if draft.goods.branded:
        value["brand"] = brand
    if pictures is not None:
        value["images"] = [{"data": pictures.base64(draft.shape, draft.mark, rng)}]
    return value
