"""Screening one event, the part that needs no waiting: masking, tokens and rules make a `Case` for the models.

The agents share this step. What follows is the models' part (`agents/scoring.py`) and the writing down
(`conclusion.py`).
"""

from __future__ import annotations

import asyncio
import itertools
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from streams.alerts import (
    MAX_SHOWN_TEXT,
    Excerpt,
    ReportEvidence,
    Role,
    RuleEvidence,
    Screened,
    Subject,
    listing_subject,
    message_subject,
)
from streams.events import Decoded, Listing, Message, Position
from streams.features.images import ImageLoader, LoadedImage
from streams.features.listing import listing_features
from streams.features.masking import masked_excerpt
from streams.features.tensors import (
    WRITER_CODES,
    ListingFeatures,
    WindowFeatures,
    status_code,
)
from streams.features.tokens import PreparedText, TextPipeline
from streams.inference.scorer import ModelVersion
from streams.policy import Domain, ModelRef, Policy
from streams.rule_engine import RuleHit, RuleSet, Scan, ScannedTurn
from streams.rulebook import Rulebook, RulebookSource
from streams.shares import within
from streams.vocabulary import Kind
from streams.windows import Turn

#: Turns whose tokens and scans are kept for the next four messages of their conversation. A turn is about 2 kB with
#: its tokens and scan, so 20,000 are some 40 MB; at 500 messages/s that is 40 s of traffic.
REMEMBERED_TURNS = 20_000

#: Of a listing's words and attributes, outputs show so many characters and so many of them: at most 600 kB, below
#: Kafka's default limit of 1 MB. Honest listings have some ten attributes of twenty characters.
MAX_SHOWN_WORD, MAX_SHOWN_ATTRIBUTES = 500, 100

Origin = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A model that is asked about an event for a domain; one that does not decide only leaves its score."""

    domain: str
    role: Role
    model: ModelVersion
    threshold: float
    decides: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """The Kafka record an event came in, kept so that it can be put aside or scored again."""

    position: Position
    timestamp_us: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True, eq=False)
class Case:
    """An event under screening: what is known by now, and how its alerts stand. One row of a lane."""

    screened: Screened
    source: Source
    rulebook: Rulebook
    wanted: tuple[Wanted, ...]
    #: None where only the subject's ids are known: nothing to score.
    features: WindowFeatures | ListingFeatures | None
    turns: tuple[Turn, ...] = ()
    image: asyncio.Task[tuple[LoadedImage | None, tuple[str, ...]]] | None = None
    #: Alerts of this event that are out already: the revision reached, and which evidence they carried.
    revision: int = 0
    alerted: frozenset[str] = frozenset()
    #: When the event first went to `rescore`, in microseconds since 1970; None for a fresh one.
    put_aside_at_us: int | None = None
    attempts: int = 0
    #: The customer's report that this case is of: its event has been screened, and has its prediction, already.
    report: ReportEvidence | None = None
    announcement: asyncio.Task[None] | None = None

    @property
    def impatient(self) -> bool:
        """An active rule fired, nothing is out yet, and models would have to be waited for."""
        return self.revision == 0 and bool(self.wanted) and any(r.raises_alert for r in self.screened.rules)


@dataclass(slots=True)
class _Remembered:
    """What was computed of a turn: its tokens, and its scan by the rule set named in it."""

    prepared: PreparedText
    scan: Scan | None = field(default=None)


class Examiner:
    """Everything about an event that can be said without waiting for anybody."""

    def __init__(self, *, rulebook: RulebookSource, text: TextPipeline, images: ImageLoader) -> None:
        self._live = rulebook
        self._text = text
        self._images = images
        self._remembered: OrderedDict[Origin, _Remembered] = OrderedDict()

    def message(
        self, decoded: Decoded[Message], window: Sequence[Turn], source: Source, *, counted: bool = True
    ) -> Case:
        """Examine a message with its window (oldest first, the message itself last).

        Not `counted`: rules and their safety valve have counted it when it came the first time.
        """
        message, book = decoded.event, self._live.current
        where = source.position
        prepared: list[PreparedText] = []
        scanned: list[ScannedTurn] = []
        for turn in window:
            known = self._turn(turn, (where.topic, where.partition, turn.offset), book.rules)
            prepared.append(known.prepared)
            assert known.scan is not None
            scanned.append(ScannedTurn(turn.message_id, turn.writer, known.scan))
        facts = message_facts(message)
        hits = book.rules.evaluate_message(scanned, facts, at_us=decoded.at_us, counted=counted)
        originals: dict[tuple[str | None, str], str] = {
            (turn.message_id, "text"): turn.text for turn in window
        }
        shown: dict[str, object] = {
            "status": message.status,
            "messages": [
                {"message_id": turn.message_id, "writer": turn.writer, "text": text.masked[:MAX_SHOWN_TEXT]}
                for turn, text in zip(window, prepared, strict=True)
            ],
        }
        return Case(
            screened=_screened(
                message_subject(message), decoded, source, book, rules=_evidence(hits, originals), shown=shown
            ),
            source=source,
            rulebook=book,
            wanted=wanted_models(book.policy, "message", message.transaction_id),
            features=WindowFeatures(
                tokens=tuple(text.tokens for text in prepared),
                writers=tuple(WRITER_CODES[turn.writer] for turn in window),
                status=status_code(message.status),
            ),
            turns=tuple(window),
        )

    def listing(self, decoded: Decoded[Listing], source: Source, *, counted: bool = True) -> Case:
        """Examine a listing; fetching and decoding its picture is begun and awaited later. `counted` as for messages."""
        listing, book = decoded.event, self._live.current
        fields = {"title": listing.title, "description": listing.description}
        scans = {name: book.rules.scan(text) for name, text in fields.items()}
        facts = listing_facts(listing)
        hits = book.rules.evaluate_listing(scans, facts, at_us=decoded.at_us, counted=counted)
        title, description = self._text.prepare(listing.title), self._text.prepare(listing.description)
        originals: dict[tuple[str | None, str], str] = {(None, name): text for name, text in fields.items()}
        wanted = wanted_models(book.policy, "listing", listing.listing_id)
        shown = {"listing": _shown_listing(listing, title.masked, description.masked)}
        return Case(
            screened=_screened(
                listing_subject(listing), decoded, source, book, rules=_evidence(hits, originals), shown=shown
            ),
            source=source,
            rulebook=book,
            wanted=wanted,
            features=listing_features(listing, title=title, description=description),
            image=asyncio.ensure_future(self._images.load(listing.images))
            if listing.images and wanted
            else None,
        )

    def _turn(self, turn: Turn, origin: Origin, rules: RuleSet) -> _Remembered:
        known = self._remembered.get(origin)
        if known is None:
            known = self._remembered[origin] = _Remembered(self._text.prepare(turn.text))
            if len(self._remembered) > REMEMBERED_TURNS:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(origin)
        if known.scan is None or known.scan.version != rules.version:
            known.scan = rules.scan(turn.text)
        return known


def wanted_models(policy: Policy, kind: Kind, key: str = "") -> tuple[Wanted, ...]:
    """The models of all domains for a kind of event: each champion and each challenger, whatever its mode.

    `key` names the conversation or listing. A canary decides by it, so that one model has all of a conversation.
    """
    return tuple(wanted for domain in policy.for_kind(kind) for wanted in _of_domain(domain, key))


def _of_domain(domain: Domain, key: str) -> list[Wanted]:
    roles: tuple[tuple[Role, ModelRef | None], ...] = (
        ("champion", domain.champion),
        ("challenger", domain.challenger),
    )
    return [
        Wanted(
            domain.name,
            role,
            ModelVersion(reference.model, reference.version),
            reference.threshold,
            decides=_decides(domain, role, key),
        )
        for role, reference in roles
        if reference is not None
    ]


def _decides(domain: Domain, role: Role, key: str) -> bool:
    challenger, mode = domain.challenger, domain.trial.mode
    if challenger is None or mode == "beside":
        return True
    if mode == "shadow":
        return role == "champion"
    # With the version in the salt the next challenger meets other subjects, and none is always tried upon.
    salt = f"canary:{domain.name}:{challenger.model}:{challenger.version}"
    return within(domain.trial.share, salt, key) == (role == "challenger")


def message_facts(message: Message) -> dict[str, str | float | bool]:
    """What a rule's `when` may ask of a message; what is absent is left out."""
    facts: dict[str, str | float | bool] = {"writer": message.writer}
    if message.status is not None:
        facts["status"] = message.status
    if message.sender_id is not None:
        facts["sender_id"] = message.sender_id
    return facts


