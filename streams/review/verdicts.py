"""What was decided about one alert: the newest verdict counts, the others are remembered (pure)."""

from __future__ import annotations

import sys
from typing import Final, Literal

from msgspec import Struct

from streams.events import Decision

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


def verdict_of(decision: Decision, decided_at_us: int) -> Verdict:
    """The verdict of a decoded decision; `decided_at_us` is its plausible time (`events.event_time_us`)."""
    return Verdict(
        decided_at_us, sys.intern(decision.moderator_id), decision.verdict, sys.intern(decision.domain or "")
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
