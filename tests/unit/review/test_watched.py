"""What a shadow would have raised, from predictions as the engine writes them."""

from __future__ import annotations

from dataclasses import replace

import orjson

from streams.alerts import ModelEvidence, Screened, alert_id, message_subject, prediction_record
from streams.events import Message, Position
from streams.policy import Domain, ModelRef, Trial
from streams.review.alerted import Alerted, ByRule
from streams.review.book import DAY_US, Book
from streams.review.comparison import compared
from streams.review.watched import Watched
from tests.unit.review.making import DAY, alerted, at, by_model, verdict

NEW = ModelRef("message_contact", 4, 0.6)


def prediction(
    name: str, score: float | None, *, day: int = 0, domain: str = "contact", version: int = 4
) -> bytes:
    subject = message_subject(Message(message_id=name, transaction_id="t", writer="buyer", text="LINE"))
    screened = Screened(subject, Position("messages", 0, 1), at(day), (), (), {}, "r", "p")
    evidence = ModelEvidence(domain, "message_contact", version, "challenger", 0.6, score, decides=False)
    return orjson.dumps(prediction_record(screened, [evidence], alerts=[], notes=[], now_us=at(day, 1)))


def raised_by_others(name: str) -> Alerted:
    """The alert of the same message and domain, raised by a rule."""
    subject = message_subject(Message(message_id=name, transaction_id="t", writer="buyer", text="LINE"))
    return alerted(alert_id(subject, "contact"), ByRule("contact.line"))


def test_what_reached_the_threshold_counts_once_with_the_verdict_on_others_alerts() -> None:
    watched, book = Watched("contact", NEW), Book()
    watched.take_in(
        [prediction("m1", 0.7), prediction("m1", 0.7), prediction("m2", 0.6), prediction("m3", 0.59)]
    )
    watched.take_in(
        [prediction("m4", None), prediction("m5", 0.9, domain="other"), prediction("m6", 0.9, version=3)]
    )
    watched.take_in([prediction("stress-1", 0.99)])
    facts = raised_by_others("m1")
    book.add_alert(facts)
    book.add_verdict(facts.alert_id, verdict("violation"))
    ranked = watched.ranked(book, since_us=0)
    assert sorted((score, case.verdict) for score, case in ranked[DAY]) == [(0.6, None), (0.7, "violation")]
    assert list(ranked) == [DAY]
    assert watched.ranked(book, since_us=at(1)) == {}
    assert watched.unreadable == 0


def test_records_that_cannot_be_read_are_counted() -> None:
    watched = Watched("contact", NEW)
    odd = orjson.loads(prediction("m1", 0.9))
    watched.take_in([None, b"", b"\xff", b"{}", orjson.dumps({**odd, "subject": {"type": "seller"}})])
    watched.take_in([orjson.dumps({**odd, "scored_at": "yesterday"})])
    watched.take_in([b'{"other":' + b"[" * 100_000 + b"]" * 100_000 + b"}"])
    assert watched.unreadable == 7
    assert watched.ranked(Book(), since_us=0) == {}


def test_a_shadow_is_shown_and_never_promoted() -> None:
    domain = Domain(
        "contact", "Contact", "message", "high", replace(NEW, version=3), NEW, 100, Trial("shadow"), "fixed"
    )
    watched, book = Watched("contact", NEW), Book()
    for number in range(60):
        facts = raised_by_others(f"m{number}")
        book.add_alert(
            Alerted(
                **{f: getattr(facts, f) for f in facts.__struct_fields__} | {"raised_by": (by_model(0.9),)}
            )
        )
        book.add_verdict(facts.alert_id, verdict("violation"))
    watched.take_in(prediction(f"m{number}", 0.8) for number in range(30, 90))
    found = compared(domain, book, watched, since_us=DAY * DAY_US, until_us=at(1))
    groups = found.found.groups
    assert (groups.both.alerts, groups.champion_only.alerts, groups.challenger_only.alerts) == (30, 30, 30)
    assert (groups.both.judged, groups.challenger_only.judged) == (30, 0)
    assert found.recommendation.advice == "wait"
