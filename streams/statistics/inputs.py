"""What is counted of an event's input, each fact as one of a few named bins, so that periods can be compared (pure).

An event falls into exactly one bin of each fact of its kind: counts of bins are then counts of events, which tests of
drift need (counted by character or word, one long text would look like many witnesses).
"""

from __future__ import annotations

import itertools
import math
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from streams.alerts import Screened
from streams.events import STATUSES
from streams.features.patterns import KINDS
from streams.features.tensors import WINDOW
from streams.vocabulary import Kind

#: Most characters of each bin of lengths, doubling: chat turns are some 20 characters, a listing some hundred, and
#: outputs show 2,000 of a text (`features.tokens.MAX_CHARACTERS`).
_LENGTHS: Final = (0, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
#: Most digits of a price before the point: a change of currency moves it by two of them.
_PRICES: Final = 8

_PLACEHOLDER: Final = re.compile(f"〈(?:{'|'.join(KINDS)})〉")
_LATIN: Final = re.compile(
    "[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\uff21-\uff3a\uff41-\uff5a]"
)
#: Letters by script. Han stands apart from kana: a text of Han without any kana is Chinese, or one of the short words
#: that Japanese sellers write, and either is worth telling.
_SCRIPTS: Final = (
    ("kana", re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\uff66-\uff9f]")),
    ("han", re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")),
    ("latin", _LATIN),
    ("hangul", re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]")),
    ("cyrillic", re.compile("[\u0400-\u052f]")),
)
_LETTER: Final = re.compile(r"[^\W\d_]")

_LENGTH_BINS: Final = (
    "0",
    *(f"{low + 1}-{high}" for low, high in itertools.pairwise(_LENGTHS)),
    f"{_LENGTHS[-1] + 1}-",
)
_SCRIPT_BINS: Final = ("japanese", "han", "latin", "hangul", "cyrillic", "other", "none")
_PRICE_BINS: Final = ("none", *(f"{digits} digits" for digits in range(1, _PRICES + 1)))
_OF_EVERY_TEXT: Final = {"length": _LENGTH_BINS, "script": _SCRIPT_BINS, "masked": ("no", "yes")}

#: Kind of event → fact → its bins, in the order in which people read them.
FACTS: Final[Mapping[Kind, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "message": MappingProxyType(
            {
                **_OF_EVERY_TEXT,
                "turns": tuple(str(turns) for turns in range(1, WINDOW + 1)),
                "writer": ("seller", "buyer"),
                "status": (*STATUSES, "other", "none"),
            }
        ),
        "listing": MappingProxyType(
            {**_OF_EVERY_TEXT, "image": ("none", "usable", "failed"), "price": _PRICE_BINS}
        ),
    }
)
#: Between a fact and its bin in the names that are counted; no fact's name holds it.
_IS: Final = "="


def facts_of(screened: Screened, notes: tuple[str, ...] = ()) -> Iterator[tuple[str, int]]:
    """Names and how often each holds for this event: `events` 1, each note, and `<fact>=<bin>` of every fact.

    `notes` are those that came with the scores (pictures), besides the event's own.
    """
    yield "events", 1
    for note in (*screened.notes, *notes):
        yield f"note:{note}", 1
    for fact, found in input_facts(screened.shown, notes).items():
        yield f"{fact}{_IS}{found}", 1


def counted_of(counts: Mapping[str, int], fact: str) -> dict[str, int]:
    """Events by bin of one fact, out of counts as `facts_of` names them."""
    begin = f"{fact}{_IS}"
    return {name.removeprefix(begin): number for name, number in counts.items() if name.startswith(begin)}


def input_facts(shown: Mapping[str, Any], notes: Iterable[str]) -> dict[str, str]:
    """The bin of every fact of an event, from the `input` and the `notes` of its prediction.

    `shown` holds `messages` (the window, oldest first; the last one is judged) or `listing`, masked. Where the
    operator does not mask (`SEKISHO_PII_MASK=false`), `masked` is always `no`.
    """
    if (listing := shown.get("listing")) is not None:
        text = f"{listing['title']}\n{listing['description']}"
        return {
            **_of_text(text, length=len(listing["title"]) + len(listing["description"])),
            "image": _image(listing["images"], notes),
            "price": _price(listing["price"]),
        }
    window = shown["messages"]
    judged = window[-1]
    return {
        **_of_text(judged["text"], length=len(judged["text"])),
        "turns": str(len(window)),
        "writer": judged["writer"],
        "status": _status(shown.get("status")),
    }


def script_of(text: str) -> str:
    """The script that a text is written in: that of most of its letters; Japanese where kana are among the Han.

    Digits, marks and the placeholders of masked data are no letters.
    """
    if "〈" in text:
        text = _PLACEHOLDER.sub(" ", text)
    if text.isascii():
        return "latin" if _LATIN.search(text) else "none"
    letters = {name: len(pattern.findall(text)) for name, pattern in _SCRIPTS}
    letters["other"] = max(0, len(_LETTER.findall(text)) - sum(letters.values()))
    kana = letters.pop("kana")
    if kana:
        letters["japanese"] = kana + letters.pop("han")
    most = max(letters, key=letters.__getitem__)
    return most if letters[most] else "none"


def _of_text(text: str, *, length: int) -> dict[str, str]:
    return {
        "length": _LENGTH_BINS[bisect_left(_LENGTHS, length)],
        "script": script_of(text),
        "masked": "yes" if _PLACEHOLDER.search(text) else "no",
    }


def _status(status: str | None) -> str:
    if status is None:
        return "none"
    return status if status in STATUSES else "other"


def _image(images: int, notes: Iterable[str]) -> str:
    """Loading stops at the first usable picture and leaves a note for each one before it."""
    if not images:
        return "none"
    refused = [note for note in notes if note.startswith("image_")]
    lost = len(refused) >= images or any(
        note == "image_others_untried" or note.startswith("image_not_encoded:") for note in refused
    )
    return "failed" if lost else "usable"


def _price(price: float | None) -> str:
    if price is None or not math.isfinite(price):
        return "none"
    return _PRICE_BINS[min(len(f"{abs(int(price))}"), _PRICES)]
