"""What was decided about one alert: the newest verdict counts, the others are remembered (pure)."""

from __future__ import annotations

import sys
from typing import Final, Literal, Protocol

from msgspec import Struct

from streams.events import Headers, decode_decision

VerdictWord = Literal["violation", "no_violation", "unsure"]
#: Different decisions that are kept of one alert, the newest. The rest could only be noise.
KEPT_DECISIONS: Final = 8


class Verdict(Struct, frozen=True, order=True, gc=False):
    """One decision. Newer ones are greater; of the same moment the moderator's name and the word decide, so that the
    order of reading does not.
    """

    decided_at_us: int
    moderator_id: str
    verdict: VerdictWord
    #: The domain that the moderator named, "" for none: of an alert of the patrol, the violation that was found.
    domain: str = ""


#: All different decisions about one alert, the newest first; the first counts.
Judgement = tuple[Verdict, ...]


class RawDecision(Protocol):
    """What is used of a record of `decisions` as aiokafka gives it; `timestamp` in milliseconds."""

    @property
    def key(self) -> bytes | None:
        """Raw."""

    @property
    def value(self) -> bytes | None:
        """Raw."""

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970."""

    @property
    def headers(self) -> Headers:
        """Raw."""


def verdict_in(record: RawDecision) -> tuple[str, Verdict]:
    """The alert's id and the verdict, at its plausible time (`events.event_time_us`).

    Raises `BadRecord` for what the worker that consumes it makes a dead letter of.
    """
    decoded = decode_decision(
        record.value, key=record.key, timestamp_us=record.timestamp * 1000, headers=record.headers
    )
    decision = decoded.event
    return decision.alert_id, Verdict(
        decoded.at_us, sys.intern(decision.moderator_id), decision.verdict, sys.intern(decision.domain or "")
    )


def with_verdict(judgement: Judgement, verdict: Verdict) -> Judgement:
    """The judgement with one more decision: the same whatever the order in which decisions come, and however often."""
    if verdict in judgement:
        return judgement
    return tuple(sorted((*judgement, verdict), reverse=True)[:KEPT_DECISIONS])


def contradictory(judgement: Judgement) -> bool:
    """Somebody called it a violation and somebody did not."""
    words = {verdict.verdict for verdict in judgement}
    return {"violation", "no_violation"} <= words
