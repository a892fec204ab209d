"""The highest rate of a deployment, and latencies at shares of it, with generated traffic that never repeats."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import marketplace
from benchmarks.end_to_end.brokers import BrokerChoice, broker_version
from benchmarks.latency.deployment import deployed
from benchmarks.rules.machine import machine
from streams.settings import Settings
from streams.stress.identity import new_run
from streams.stress.machine import surroundings
from streams.stress.material import Draft
from streams.stress.maximum import find_maximum, goals_of_search, judged
from streams.stress.report import result
from streams.stress.run import Limits, Run, run
from streams.stress.schedule import Schedule
from streams.stress.verdict import Goals, Verdict

#: What is sent, by its share of listings.
TRAFFIC = {"messages": 0.0, "messages and listings": 0.2}
SHARES = (0.1, 0.5, 0.8)
#: The goals of the project: at half the load for all alerts, at four fifths for those by rules.
GOALS = {0.1: Goals(), 0.5: Goals(p99_ms=50.0), 0.8: Goals(rule_p99_ms=25.0)}
#: A transaction speaks every 12 s or so, at any rate.
_GAP_S = 12.0
#: An overload of one trial is over before the next; the broker and the worker were given time to start for real.
_LIMITS = Limits(behind_s=5.0, drain_s=120.0)
_WARM_UP_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often. `first_rate` is where the search begins, `settings` are the worker's unusual ones."""

    seconds: float
    trial_s: float
    repeats: int
    first_rate: float
    broker: BrokerChoice
    traffic: tuple[str, ...]
    directory: Path
    settings: Mapping[str, object] = field(default_factory=dict)


async def measure(plan: Plan, say: Callable[[str], object]) -> dict[str, Any]:
    """Everything, as it is written to JSON. Every kind of traffic gets a deployment of its own."""
    sets = []
    about: Mapping[str, Any] = {}
    for name in plan.traffic:
        async with deployed(
            plan.broker, plan.directory / name.replace(" ", "-"), **plan.settings
        ) as settings:
            sets.append(await _measure_one(name, settings, plan, say))
            about = surroundings(settings, source=name)
    return {
        "benchmark": "latency",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {**about["versions"], "broker": broker_version(plan.broker)},
        "seconds": plan.seconds,
        "repeats": plan.repeats,
        "trial_s": plan.trial_s,
        "warm_up_s": _WARM_UP_S,
        "settings": dict(plan.settings),
        "search_goal_ms": goals_of_search(Goals()).prediction_p99_ms,
        "goals": {str(share): asdict(goals) for share, goals in GOALS.items()},
        "sets": sets,
    }


async def _measure_one(
    name: str, settings: Settings, plan: Plan, say: Callable[[str], object]
) -> dict[str, Any]:
    seeds = itertools.count(1)

    async def attempt(schedule: Schedule) -> Run:
        drafts = generated(schedule, seed=next(seeds), listing_share=TRAFFIC[name])
        named = new_run(datetime.now(UTC), os.urandom(3))
        return await run(settings, schedule, drafts, name=named, limits=_LIMITS)

    trials: list[dict[str, Any]] = []

    def tell(tried: Run, verdict: Verdict) -> None:
        trials.append({"rate": tried.schedule.rate, "held": verdict.passed, "why": list(verdict.complaints)})
        say(f"{name}, {tried.schedule.rate:,.0f}/s: {'; '.join(verdict.complaints) or 'kept up'}")

    schedule = Schedule(plan.first_rate, plan.trial_s, _WARM_UP_S)
    highest = await find_maximum(schedule, Goals(), attempt, on_trial=tell)
    if not highest:
        raise RuntimeError(f"{name}: the worker keeps up with no rate that was tried: {trials}")
    runs = []
    for repeat in range(plan.repeats):
        for share in SHARES:
            tried = await attempt(Schedule(share * highest, plan.seconds, _WARM_UP_S, "poisson", repeat + 1))
            goals = GOALS[share]
            found = result(tried, goals, judged(tried, goals), surroundings={})
            for figures in found["latency"].values():
                del figures["histogram_ms"]  # hundreds of lines that nobody reads
            say(f"{name}, {share:.0%}: {'; '.join(found['complaints']) or 'every goal met'}")
            runs.append({"share": share, **found})
    return {"name": name, "highest_rate": highest, "trials": trials, "runs": runs}


def generated(schedule: Schedule, *, seed: int, listing_share: float) -> Iterator[Draft]:
    """As many generated events as the schedule needs, made before the clock starts."""
    pace = marketplace.Pace(
        events_per_s=schedule.rate,
        listing_share=listing_share,
        active_transactions=max(50, int(_GAP_S * schedule.rate)),
    )
    events = marketplace.traffic(seed, start=datetime.now(UTC), pace=pace)
    count = round(schedule.rate * schedule.span_s)
    return iter([Draft(e.topic, e.value, e.key) for e in itertools.islice(events, count)])
