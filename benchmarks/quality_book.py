"""What the book of alerts and verdicts takes of memory and of a processor, without Kafka.

OMP_NUM_THREADS=1 python -m benchmarks.quality_book
"""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.agents.gauges import ShownGauges
from streams.agents.quality_gauges import samples_of
from streams.events import rfc3339
from streams.review.alerted import Alerted, ByModel, ByRule, RaisedBy, encode
from streams.review.book import DAY_US, Book
from streams.review.intake import ReviewIntake
from streams.review.quality import Budgets, day_quality, quality_of

ALERTS, DAYS, JUDGED = 100_000, 30, 0.7
DOMAINS = [f"domain_{number}" for number in range(10)]
NOW_US = 1_795_262_400_000_000
PAGE_BYTES = 4096


@dataclass(slots=True)
class Record:
    """As it comes from Kafka."""

    topic: str
    key: bytes
    value: bytes
    timestamp: int = NOW_US // 1000
    headers: tuple[tuple[str, bytes], ...] = ()


def records(chance: random.Random) -> Iterator[Record]:
    """Alerts of thirty days, three in ten by a rule too; seven in ten judged."""
    for number in range(ALERTS):
        alert_id = f"{chance.getrandbits(128):032x}"
        moment = rfc3339(NOW_US - int(chance.random() * DAYS * DAY_US))
        by: list[RaisedBy] = [
            ByModel(f"model_{chance.randrange(5)}", "3", "champion", round(chance.random(), 6), 0.9)
        ]
        if chance.random() < 0.3:
            by.append(ByRule(f"rule_{chance.randrange(100)}"))
        facts = Alerted(
            alert_id=alert_id,
            domain=chance.choice(DOMAINS),
            revision=1,
            raised_at=moment,
            event_at=moment,
            subject={"type": "message", "message_id": f"m{number}", "transaction_id": f"t{number}"},
            raised_by=tuple(by),
        )
        yield Record("alerted", alert_id.encode(), encode(facts))
        if chance.random() < JUDGED:
            decision = {
                "alert_id": alert_id,
                "verdict": chance.choice(["violation", "no_violation", "unsure"]),
                "moderator_id": f"mod-{chance.randrange(50)}",
                "decided_at": rfc3339(NOW_US),
            }
            yield Record("decisions", alert_id.encode(), json.dumps(decision).encode())


def resident_mb() -> float:
    """Memory of this process in use, in MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES / 1e6


def main() -> None:
    """Fold, count, show; print what each took."""
    written = list(records(random.Random(1)))
    before_mb, began_s = resident_mb(), time.process_time()
    intake = ReviewIntake(Book(), alerted="alerted", decisions="decisions")
    intake.fold(written)
    took_s = time.process_time() - began_s
    print(f"{len(written):,} records of {ALERTS:,} alerts: {resident_mb() - before_mb:.0f} MB")
    print(f"folding a record: {took_s / len(written) * 1e6:.1f} µs of CPU")

    budgets = Budgets(dict.fromkeys(DOMAINS, 500), dict.fromkeys(DOMAINS, 500))
    cases = intake.book.cases(intake.book.days[5])
    began_s = time.process_time()
    day_quality(cases, budgets)
    print(f"counting a day of {len(cases):,} alerts: {(time.process_time() - began_s) * 1e3:.0f} ms of CPU")

    quality = quality_of(intake.book, budgets, since_us=NOW_US - DAYS * DAY_US, until_us=NOW_US)
    samples, gauges = samples_of(quality, intake.taken), ShownGauges()
    for what in ("all", "unchanged"):
        began_s = time.process_time()
        gauges.show(samples)
        took_ms = (time.process_time() - began_s) * 1e3
        print(f"setting {len(samples):,} gauges, {what}: {took_ms:.1f} ms of CPU")


if __name__ == "__main__":
    main()
