"""Is everything accounted for? Every record produced has its prediction or its dead letter, and nothing is invented."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.checker.facts import Facts
from tests.faults.checker.verdict import Verdict
from tests.faults.ledger import Acknowledged

_JOINED = """
select s.topic, s.part, s.off, s.poison,
  (select count(*) from prediction p where p.topic = s.topic and p.part = s.part and p.off = s.off),
  (select count(*) from letter l where l.topic = s.topic and l.part = s.part and l.off = s.off),
  (select min(reason) from letter l where l.topic = s.topic and l.part = s.part and l.off = s.off),
  (select count(*) from output o where o.topic = s.topic and o.part = s.part and o.off = s.off)
from source s
"""
_INVENTED = """
select o.topic, o.part, o.off, o.out_topic from output o left join source s
  on s.topic = o.topic and s.part = o.part and s.off = o.off where s.topic is null
"""


def check_accounting(facts: Facts, verdict: Verdict) -> None:
    """Every usable record has a prediction, every poisoned one a dead letter with the right reason, no record both."""
    for topic, part, off, poison, predictions, letters, reason, outputs in facts.database.execute(_JOINED):
        verdict.counts["records produced"] += 1
        verdict.counts[topic] += 1
        where = f"{topic}-{part}@{off}"
        if not predictions and not letters and outputs:
            verdict.complain(
                "never scored", f"{where} was put aside for its models and has no prediction yet"
            )
        elif not predictions and not letters:
            verdict.complain("lost", f"{where} has neither a prediction nor a dead letter")
        elif predictions and letters:
            verdict.complain("two fates", f"{where} has a prediction and a dead letter")
        elif poison is None and letters:
            verdict.complain("refused", f"{where} is a good record, and became a dead letter: {reason}")
        elif poison is not None and predictions:
            verdict.complain("taken", f"{where} cannot be used ({poison}), and has a prediction")
        elif poison is not None and reason != poison:
            verdict.complain("wrong reason", f"{where} is {poison}, its dead letter says {reason}")
        verdict.counts["predictions"] += predictions
        verdict.counts["dead letters"] += letters
        verdict.counts["predictions repeated"] += max(0, predictions - 1)
        verdict.counts["dead letters repeated"] += max(0, letters - 1)
    for topic, part, off, out_topic in facts.database.execute(_INVENTED):
        verdict.complain("invented", f"{out_topic} speaks of {topic}-{part}@{off}, which nobody produced")


def check_ledger(facts: Facts, ledger: Iterable[Acknowledged], verdict: Verdict) -> None:
    """What Kafka acknowledged to the sender is where it said: otherwise the proof would be about fewer records."""
    for entry in ledger:
        verdict.counts["acknowledged to the sender"] += 1
        row = facts.database.execute(
            "select number from source where topic = ? and part = ? and off = ?",
            (entry.topic, entry.partition, entry.offset),
        ).fetchone()
        if row is None or row[0] != entry.number:
            verdict.complain(
                "lost by Kafka",
                f"record {entry.number} was acknowledged at {entry.topic}-{entry.partition}@{entry.offset}; "
                + ("nothing is there" if row is None else f"number {row[0]} is there"),
            )
