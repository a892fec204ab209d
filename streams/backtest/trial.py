"""A rule set tried on past events, one after another, beside the set that is live."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from streams.alerts import Subject, alert_id, listing_subject, message_subject
from streams.backtest.history import Past, PastListing, PastMessage, Skipped
from streams.features.masking import masked_excerpt
from streams.rule_engine import RuleHit, RuleSet, ScannedTurn
from streams.screening import listing_facts, message_facts
from streams.windows import FOR_EVER, Lifetimes, Turn, admit, has_ended

#: Conversations whose last messages are kept; the one that has been silent longest is forgotten.
MAX_CONVERSATIONS = 100_000
EXAMPLES = 3
#: Characters shown on either side of a hit.
_CONTEXT = 20


@dataclass(slots=True)
class Judged:
    """How alerts (or hits) compare with labels and decisions; only events that have one count."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        """The share of alerts that were violations; None if none was judged."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else None

    @property
    def recall(self) -> float | None:
        """The share of violations that were alerted on; None if there were none."""
        return self.right / (self.right + self.missed) if self.right + self.missed else None

    def note(self, label: bool, *, alerted: bool) -> None:
        """Count one judged event."""
        self.right += label and alerted
        self.wrong += alerted and not label
        self.missed += label and not alerted


@dataclass(slots=True)
class RuleResult:
    """What one rule did: on how many events it fired, how many of those are judged right or wrong, examples."""

    hits: int = 0
    judged: Judged = field(default_factory=Judged)
    examples: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DomainResult:
    """What the active rules of a domain did. `new` and `lost` are alerts that only this set, or only the live one, raises."""

    alerts_by_day: Counter[str] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)
    live_alerts: int = 0
    live_judged: Judged = field(default_factory=Judged)
    new: int = 0
    lost: int = 0
    new_examples: list[str] = field(default_factory=list)
    lost_examples: list[str] = field(default_factory=list)

    @property
    def alerts(self) -> int:
        """All alerts."""
        return sum(self.alerts_by_day.values())


@dataclass(frozen=True, slots=True)
class _Seen:
    """An event under judgement; `texts` by message id (None for a listing) and field."""

    subject: Subject
    at_us: int
    labels: Mapping[str, bool]
    texts: Mapping[tuple[str | None, str], str]


@dataclass(slots=True)
class _Conversation:
    turns: tuple[Turn, ...] = ()
    scanned: dict[int, tuple[ScannedTurn, ScannedTurn | None]] = field(default_factory=dict)