def listing_facts(listing: Listing) -> dict[str, str | float | bool]:
    """What a rule's `when` may ask of a listing; what is absent is left out."""
    stated: dict[str, str | float | bool | None] = {
        "seller_id": listing.seller_id,
        "price": listing.price,
        "currency": listing.currency,
        "category": listing.category,
        "brand": listing.brand,
        "condition": listing.condition,
        **{f"attributes.{name}": value for name, value in listing.attributes.items()},
    }
    return {name: value for name, value in stated.items() if value is not None}


def _screened(
    subject: Subject,
    decoded: Decoded[Message] | Decoded[Listing],
    source: Source,
    book: Rulebook,
    *,
    rules: tuple[RuleEvidence, ...],
    shown: Mapping[str, object],
) -> Screened:
    return Screened(
        subject=subject,
        position=source.position,
        event_at_us=decoded.at_us,
        notes=decoded.notes,
        rules=rules,
        shown=shown,
        ruleset=book.rules.version,
        policy=book.policy.version,
    )


def _evidence(
    hits: Sequence[RuleHit], texts: Mapping[tuple[str | None, str], str]
) -> tuple[RuleEvidence, ...]:
    return tuple(
        RuleEvidence(
            domain=hit.domain,
            rule_id=hit.rule_id,
            rule_version=hit.rule_version,
            mode=hit.mode,
            severity=hit.severity,
            score=hit.score,
            spans=tuple(
                Excerpt(
                    message_id=span.message_id,
                    field=span.field,
                    start=span.start,
                    end=span.end,
                    text=masked_excerpt(texts.get((span.message_id, span.field), ""), span.start, span.end),
                )
                for span in hit.spans
            ),
        )
        for hit in hits
    )


def _shown_listing(listing: Listing, title: str, description: str) -> dict[str, object]:
    return {
        "listing_id": listing.listing_id,
        "seller_id": listing.seller_id,
        "title": title[:MAX_SHOWN_TEXT],
        "description": description[:MAX_SHOWN_TEXT],
        "price": listing.price,
        "currency": _shown(listing.currency),
        "category": _shown(listing.category),
        "brand": _shown(listing.brand),
        "condition": _shown(listing.condition),
        "images": len(listing.images),
        "attributes": _shown_attributes(listing.attributes),
    }


def _shown(word: str | None) -> str | None:
    return word if word is None or len(word) <= MAX_SHOWN_WORD else word[:MAX_SHOWN_WORD] + "…"


def _shown_attributes(attributes: Mapping[str, str | float | bool]) -> dict[str, str | float | bool]:
    """The first so many, words cut: megabytes of them would make a prediction that no topic takes."""
    return {
        name: value if not isinstance(value, str) else _shown(value) or ""
        for name, value in itertools.islice(attributes.items(), MAX_SHOWN_ATTRIBUTES)
        if len(name) <= MAX_SHOWN_WORD
    }
