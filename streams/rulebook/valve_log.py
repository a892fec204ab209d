"""Says loudly which rules the safety valve has silenced; they are silent already."""

from __future__ import annotations

import asyncio
import logging

from streams.rule_engine import RuleWatch

log = logging.getLogger(__name__)

#: A rule is silent at once; the log may follow within a second.
_LOOK_S = 1.0


async def tell_of_valve(watch: RuleWatch) -> None:
    """Log each rule that the valve sets to shadow, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_S)
        for tripped in watch.news():
            log.critical(
                "rule %s fired on %.1f %% of the last %d events and is set to SHADOW: it raises no more alerts until its "
                "text is changed. Owner: %s",
                tripped.rule_id,
                100 * tripped.share,
                tripped.of_events,
                tripped.owner or "none given",
            )