class Trial:
    """Takes past events in order and adds up. `verdicts` are moderators' by alert id, `live` the set to compare with.

    `lifetimes` are the worker's: silences are counted between the times at which messages were sent, because files do
    not say when they arrived.
    """

    def __init__(
        self,
        rules: RuleSet,
        live: RuleSet | None = None,
        verdicts: dict[str, bool] | None = None,
        *,
        lifetimes: Lifetimes = FOR_EVER,
    ) -> None:
        self.rules = rules
        self.live = live if live is not None and live.version != rules.version else None
        self.by_rule = {rule.id: RuleResult() for rule in rules.rules}
        self.by_domain = {rule.domain: DomainResult() for rule in rules.rules}
        if self.live is not None:
            self.by_domain |= {rule.domain: DomainResult() for rule in self.live.rules}
        self.events: Counter[str] = Counter()
        self.days: set[str] = set()
        self.skipped: Counter[str] = Counter()
        self.skipped_examples: dict[str, str] = {}
        self.verdicts = dict(verdicts or {})
        self._lifetimes = lifetimes
        known = [*rules.rules, *(self.live.rules if self.live else ())]
        self._domains = {
            kind: sorted({rule.domain for rule in known if rule.kind == kind})
            for kind in ("message", "listing")
        }
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
        self._offset = 0

    def add(self, past: Past, where: str = "") -> None:
        """Judge one event, or count why it cannot be. `where` names the record for people."""
        if isinstance(past, Skipped):
            self.skipped[past.reason] += 1
            self.skipped_examples.setdefault(past.reason, f"{where}: {past.detail}" if where else past.detail)
        elif isinstance(past, PastMessage):
            self._message(past)
        else:
            self._listing(past)

    def judge(self, verdict: tuple[str, bool] | Skipped | None, where: str = "") -> None:
        """Take a moderator's decision; before the events it speaks of. The last one on an alert counts."""
        if isinstance(verdict, Skipped):
            self.add(verdict, where)
        elif verdict is not None:
            self.verdicts[verdict[0]] = verdict[1]

    def _message(self, past: PastMessage) -> None:
        message, at_us = past.decoded.event, past.decoded.at_us
        window = self._window(past)
        facts = message_facts(message)
        hits = self.rules.evaluate_message([own for own, _ in window], facts, at_us=at_us)
        before: list[RuleHit] = []
        if self.live is not None:
            theirs = [live for _, live in window if live is not None]
            before = self.live.evaluate_message(theirs, facts, at_us=at_us)
        texts: dict[tuple[str | None, str], str] = {
            (turn.message_id, "text"): turn.scan.text for turn, _ in window
        }
        self._count(_Seen(message_subject(message), at_us, past.labels, texts), hits, before)

    def _listing(self, past: PastListing) -> None:
        listing, at_us = past.decoded.event, past.decoded.at_us
        fields = {"title": listing.title, "description": listing.description}
        facts = listing_facts(listing)
        scans = {name: self.rules.scan(text) for name, text in fields.items()}
        hits = self.rules.evaluate_listing(scans, facts, at_us=at_us)
        before: list[RuleHit] = []
        if self.live is not None:
            scans = {name: self.live.scan(text) for name, text in fields.items()}
            before = self.live.evaluate_listing(scans, facts, at_us=at_us)
        texts: dict[tuple[str | None, str], str] = {(None, name): text for name, text in fields.items()}
        self._count(_Seen(listing_subject(listing), at_us, past.labels, texts), hits, before)

    def _window(self, past: PastMessage) -> list[tuple[ScannedTurn, ScannedTurn | None]]:
        """The conversation up to this message, as the worker would see it."""
        message = past.decoded.event
        known = self._conversations.get(message.transaction_id)
        if known is None:
            known = self._conversations[message.transaction_id] = _Conversation()
            if len(self._conversations) > MAX_CONVERSATIONS:
                self._conversations.popitem(last=False)
        else:
            self._conversations.move_to_end(message.transaction_id)
        self._offset += 1
        turn = Turn(
            self._offset,
            message.message_id,
            past.decoded.at_us,
            message.writer,
            message.text,
            arrived_us=past.decoded.at_us,
            ended=has_ended(message.status),
        )
        known.turns, window = admit(known.turns, turn, committed=self._offset, lifetimes=self._lifetimes)
        for one in window:
            if one.offset not in known.scanned:
                known.scanned[one.offset] = (
                    ScannedTurn(one.message_id, one.writer, self.rules.scan(one.text)),
                    ScannedTurn(one.message_id, one.writer, self.live.scan(one.text)) if self.live else None,
                )
        kept = {one.offset for one in known.turns}
        for offset in known.scanned.keys() - kept:
            del known.scanned[offset]
        return [known.scanned[one.offset] for one in window]

    def _count(self, seen: _Seen, hits: Sequence[RuleHit], before: Sequence[RuleHit]) -> None:
        day = datetime.fromtimestamp(seen.at_us / 1e6, tz=UTC).date().isoformat()
        self.events[seen.subject.kind] += 1
        self.days.add(day)
        labels = self._known(seen)
        alerted: dict[str, RuleHit] = {}
        for hit in hits:
            result = self.by_rule[hit.rule_id]
            result.hits += 1
            if len(result.examples) < EXAMPLES:
                result.examples.append(_example(hit, seen.texts))
            if (label := labels.get(hit.domain)) is not None:
                result.judged.right += label
                result.judged.wrong += not label
            if hit.mode == "active":
                alerted.setdefault(hit.domain, hit)
        before_alerted = {hit.domain: hit for hit in reversed(before) if hit.mode == "active"}
        for domain, hit in alerted.items():
            self.by_domain[domain].alerts_by_day[day] += 1
            if self.live is not None and domain not in before_alerted:
                self._differs(self.by_domain[domain].new_examples, hit, seen.texts)
                self.by_domain[domain].new += 1
        for domain, hit in before_alerted.items():
            self.by_domain[domain].live_alerts += 1
            if domain not in alerted:
                self._differs(self.by_domain[domain].lost_examples, hit, seen.texts)
                self.by_domain[domain].lost += 1
        for domain, label in labels.items():
            if domain in self.by_domain:
                self.by_domain[domain].judged.note(label, alerted=domain in alerted)
                self.by_domain[domain].live_judged.note(label, alerted=domain in before_alerted)

    def _known(self, seen: _Seen) -> Mapping[str, bool]:
        """Labels, and what moderators decided, which has the last word."""
        if not self.verdicts:
            return seen.labels
        decided = {
            domain: self.verdicts.get(alert_id(seen.subject, domain))
            for domain in self._domains[seen.subject.kind]
        }
        found = {domain: verdict for domain, verdict in decided.items() if verdict is not None}
        return {**seen.labels, **found}

    @staticmethod
    def _differs(examples: list[str], hit: RuleHit, texts: Mapping[tuple[str | None, str], str]) -> None:
        if len(examples) < EXAMPLES:
            examples.append(f"{hit.rule_id}: {_example(hit, texts)}")


def _example(hit: RuleHit, texts: Mapping[tuple[str | None, str], str]) -> str:
    """The words found with what stands beside them, personal data masked."""
    span = hit.spans[0]
    text = texts[span.message_id, span.field]
    begin, end = max(0, span.start - _CONTEXT), min(len(text), span.end + _CONTEXT)
    shown = " ".join(masked_excerpt(text, begin, end).split())
    return f"{'…' if begin else ''}{shown}{'…' if end < len(text) else ''}"
