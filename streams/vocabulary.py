"""Words that the event contract, the rules, the policy and the alerts share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

#: What is screened: one message of a conversation, or one listing.
Kind = Literal["message", "listing"]
#: How bad a violation is, least first.
Severity = Literal["low", "medium", "high", "critical"]

KINDS: tuple[Kind, ...] = get_args(Kind)
#: In place of a domain: alerts that were drawn at random for review. Who reviews one says what it is, if anything.
PATROL_DOMAIN: Final = "patrol"
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True)
class ValveLimits:
    """An active rule that fires on more than `max_share` of the last `over_events` events of its kind is shadowed.

    Nothing happens before half as many events have been seen. A rule that fires on one message in ten does not
    find violations: in the busiest public sets that we know one message in ten is abusive in *all* ways together.
    """

    max_share: float = 0.1
    over_events: int = 5_000


USUAL_VALVE = ValveLimits()
