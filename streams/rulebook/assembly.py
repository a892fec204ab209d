"""Compiles a rule set beside other work on the event loop, so that events do not wait for a reload."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from time import perf_counter

from streams.rule_engine import RuleSet, RuleWatch
from streams.rule_engine.rule import Rule

#: The loop gets its turn after so long; a step itself takes up to some 5 ms.
_TURN_S = 0.004


async def assemble_beside_work(rules: Iterable[Rule], watch: RuleWatch | None = None) -> RuleSet:
    """The compiled set. Raises what `RuleSet` raises.

    In a thread the compiler would hold the GIL for 5 ms each time a scan beside it releases it (p99 of a scan 35 ms,
    measured); in one piece on the loop 10,000 rules take half a second. So it is done in pieces on the loop.
    """
    rule_set, steps = RuleSet.assembling(rules, watch=watch)
    began = perf_counter()
    collecting = gc.isenabled()
    gc.disable()  # the new set's objects are many, live long and have no cycles: looking through them takes 100 ms
    try:
        for step in steps:
            step()
            if perf_counter() - began > _TURN_S:
                await asyncio.sleep(0)
                began = perf_counter()
    finally:
        if collecting:
            gc.enable()
    return rule_set
