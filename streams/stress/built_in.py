"""Endless events without a file: ordinary talk and goods, and now and then what the deployment's own rules fire on (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, Final

from streams.events import STATUSES
from streams.stress.material import Draft
from streams.stress.ordinary import BUYER, LISTINGS, SELLER
from streams.stress.pictures import pictures
from streams.stress.rule_samples import RuleSamples, Scene

#: Of the events of a kind, so many raise an alert by a rule. The workers' safety valve sets a rule to shadow that fires
#: on a tenth of them (docs/rules.md): even if one rule fired on all of these, it would have half of that.
FIRING_SHARE: Final = 0.05
#: And never more than half of what a stricter valve grants.
_OF_VALVE: Final = 0.5
#: Of the ordinary messages and listings, so many are the rules' own examples of what they must not fire on.
_HARMLESS_SHARE: Final = 0.1
#: One event in five is a listing, as in the generated marketplace; seven in ten of those have a picture.
LISTING_SHARE: Final = 0.2
_PICTURED_SHARE: Final = 0.7
#: Ordinary messages of a conversation: every window from one message to all five occurs.
_TURNS: Final = (2, 8)
#: So many conversations go on at once: a window is back after a hundred messages, not while it is still at hand.
_CONVERSATIONS: Final = 100


def drafts(samples: RuleSamples, *, seed: int, listing_share: float = LISTING_SHARE) -> Iterator[Draft]:
    """The same endless events for the same arguments."""
    rng = Random(seed)  # noqa: S311 - made-up traffic, no secret
    share = min(FIRING_SHARE, _OF_VALVE * samples.max_share)
    of_messages = _messages(rng, *_of_topic(samples, "messages"), share)
    of_listings = _listings(rng, *_of_topic(samples, "listings"), share)
    while True:
        yield next(of_listings if rng.random() < listing_share else of_messages)


def _of_topic(samples: RuleSamples, topic: str) -> tuple[list[Scene], list[Scene]]:
    return (
        [scene for scene in samples.firing if scene.topic == topic],
        [scene for scene in samples.harmless if scene.topic == topic],
    )


def _messages(
    rng: Random, firing: Sequence[Scene], harmless: Sequence[Scene], share: float
) -> Iterator[Draft]:
    open_ones: list[tuple[str, list[dict[str, Any]]]] = []
    begun = 0
    while True:
        while len(open_ones) < _CONVERSATIONS:
            open_ones.append((str(begun), _conversation(rng, firing, harmless, share)))
            begun += 1
        at = rng.randrange(_CONVERSATIONS)
        name, waiting = open_ones[at]
        yield Draft("messages", waiting.pop(), name)
        if not waiting:
            open_ones[at] = open_ones[-1]
            open_ones.pop()


def _conversation(
    rng: Random, firing: Sequence[Scene], harmless: Sequence[Scene], share: float
) -> list[dict[str, Any]]:
    """The messages of one conversation, the last first.

    What a rule fires on comes last: rules that read the whole window would else fire on the next four messages too.
    """
    turns = rng.randint(*_TURNS)
    mean = sum(_TURNS) / 2
    said = [_ordinary(rng, turn, turns) for turn in range(turns)]
    drawn = rng.random()
    # One firing message after `mean` ordinary ones is a share of s when a conversation has one with s·mean / (1 - s).
    if firing and drawn < share * mean / (1 - share):
        said += _with_status(rng.choice(firing).bodies)
    elif harmless and drawn > 1 - _HARMLESS_SHARE * mean:
        said += _with_status(rng.choice(harmless).bodies)
    return said[::-1]


def _with_status(bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"status": STATUSES[0], **body} for body in bodies]


def _ordinary(rng: Random, turn: int, turns: int) -> dict[str, Any]:
    writer = rng.choice(("buyer", "seller"))
    text = rng.choice(BUYER if writer == "buyer" else SELLER)
    # From the first status to `completed` over the conversation.
    status = STATUSES[turn * (len(STATUSES) - 1) // turns]
    return {"writer": writer, "text": _filled(rng, text), "status": status}


def _listings(
    rng: Random, firing: Sequence[Scene], harmless: Sequence[Scene], share: float
) -> Iterator[Draft]:
    shown = pictures(rng)
    while True:
        drawn = rng.random()
        if firing and drawn < share:
            body = rng.choice(firing).bodies[0]
        elif harmless and drawn > 1 - _HARMLESS_SHARE:
            body = rng.choice(harmless).bodies[0]
        else:
            title, description, category = rng.choice(LISTINGS)
            body = {
                "title": _filled(rng, title),
                "description": _filled(rng, description),
                "category": category,
            }
        body = {"price": rng.randrange(3, 300) * 100, "currency": "JPY", "condition": "used", **body}
        if rng.random() < _PICTURED_SHARE:
            body["images"] = [{"data": rng.choice(shown)}]
        yield Draft("listings", body)


def _filled(rng: Random, text: str) -> str:
    return text.replace("{n}", str(rng.randrange(2, 100)))
