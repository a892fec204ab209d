"""Exchanges that conversations are made of, each turn with its labels: the label needs context, writer and status.

The policy that the labels follow stands in docs/corpus.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from marketplace.grammar import Family
from marketplace.phrases import contact, harassment, payment
from marketplace.phrases import ordinary as o

MessageDomain = Literal["off_platform_payment", "contact_exchange", "harassment"]
MESSAGE_DOMAINS: Final[tuple[MessageDomain, ...]] = ("off_platform_payment", "contact_exchange", "harassment")
#: `A` opens the exchange, `B` answers; who of buyer and seller is A is drawn unless the exchange says so.
Role = Literal["A", "B"]
Opener = Literal["buyer", "seller", "either"]

PHASES: Final = ("waiting_for_payment", "waiting_for_shipping", "shipped", "waiting_for_rating", "completed")


@dataclass(frozen=True, slots=True)
class Beat:
    """One turn of an exchange: who, what kind of utterance, and the domain it violates, if any."""

    role: Role
    family: Family
    violates: MessageDomain | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """Turns that belong together, where they occur, and how often among their kind."""

    beats: tuple[Beat, ...]
    opener: Opener
    phases: tuple[str, ...]
    weight: float = 1.0


def _exchange(
    opener: Opener,
    phases: tuple[str, ...],
    *beats: tuple[Role, Family] | tuple[Role, Family, MessageDomain],
    weight: float = 1.0,
) -> Exchange:
    return Exchange(tuple(Beat(*beat) for beat in beats), opener, phases, weight)


_PAY: Final = "off_platform_payment"
_CON: Final = "contact_exchange"
_HAR: Final = "harassment"
_BEFORE_SHIPPING: Final = PHASES[:2]
_TO_PAY: Final = PHASES[:1]
_TO_SHIP: Final = PHASES[1:2]
_AFTER: Final = PHASES[2:]

ORDINARY: Final[tuple[Exchange, ...]] = (
    _exchange("buyer", _TO_PAY, ("A", o.BOUGHT), ("B", o.THANK_BUYER), weight=4),
    _exchange("buyer", _TO_PAY, ("A", o.ASK_ITEM), ("B", o.ANSWER_ITEM), weight=3),
    _exchange("buyer", _TO_PAY, ("A", o.ASK_DISCOUNT), ("B", o.OFFER_DISCOUNT), ("A", o.ACCEPT), weight=3),
    _exchange("seller", _TO_PAY, ("A", o.OFFER_DISCOUNT), ("B", o.ACCEPT), weight=2),
    _exchange("buyer", _TO_PAY, ("A", o.PAID), ("B", o.CONFIRM_PAID), weight=4),
    _exchange("seller", _BEFORE_SHIPPING, ("A", o.OFFER_SHIPPING), ("B", o.ACCEPT), weight=4),
    _exchange(
        "seller",
        _BEFORE_SHIPPING,
        ("A", o.OFFER_SHIPPING),
        ("B", o.HESITATE),
        ("A", payment.PUSH),
        ("B", o.ACCEPT),
        weight=2,
    ),
    _exchange("either", _BEFORE_SHIPPING, ("A", payment.ORDINARY), ("B", o.ACCEPT), weight=2),
    _exchange("buyer", _TO_SHIP, ("A", o.ASK_WHEN), ("B", o.SOON), weight=2),
    _exchange("seller", PHASES[2:3], ("A", o.SHIPPED), ("B", o.THANKS), weight=5),
    _exchange("buyer", PHASES[2:3], ("A", o.ASK_WHEN), ("B", o.SOON), weight=2),
    _exchange("buyer", PHASES[3:4], ("A", o.RECEIVED), ("B", o.THANKS), weight=4),
    _exchange("buyer", PHASES[3:4], ("A", o.COMPLAIN), ("B", o.APOLOGISE), weight=1),
    _exchange("either", PHASES[4:], ("A", o.THANKS), ("B", o.THANKS), weight=3),
    _exchange("buyer", PHASES[4:], ("A", harassment.PRAISE), ("B", o.THANKS), weight=1),
)

VIOLATIONS: Final[Mapping[MessageDomain, tuple[Exchange, ...]]] = MappingProxyType(
    {
        "off_platform_payment": (
            _exchange(
                "either", _BEFORE_SHIPPING, ("A", payment.PROPOSE, _PAY), ("B", o.ACCEPT, _PAY), weight=3
            ),
            _exchange(
                "seller",
                _BEFORE_SHIPPING,
                ("A", payment.PROPOSE, _PAY),
                ("B", o.ACCEPT, _PAY),
                ("A", payment.BANK_DETAILS, _PAY),
                ("B", o.PAID, _PAY),
                weight=3,
            ),
            _exchange(
                "buyer",
                _BEFORE_SHIPPING,
                ("A", payment.PROPOSE, _PAY),
                ("B", o.ACCEPT, _PAY),
                ("A", payment.ASK_BANK, _PAY),
                ("B", payment.BANK_DETAILS, _PAY),
                ("A", o.PAID, _PAY),
                weight=2,
            ),
            _exchange(
                "either",
                PHASES[:3],
                ("A", payment.PROPOSE, _PAY),
                ("B", payment.REFUSE),
                ("A", o.YIELD),
                weight=3,
            ),
            _exchange(
                "either",
                _BEFORE_SHIPPING,
                ("A", payment.PROPOSE, _PAY),
                ("B", o.HESITATE),
                ("A", payment.PUSH, _PAY),
                ("B", o.ACCEPT, _PAY),
                weight=3,
            ),
            _exchange(
                "either",
                _BEFORE_SHIPPING,
                ("A", payment.PROPOSE, _PAY),
                ("B", o.HESITATE),
                ("A", payment.PUSH, _PAY),
                ("B", payment.REFUSE),
                ("A", o.YIELD),
                weight=2,
            ),
            _exchange(
                "buyer", _BEFORE_SHIPPING, ("A", payment.ASK_BANK, _PAY), ("B", payment.REFUSE), weight=2
            ),
            _exchange(
                "seller", _BEFORE_SHIPPING, ("A", payment.BANK_DETAILS, _PAY), ("B", o.PAID, _PAY), weight=1
            ),
        ),
        "contact_exchange": (
            _exchange(
                "either",
                PHASES,
                ("A", contact.ASK, _CON),
                ("B", contact.BARE, _CON),
                ("A", contact.ADDED, _CON),
                weight=3,
            ),
            _exchange(
                "either",
                PHASES,
                ("A", contact.ASK, _CON),
                ("B", o.ACCEPT, _CON),
                ("A", contact.GIVE, _CON),
                weight=2,
            ),
            _exchange("either", PHASES, ("A", contact.GIVE, _CON), ("B", contact.ADDED, _CON), weight=3),
            _exchange(
                "either", PHASES, ("A", contact.ASK, _CON), ("B", contact.REFUSE), ("A", o.YIELD), weight=4
            ),
            _exchange("either", PHASES, ("A", contact.GIVE, _CON), ("B", contact.REFUSE), weight=2),
            _exchange(
                "seller",
                (*_TO_PAY, *PHASES[3:]),
                ("A", contact.ASK_ADDRESS, _CON),
                ("B", contact.ADDRESS, _CON),
                weight=2,
            ),
            _exchange(
                "seller",
                (*_TO_PAY, *PHASES[3:]),
                ("A", contact.ASK_ADDRESS, _CON),
                ("B", contact.REFUSE),
                weight=1,
            ),
            _exchange("seller", PHASES, ("A", contact.ADDRESS, _CON), ("B", contact.ADDED, _CON), weight=1),
        ),
        "harassment": (
            _exchange("either", PHASES, ("A", harassment.INSULT, _HAR), ("B", harassment.UPSET), weight=3),
            _exchange(
                "buyer",
                PHASES[2:],
                ("A", o.COMPLAIN),
                ("B", o.APOLOGISE),
                ("A", harassment.INSULT, _HAR),
                ("B", harassment.UPSET),
                ("A", harassment.THREAT, _HAR),
                weight=3,
            ),
            _exchange(
                "buyer",
                _TO_PAY,
                ("A", o.ASK_DISCOUNT),
                ("B", harassment.INSULT, _HAR),
                ("A", harassment.QUOTE),
                weight=3,
            ),
            _exchange(
                "either",
                PHASES,
                ("A", harassment.INSULT, _HAR),
                ("B", harassment.AM_I),
                ("A", harassment.POINTED, _HAR),
                weight=4,
            ),
            _exchange(
                "either",
                PHASES,
                ("A", harassment.INSULT, _HAR),
                ("B", harassment.INSULT, _HAR),
                ("A", harassment.THREAT, _HAR),
                weight=1,
            ),
            _exchange(
                "either", PHASES[1:], ("A", harassment.THREAT, _HAR), ("B", harassment.QUOTE), weight=2
            ),
        ),
    }
)

#: Nearly the same words, no violation.
NEAR_MISSES: Final[Mapping[MessageDomain, tuple[Exchange, ...]]] = MappingProxyType(
    {
        "off_platform_payment": (
            _exchange("either", _BEFORE_SHIPPING, ("A", payment.ORDINARY), ("B", o.ACCEPT), weight=3),
            _exchange("either", PHASES, ("A", payment.REPORT), ("B", o.THANKS), weight=2),
            _exchange("either", PHASES[:3], ("A", payment.REPORT), ("B", payment.REFUSE), weight=1),
            _exchange("buyer", _TO_PAY, ("A", payment.REFUSE), ("B", o.ACCEPT), weight=1),
            _exchange(
                "buyer",
                ("cancelled",),
                ("A", o.ASK_CANCEL),
                ("B", payment.ASK_BANK),
                ("A", payment.BANK_DETAILS),
                ("B", o.PAID),
                weight=3,
            ),
            _exchange(
                "buyer",
                ("cancelled",),
                ("A", payment.REFUND),
                ("B", o.ACCEPT),
                ("A", payment.BANK_DETAILS),
                weight=2,
            ),
            _exchange(
                "seller",
                _BEFORE_SHIPPING,
                ("A", o.OFFER_SHIPPING),
                ("B", o.HESITATE),
                ("A", payment.PUSH),
                ("B", o.ACCEPT),
                weight=3,
            ),
            _exchange(
                "buyer",
                _TO_PAY,
                ("A", o.ASK_DISCOUNT),
                ("B", o.OFFER_DISCOUNT),
                ("A", o.ACCEPT),
                ("B", o.YIELD),
                ("A", o.PAID),
                weight=2,
            ),
        ),
        "contact_exchange": (
            _exchange("buyer", PHASES[:4], ("A", contact.LOOKALIKE), ("B", o.ANSWER_ITEM), weight=3),
            _exchange("either", PHASES, ("A", contact.REPORT), ("B", o.THANKS), weight=2),
            _exchange("seller", _TO_SHIP, ("A", contact.ASK_ADDRESS), ("B", contact.ADDRESS), weight=6),
            _exchange(
                "seller",
                _BEFORE_SHIPPING,
                ("A", contact.ASK_ENGRAVING),
                ("B", contact.BARE),
                ("A", contact.ADDED),
                weight=4,
            ),
            _exchange("seller", _AFTER, ("A", contact.LOOKALIKE), ("B", contact.ADDED), weight=3),
            _exchange("buyer", _TO_PAY, ("A", contact.REFUSE), ("B", o.ACCEPT), weight=1),
        ),
        "harassment": (
            _exchange("either", PHASES, ("A", harassment.ABOUT_THINGS), ("B", o.APOLOGISE), weight=3),
            _exchange("either", PHASES, ("A", harassment.QUOTE), ("B", o.APOLOGISE), weight=2),
            _exchange(
                "either",
                PHASES,
                ("A", harassment.PRAISE),
                ("B", harassment.AM_I),
                ("A", harassment.POINTED),
                weight=4,
            ),
            _exchange("either", PHASES, ("A", harassment.QUOTE), ("B", harassment.UPSET), weight=1),
            _exchange(
                "buyer",
                PHASES[2:],
                ("A", o.COMPLAIN),
                ("B", harassment.AM_I),
                ("A", harassment.ABOUT_THINGS),
                weight=1,
            ),
        ),
    }
)
