"""Compiles a rule set beside other work on the event loop, so that events do not wait for a reload."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

from streams.rule_engine import RuleSet, RuleWatch
from streams.rule_engine.rule import Rule

#: The loop gets its turn after so long; a step itself takes up to some 5 ms.
_TURN_S = 0.004


async def assemble_beside_work(rules: Iterable[Rule], watch: RuleWatch | None = None) -> RuleSet:
    """The compiled set. Raises what `RuleSet` raises.

    In a thread the compiler would hold the GIL for 5 ms each time a scan beside it releases it (p99 of a scan 35 ms,
    measured); in one piece on the loop 10,000 rules take half a second. So it is done in pieces on the loop, but for the
    making of an automaton, a single call of 20 ms, of which a thread leaves the loop a part.
    """
    rule_set, steps = RuleSet.assembling(rules, watch=watch)
    began = perf_counter()
    with uncollected():
        for step in steps:
            if step.in_c:
                await asyncio.to_thread(step)
            else:
                step()
                if perf_counter() - began <= _TURN_S:
                    continue
                await asyncio.sleep(0)
            began = perf_counter()
    return rule_set


@contextmanager
def uncollected() -> Iterator[None]:
    """Without garbage collection; what is there at the end is never looked through again.

    10,000 rules are half a million objects that live until the next reload and hold no cycles: each full collection
    would spend 50 to 150 ms on them, while events wait. They are freed by their reference counts.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
