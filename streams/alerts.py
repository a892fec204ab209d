"""Alerts and predictions: evidence, identity, revisions, and the records as subscribers see them (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from streams.digests import digest_of
from streams.events import Listing, Message, Position, rfc3339
from streams.vocabulary import PATROL_DOMAIN

#: Hex digits of an alert id: 128 bits, so that a collision is not to be expected in 10^15 alerts.
ID_DIGITS = 32
#: Characters of one text in a context or masked input. A window of five in three-byte characters stays under 150 kB,
#: well below Kafka's default limit of 1 MB per record.
MAX_SHOWN_TEXT = 10_000

#: In the place of a content's hash where nobody gave the content; no hash has its length.
UNSEEN = "unseen"

Role = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A span of the original text that a rule fired on; `text` is masked like everything else in an alert."""

    message_id: str | None
    field: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RuleEvidence:
    """A rule fired."""

    by: ClassVar[Literal["rule"]] = "rule"
    domain: str
    rule_id: str
    rule_version: str
    mode: Literal["active", "shadow"]
    severity: str
    score: int
    spans: tuple[Excerpt, ...]

    @property
    def raises_alert(self) -> bool:
        """Shadow rules are recorded in predictions but never alert."""
        return self.mode == "active"

    def record(self) -> dict[str, object]:
        """As it stands in an alert."""
        return {
            "by": self.by,
            "rule_id": self.rule_id,
            "rule_version": self.rule_version,
            "severity": self.severity,
            "score": self.score,
            "spans": [
                {"message_id": s.message_id, "field": s.field, "start": s.start, "end": s.end, "text": s.text}
                for s in self.spans
            ],
        }


@dataclass(frozen=True, slots=True)
class ModelEvidence:
    """A model scored. `gate` is the GMU's mean weight of (text, image), None for message models.

    `decides` is False for a model that only watches: a shadow, or the one of champion and challenger whose turn it is
    not in a canary. Its score stands in the prediction and raises nothing.
    """

    by: ClassVar[Literal["model"]] = "model"
    domain: str
    model: str
    version: int
    role: Role
    threshold: float
    score: float | None
    gate: tuple[float, float] | None = None
    failure: str | None = None
    decides: bool = True

    @property
    def raises_alert(self) -> bool:
        """The score reached the threshold, and the model decides here."""
        return self.decides and self.score is not None and self.score >= self.threshold

    def record(self) -> dict[str, object]:
        """As it stands in an alert and in a prediction."""
        body: dict[str, object] = {
            "by": self.by,
            "model": self.model,
            "version": str(self.version),
            "role": self.role,
            "score": None if self.score is None else round(self.score, 6),
            "threshold": self.threshold,
            "gate": None
            if self.gate is None
            else {"text": round(self.gate[0], 4), "image": round(self.gate[1], 4)},
        }
        if self.failure is not None:
            body["failure"] = self.failure
        if not self.decides:
            body["decides"] = False
        return body


