"""Did rules wait for Triton? How long the rules' alerts took of events that came while it was away."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.faults.checker.facts import Facts
from tests.faults.checker.verdict import Verdict

_ALERTED = """
select s.at_ms, min(a.at_ms) from source s join alert a on a.ident = s.ident
  where s.topic in ('messages', 'listings') and s.poison is null and s.at_ms between ? and ? and a.rules != '[]'
  group by s.topic, s.part, s.off
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which models could not answer and nothing else was broken, in milliseconds since 1970."""

    from_ms: int
    to_ms: int


def check_rule_waits(facts: Facts, stretches: Sequence[Stretch], verdict: Verdict, *, limit_s: float) -> None:
    """An alert by rules that took `limit_s` after its record may have waited for the models: their deadline is that.

    No alert at all in such a time is a complaint too: the promise would have been held to nothing.
    """
    waits_s: list[float] = []
    facts.database.execute("create index if not exists arrivals on source (at_ms)")
    facts.database.execute("create index if not exists alert_idents on alert (ident)")
    for stretch in stretches:
        for came_ms, alerted_ms in facts.database.execute(_ALERTED, (stretch.from_ms, stretch.to_ms)):
            waits_s.append((alerted_ms - came_ms) / 1000)
            if waits_s[-1] >= limit_s:
                verdict.complain(
                    "rules waited", f"an alert by rules came {waits_s[-1]:.1f} s after its record"
                )
    verdict.counts["rule alerts while Triton was away"] = len(waits_s)
    if not waits_s:
        verdict.complain(
            "rules not shown", f"no alert by rules in {len(stretches)} times without Triton alone"
        )
    else:
        verdict.measured["rule alert while Triton was away, p50 s"] = round(statistics.median(waits_s), 3)
        verdict.measured["rule alert while Triton was away, max s"] = round(max(waits_s), 3)


def quiet_stretches(
    away: Iterable[tuple[float, float]], others: Iterable[tuple[float, float]], *, margin_s: float
) -> list[Stretch]:
    """The times in which Triton was away, without those that another fault touched; all in seconds since 1970.

    An event must come `margin_s` before Triton is back, or its alert would prove nothing.
    """
    busy = list(others)
    return [
        Stretch(int(begin * 1000), int((end - margin_s) * 1000))
        for begin, end in away
        if end - margin_s > begin and not any(start < end and begin < stop for start, stop in busy)
    ]
