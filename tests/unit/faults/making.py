"""A small campaign's topics, written by hand: six messages, an edit, a repetition, two listings, one poisoned record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.faults.checker.accounting import check_accounting, check_ledger
from tests.faults.checker.commits import check_commits
from tests.faults.checker.expected import Editions
from tests.faults.checker.facts import Facts
from tests.faults.checker.judgements import check_alerts, check_predictions
from tests.faults.checker.records import TopicRecord
from tests.faults.checker.repetitions import check_repetitions
from tests.faults.checker.verdict import Verdict
from tests.faults.ledger import Acknowledged

EDITION = {
    "number": 1,
    "ruleset": "rules1",
    "policy": "policy1",
    "rules": [
        {"rule_id": "r.one", "word": "oneword", "domain": "words", "kind": "message", "window": False, "mode": "active"},
        {"rule_id": "r.any", "word": "anyword", "domain": "words", "kind": "message", "window": True, "mode": "active"},
        {"rule_id": "r.dim", "word": "dimword", "domain": "words", "kind": "message", "window": False, "mode": "shadow"},
        {"rule_id": "r.shop", "word": "shopword", "domain": "goods", "kind": "listing", "window": False, "mode": "active"},
    ],
    "champions": {
        "goods": {"kind": "listing", "model": "listing_counts", "version": 2, "threshold": 0.6},
        "words": {"kind": "message", "model": "message_counts", "version": 1, "threshold": 0.85},
    },
}  # fmt: skip
#: Seconds; the conversation ends after a minute.
IDLE_MS, ENDED_MS = 60_000.4, 20_000.4
START_MS = 1_800_000_000_000


class Topics:
    """Records as a campaign would leave them; each method gives what it wrote, so that a test can spoil it."""

    def __init__(self) -> None:
        self.records: list[TopicRecord] = []
        self.ledger: list[Acknowledged] = []
        self._ends: dict[tuple[str, int], int] = {}

    def put(
        self, topic: str, value: bytes | None, headers: dict[str, str] | None = None, at_s: float = 0.0
    ) -> TopicRecord:
        offset = self._ends.get((topic, 0), 0)
        self._ends[topic, 0] = offset + 1
        record = TopicRecord(
            topic, 0, offset, START_MS + int(at_s * 1000), None, value,
            tuple((name, text.encode()) for name, text in (headers or {}).items()),
        )  # fmt: skip
        self.records.append(record)
        return record

    def end(self, topic: str) -> int:
        return self._ends.get((topic, 0), 0)

    def source(self, topic: str, value: bytes | None, at_s: float, poison: str | None = None) -> TopicRecord:
        number = len(self.ledger) + 1
        headers = {"campaign.number": str(number), **({"campaign.poison": poison} if poison else {})}
        record = self.put(topic, value, headers, at_s)
        self.ledger.append(Acknowledged(number, topic, 0, record.offset))
        return record

    def message(
        self, ident: str, text: str, at_s: float, *, sent_s: float | None = None, **fields: Any
    ) -> TopicRecord:
        body = {
            "message_id": ident, "transaction_id": "t1", "writer": "buyer", "text": text, "status": "shipped",
            "sent_at": _time(at_s if sent_s is None else sent_s), **fields,
        }  # fmt: skip
        return self.source("messages", json.dumps(body).encode(), at_s)

    def listing(self, ident: str, title: str, at_s: float, **fields: Any) -> TopicRecord:
        return self.source(
            "listings",
            json.dumps({"listing_id": ident, "seller_id": "s", "title": title, **fields}).encode(),
            at_s,
        )

    def judged(
        self, source: TopicRecord, window: list[str], score: float, *, rules: list[tuple[str, str]] | None = None,
        alerts: list[str] | None = None, **fields: Any,
    ) -> TopicRecord:  # fmt: skip
        event = json.loads(source.value or b"")
        is_message = source.topic == "messages"
        domain = "words" if is_message else "goods"
        champion = EDITION["champions"][domain]
        shown = (
            {"messages": [{"message_id": ident} for ident in window]}
            if is_message
            else {"listing": {"listing_id": window[0]}}
        )
        body = {
            "subject": _subject(event), "content": f"content of {event.get('text') or event.get('title')}",
            "event_at": "…", "scored_at": str(len(self.records)),
            "source": {"topic": f"x.{source.topic}", "partition": 0, "offset": source.offset}, "input": shown,
            "scores": [{"domain": domain, "model": champion["model"], "version": str(champion["version"]),
                        "score": round(score, 6), "threshold": champion["threshold"]}],
            "rules": [{"rule_id": rule, "mode": mode} for rule, mode in rules or []], "alerts": alerts or [],
            "notes": [], "ruleset": "rules1", "policy": "policy1", **fields,
        }  # fmt: skip
        return self.put("predictions", json.dumps(body).encode())

    def alert(
        self, source: TopicRecord, alert_id: str, *, rules: list[str] | None = None, score: float | None = None,
        at_s: float = 0.0, **fields: Any,
    ) -> TopicRecord:  # fmt: skip
        event = json.loads(source.value or b"")
        domain = "words" if source.topic == "messages" else "goods"
        champion = EDITION["champions"][domain]
        evidence: list[dict[str, Any]] = [{"by": "rule", "rule_id": rule} for rule in rules or []]
        if score is not None:
            evidence.append({"by": "model", "model": champion["model"], "version": str(champion["version"]),
                             "score": round(score, 6), "threshold": champion["threshold"]})  # fmt: skip
        body = {
            "alert_id": alert_id, "revision": 1, "domain": domain, "subject": _subject(event), "event_at": "…",
            "raised_at": str(len(self.records)), "evidence": evidence, "context": [event.get("text")],
            "ruleset": "rules1", "policy": "policy1", **fields,
        }  # fmt: skip
        return self.put(f"alerts.{domain}", json.dumps(body).encode(), at_s=at_s)

    def dead_letter(self, source: TopicRecord, reason: str) -> TopicRecord:
        headers = {
            "sekisho.topic": f"x.{source.topic}", "sekisho.partition": "0", "sekisho.offset": str(source.offset),
            "sekisho.reason": reason,
        }  # fmt: skip
        return self.put("deadletter", source.value, headers)

    def sample(self, **committed: int) -> dict[str, Any]:
        """What a look at the brokers would show now."""
        ends = {f"x.{topic}/0": end for (topic, _), end in self._ends.items()}
        return {"committed": {f"x.{topic}/0": offset for topic, offset in committed.items()}, "ends": ends}


def good() -> tuple[Topics, list[dict[str, Any]]]:
    """Everything as it should be, and the samples of the run."""
    topics = Topics()
    samples = []
    m1 = topics.message("m1", "hello", 0.0)
    topics.judged(m1, ["m1"], 0.07 * 2 + 0.05 * 3)
    samples.append(topics.sample(messages=1))
    m2 = topics.message("m2", "an anyword here", 1.0, writer="seller")
    topics.alert(m2, "a2", rules=["r.any"])
    topics.judged(m2, ["m1", "m2"], 0.07 * 3 + 0.15, rules=[("r.any", "active")], alerts=["a2"])
    # sent before m2, arrived after it
    m3 = topics.message("m3", "oneword dimword", 2.0, sent_s=0.5)
    topics.alert(m3, "a3", rules=["r.one"])
    topics.judged(
        m3, ["m1", "m3"], 0.07 * 4 + 0.15, rules=[("r.dim", "shadow"), ("r.one", "active")], alerts=["a3"]
    )
    # the repetition of m1 has the window of its first arrival
    again = topics.message("m1", "hello", 3.0, sent_s=0.0)
    topics.judged(again, ["m1"], 0.07 * 2 + 0.15)
    m4 = topics.message("m4", "and then", 4.0)
    topics.alert(m4, "a4", rules=["r.any"])
    topics.judged(m4, ["m1", "m3", "m2", "m4"], 0.07 * 7 + 0.15, rules=[("r.any", "active")], alerts=["a4"])
    # an edit stands in the place of what it edits; the anyword is gone with it
    edited = topics.message("m2", "harmless", 5.0, sent_s=1.0, writer="seller")
    topics.judged(edited, ["m1", "m3", "m2"], 0.07 * 5 + 0.15)
    m5 = topics.message("m5", "soon", 6.0)
    topics.judged(m5, ["m1", "m3", "m2", "m4", "m5"], 0.07 * 9 + 0.15)
    # status cancelled counts 6: 0.63 + 0.3 passes the threshold
    m6 = topics.message("m6", "over", 7.0, status="cancelled")
    topics.alert(m6, "a6", score=0.07 * 9 + 0.3)
    topics.judged(m6, ["m3", "m2", "m4", "m5", "m6"], 0.07 * 9 + 0.3, alerts=["a6"])
    # more than twenty seconds after a cancelled one a new conversation begins
    m7 = topics.message("m7", "anew", 27.5)
    topics.judged(m7, ["m7"], 0.07 * 2 + 0.15)
    l1 = topics.listing("l1", "shopword", 8.0)
    topics.alert(l1, "b1", rules=["r.shop"])
    # title of eight letters, no picture, version 2
    low = 0.99 * 0.15 * 2.1972245773
    topics.judged(l1, ["l1"], low, rules=[("r.shop", "active")], alerts=["b1"])
    topics.judged(l1, ["l1"], low, rules=[("r.shop", "active")], alerts=["b1"])
    l2 = topics.listing("l2", "shopword", 9.0, images=[{"data": "…"}])
    # the rules' alert went out alone first, the model's evidence followed
    topics.alert(l2, "b2", rules=["r.shop"])
    topics.alert(l2, "b2", rules=["r.shop"], score=low + 0.297, revision=2)
    topics.judged(l2, ["l2"], low + 0.297, rules=[("r.shop", "active")], alerts=["b2"])
    bad = topics.source("messages", b"{", 10.0, poison="not_json")
    topics.dead_letter(bad, "not_json")
    samples.append(topics.sample(messages=topics.end("messages"), listings=topics.end("listings")))
    return topics, samples


def verdict_on(topics: Topics, samples: list[dict[str, Any]], directory: Path) -> Verdict:
    """Every check but the one that needs a campaign's journal."""
    editions = Editions([EDITION])
    facts = Facts(directory / "facts.sqlite", editions.words)
    try:
        facts.take(topics.records)
        facts.index()
        facts.work_out_windows(idle_ms=IDLE_MS, ended_ms=ENDED_MS)
        verdict = Verdict()
        check_accounting(facts, verdict)
        check_ledger(facts, topics.ledger, verdict)
        check_predictions(facts, editions, verdict)
        check_alerts(facts, editions, verdict)
        check_repetitions(facts, verdict)
        check_commits(facts, samples, verdict, prefix="x.")
        return verdict
    finally:
        facts.close()


def _subject(event: dict[str, Any]) -> dict[str, str]:
    return {
        name: event[name]
        for name in ("message_id", "transaction_id", "listing_id", "seller_id")
        if name in event
    }


def _time(after_s: float) -> str:
    return f"2027-01-15T08:00:{after_s:06.3f}+00:00"