@dataclass(frozen=True, slots=True)
class ReportEvidence:
    """A customer reported it. `reason` is masked."""

    by: ClassVar[Literal["report"]] = "report"
    domain: str
    report_id: str
    reported_at: str
    reporter_id: str | None = None
    reason: str | None = None

    @property
    def raises_alert(self) -> bool:
        """Somebody looks at whatever is reported."""
        return True

    def record(self) -> dict[str, object]:
        """As it stands in an alert."""
        return {
            "by": self.by,
            "report_id": self.report_id,
            "reported_at": self.reported_at,
            "reporter_id": self.reporter_id,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class PatrolEvidence:
    """Nothing flagged the event; it was drawn, with the chance `share`, so that people see some of what passes."""

    by: ClassVar[Literal["patrol"]] = "patrol"
    domain: ClassVar[str] = PATROL_DOMAIN
    severity: ClassVar[str] = "low"
    raises_alert: ClassVar[bool] = True
    share: float

    def record(self) -> dict[str, object]:
        """As it stands in an alert."""
        return {"by": self.by, "share": self.share}


Evidence = RuleEvidence | ModelEvidence | PatrolEvidence | ReportEvidence


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged: one message or one listing in one wording. `content_hash` tells wordings apart."""

    kind: Literal["message", "listing"]
    key: str
    ids: tuple[tuple[str, str], ...]
    content_hash: str

    def record(self) -> dict[str, str]:
        """As it stands in alerts and predictions."""
        return {"type": self.kind, **dict(self.ids)}


def message_subject(message: Message) -> Subject:
    """The subject of a message: its id, its transaction, and the words and writer."""
    return Subject(
        kind="message",
        key=message.transaction_id,
        ids=(("message_id", message.message_id), ("transaction_id", message.transaction_id)),
        content_hash=_digest(message.writer, message.text),
    )


def listing_subject(listing: Listing) -> Subject:
    """The subject of a listing: its id and everything a buyer sees of it."""
    pictures = [f"{i.url or ''}|{i.path or ''}|{_digest(i.data) if i.data else ''}" for i in listing.images]
    seen = (
        listing.title,
        listing.description,
        repr(listing.price),
        listing.brand or "",
        listing.category or "",
    )
    return Subject(
        kind="listing",
        key=listing.listing_id,
        ids=(("listing_id", listing.listing_id), ("seller_id", listing.seller_id)),
        content_hash=_digest(*seen, *pictures),
    )


def unseen_subject(
    kind: Literal["message", "listing"], *, key: str, ids: tuple[tuple[str, str], ...]
) -> Subject:
    """A subject of which only the ids are known: its alerts are not those of any wording."""
    return Subject(kind=kind, key=key, ids=ids, content_hash=UNSEEN)


def alert_id(subject: Subject, domain: str) -> str:
    """The identity of an alert: the same for every replay, revision and version of models and rules."""
    return _digest(subject.kind, *(value for _, value in subject.ids), subject.content_hash, domain)


@dataclass(frozen=True, slots=True)
class Screened:
    """Everything known about one event after screening, masked and ready to be written down."""

    subject: Subject
    position: Position
    event_at_us: int
    notes: tuple[str, ...]
    rules: tuple[RuleEvidence, ...]
    shown: Mapping[str, object]
    ruleset: str
    policy: str


def alert_records(
    screened: Screened,
    evidence: Iterable[Evidence],
    *,
    severities: Mapping[str, str],
    revision: int,
    now_us: int,
) -> list[tuple[str, dict[str, object]]]:
    """One (domain, alert) per domain that has evidence, in the order of the evidence.

    `severities` gives each domain's severity from the policy; a domain that is no longer in the policy takes the
    severity of its rule, and a patrol is of low severity.
    """
    by_domain: dict[str, list[Evidence]] = {}
    for item in evidence:
        if item.raises_alert:
            by_domain.setdefault(item.domain, []).append(item)
    return [
        (
            domain,
            {
                "alert_id": alert_id(screened.subject, domain),
                "revision": revision,
                "domain": domain,
                "severity": severities.get(domain) or _rule_severity(items),
                "subject": screened.subject.record(),
                "raised_at": rfc3339(now_us),
                "event_at": rfc3339(screened.event_at_us),
                "evidence": [item.record() for item in items],
                "context": _context(screened.shown),
                "notes": list(screened.notes),
                "ruleset": screened.ruleset,
                "policy": screened.policy,
            },
        )
        for domain, items in by_domain.items()
    ]


def prediction_record(
    screened: Screened,
    scores: Sequence[ModelEvidence],
    *,
    alerts: Sequence[str],
    notes: Sequence[str],
    now_us: int,
) -> dict[str, object]:
    """The `predictions` record of one event: masked input, every score, every rule that fired, the alerts raised."""
    where = screened.position
    return {
        "subject": screened.subject.record(),
        "content": screened.subject.content_hash,
        "event_at": rfc3339(screened.event_at_us),
        "scored_at": rfc3339(now_us),
        "source": {"topic": where.topic, "partition": where.partition, "offset": where.offset},
        "input": dict(screened.shown),
        "scores": [{"domain": item.domain, **_without_by(item.record())} for item in scores],
        "rules": [
            {"domain": r.domain, "rule_id": r.rule_id, "rule_version": r.rule_version, "mode": r.mode}
            for r in screened.rules
        ],
        "alerts": list(alerts),
        "notes": [*screened.notes, *notes],
        "ruleset": screened.ruleset,
        "policy": screened.policy,
    }


def _context(shown: Mapping[str, object]) -> object:
    return shown.get("messages") or [shown[name] for name in ("listing",) if name in shown]


def _without_by(record: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in record.items() if name != "by"}


def _rule_severity(items: Sequence[Evidence]) -> str:
    return next((i.severity for i in items if isinstance(i, RuleEvidence | PatrolEvidence)), "medium")


def _digest(*parts: str) -> str:
    return digest_of(*parts, size=ID_DIGITS // 2).hex()
