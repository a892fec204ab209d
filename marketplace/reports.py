"""Customers' reports between the events: some of what violates is reported, and a little of what does not."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from random import Random
from typing import Any

from marketplace.traffic import TrafficEvent

#: Conversations whose last messages are remembered: more than speak at once in ordinary traffic.
REMEMBERED = 1_000
#: Earlier messages that a report of a message brings along; the contract takes four.
EARLIER = 4
_REASONS = (
    None,
    "規約違反だと思います。",
    "外でやり取りしようと言われました。返信は 090-1234-5678 までお願いします。",
    "This does not look right to me.",
    "偽物ではないでしょうか。",
)


def with_reports(
    events: Iterator[TrafficEvent], seed: int, *, violations: float = 0.1, others: float = 0.002
) -> Iterator[TrafficEvent]:
    """The events, and after some of them a report: of those that violate something, and of the others, so many in one.

    The same for the same arguments. Shares are made up; raises ValueError for one that is not within 0..1.
    """
    for share in (violations, others):
        if not 0 <= share <= 1:
            raise ValueError(f"a share is {share}, not within 0..1")
    return _with_reports(events, Random(f"{seed}/reports"), violations, others)  # noqa: S311 - no secret


def _with_reports(
    events: Iterator[TrafficEvent], rng: Random, violations: float, others: float
) -> Iterator[TrafficEvent]:
    conversations: OrderedDict[str, deque[dict[str, Any]]] = OrderedDict()
    for event in events:
        yield event
        guilty = [domain for domain, label in event.labels.items() if label]
        if rng.random() < (violations if guilty else others) and event.labels:
            domain = rng.choice(guilty or sorted(event.labels))
            yield _report(event, domain, conversations.get(event.key, ()), rng)
        if event.topic == "messages":
            conversations.setdefault(event.key, deque(maxlen=EARLIER)).append(event.value)
            conversations.move_to_end(event.key)
            if len(conversations) > REMEMBERED:
                conversations.popitem(last=False)


def _report(
    event: TrafficEvent, domain: str, earlier: deque[dict[str, Any]] | tuple[()], rng: Random
) -> TrafficEvent:
    said = event.value
    if event.topic == "messages":
        identity, at = said["message_id"], said["sent_at"]
        reported: dict[str, Any] = {"message": said, "conversation": list(earlier)}
    else:
        identity, at = said["listing_id"], said["updated_at"]
        reported = {"listing": said}
    body = {
        "report_id": f"r-{identity}",
        "reported_at": at,
        "domain": domain,
        "reporter_id": f"c{rng.randrange(500)}",
        "reason": rng.choice(_REASONS),
        **reported,
    }
    value = {name: content for name, content in body.items() if content is not None}
    return TrafficEvent("reports", event.key, value, {domain: event.labels[domain]})
