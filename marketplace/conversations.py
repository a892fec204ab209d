"""Conversations of 2-12 messages whose transaction moves on while they speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from marketplace.evasion import disguise_in
from marketplace.grammar import Fashion, Language, Phrasing, Voice
from marketplace.lexicon import DISGUISED, SLOTS, bindings
from marketplace.scenarios import (
    MESSAGE_DOMAINS,
    NEAR_MISSES,
    ORDINARY,
    PHASES,
    VIOLATIONS,
    Exchange,
    MessageDomain,
)

Writer = Literal["seller", "buyer"]
LONGEST: Final = 12
JAPANESE_SHARE: Final = 0.8
#: A violation is spelt to get past word lists in about one message of six; other messages hardly ever are.
_DISGUISED_SHARE = 1 / 6
_DISGUISED_ANYWAY = 1 / 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One message before it has an identity and a time. `hard`: harmless, in the midst of what looks like a violation."""

    writer: Writer
    text: str
    status: str
    labels: dict[str, int]
    hard: bool = False


@dataclass(frozen=True, slots=True)
class Mix:
    """How often conversations hold what. Shares are of conversations and per domain.

    In traffic some 40 % of the messages of a violating conversation violate, so 4 % of conversations are about
    1.5 % of messages.
    """

    violation_share: float = 0.04
    near_miss_share: float = 0.08
    phrasing: Phrasing = "every"
    fashion: Fashion | None = None

    def __post_init__(self) -> None:
        total = len(MESSAGE_DOMAINS) * (self.violation_share + self.near_miss_share)
        if min(self.violation_share, self.near_miss_share) < 0 or total > 1:
            raise ValueError(
                f"shares must not be negative and {len(MESSAGE_DOMAINS)} × their sum is {total:.2f}, above 1"
            )


#: Life as it is, and training's oversampled diet.
TRAFFIC = Mix()
TRAINING = Mix(violation_share=0.16, near_miss_share=0.14, phrasing="known")


def conversation(rng: Random, mix: Mix) -> tuple[Turn, ...]:
    """One conversation: ordinary exchanges of rising status, and in some a violation or a near miss."""
    language: Language = "ja" if rng.random() < JAPANESE_SHARE else "en"
    voice = Voice(language, mix.phrasing, SLOTS[language], bindings(language, rng), mix.fashion)
    special = _special(rng, mix)
    plan = _within(LONGEST, _plan(rng, special), special)
    return tuple(
        turn
        for phase, exchange in plan
        for turn in _speak(rng, voice, exchange, phase, is_special=exchange is special)
    )


def _special(rng: Random, mix: Mix) -> Exchange | None:
    drawn = rng.random()
    for domain in MESSAGE_DOMAINS:
        for share, exchanges in (
            (mix.violation_share, VIOLATIONS[domain]),
            (mix.near_miss_share, NEAR_MISSES[domain]),
        ):
            if drawn < share:
                return _weighted(rng, exchanges)
            drawn -= share
    return None


def _plan(rng: Random, special: Exchange | None) -> list[tuple[str, Exchange]]:
    """Exchanges with the phase each takes place in, phases in order."""
    if special is None:
        first = rng.choices(range(len(PHASES)), weights=(6, 4, 3, 2, 1))[0]
        plan = [(PHASES[first], _ordinary(rng, PHASES[first]))]
    elif special.phases == ("cancelled",):
        first = rng.randrange(2)
        return [(PHASES[first], _ordinary(rng, PHASES[first])), ("cancelled", special)]
    else:
        at = PHASES.index(rng.choice(special.phases))
        first = rng.randint(0, at)
        plan = [
            (PHASES[phase], _ordinary(rng, PHASES[phase]))
            for phase in range(first, at + 1)
            if rng.random() < 0.7
        ]
        plan.append((PHASES[at], special))
        first = at
    while rng.random() < 0.6:
        first = min(first + rng.choice((0, 1, 1)), len(PHASES) - 1)
        plan.append((PHASES[first], _ordinary(rng, PHASES[first])))
    return plan


def _within(
    longest: int, plan: list[tuple[str, Exchange]], special: Exchange | None
) -> list[tuple[str, Exchange]]:
    """The plan without its first ordinary exchanges, whole, until it fits: half an exchange would lack its context."""
    while sum(len(exchange.beats) for _, exchange in plan) > longest:
        first = next(place for place, (_, exchange) in enumerate(plan) if exchange is not special)
        plan = plan[:first] + plan[first + 1 :]
    return plan


def _ordinary(rng: Random, phase: str) -> Exchange:
    return _weighted(rng, _ORDINARY_OF[phase])


_ORDINARY_OF: Final[dict[str, tuple[Exchange, ...]]] = {
    phase: tuple(exchange for exchange in ORDINARY if phase in exchange.phases) for phase in PHASES
}


def _weighted(rng: Random, exchanges: Sequence[Exchange]) -> Exchange:
    return rng.choices(exchanges, weights=[exchange.weight for exchange in exchanges])[0]


def _speak(rng: Random, voice: Voice, exchange: Exchange, status: str, *, is_special: bool) -> list[Turn]:
    opener: Writer = rng.choice(("seller", "buyer")) if exchange.opener == "either" else exchange.opener
    other: Writer = "buyer" if opener == "seller" else "seller"
    turns = []
    for beat in exchange.beats:
        text = voice.say(beat.family, rng)
        if rng.random() < (_DISGUISED_SHARE if beat.violates else _DISGUISED_ANYWAY):
            text = disguise_in(text, DISGUISED[voice.language], rng)
        writer = opener if beat.role == "A" else other
        hard = is_special and beat.violates is None
        turns.append(Turn(writer, text, status, _labels(beat.violates), hard))
    return turns


def _labels(violated: MessageDomain | None) -> dict[str, int]:
    return {domain: int(domain == violated) for domain in MESSAGE_DOMAINS}
