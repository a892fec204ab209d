"""Days of traffic on which an adaptive budget is tried: two workers that count, one decider, real records between."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from streams.budgets.decided import Decided, Decisions, encode
from streams.budgets.deciding import consider
from streams.policy import Domain, ModelRef, policy_of
from streams.statistics import records
from streams.statistics.bins import BINS_PER_LOGIT, HIGHEST_BIN, LOWEST_BIN
from streams.statistics.book import StatisticsBook

STEP_US = 300 * 1_000_000
STEPS_PER_DAY = 288
START_US = 490_000 * records.HOUR_US
CHAMPION = ModelRef("message_harassment", 3, 0.9)
DOMAIN = Domain(
    "harassment", "Insults", "message", "high", CHAMPION, alerts_per_day=500, budget_mode="adaptive"
)


@dataclass(frozen=True)
class Moment:
    """What traffic is like: events a day, and the share of violations; the part of those that rules find too."""

    events_per_day: float = 200_000
    violations: float = 0.004
    by_rules: float = 0.1
    #: The logits of violations and of all others, mean and deviation.
    high: tuple[float, float] = (3.0, 2.0)
    low: tuple[float, float] = (-6.0, 1.5)


@dataclass
class Run:
    """`alerts[i]`: events of the i-th five minutes that alerted, by a rule or the model; `thresholds` likewise."""

    alerts: list[int] = field(default_factory=list)
    by_rules: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)

    def rolling_days(self) -> np.ndarray:
        """Alerts of every 24 hours, at each five minutes from the end of the first day."""
        return np.convolve(self.alerts, np.ones(STEPS_PER_DAY), mode="valid")


def simulate(
    days: float,
    at: Callable[[float], Moment],
    *,
    seed: int = 1,
    domain: Domain = DOMAIN,
    restart_every_steps: int | None = None,
    deciders: int = 1,
) -> Run:
    """Traffic for so many days; `at(day)` says what it is like. A restart loses every process's memory."""
    draw = np.random.default_rng(seed)
    order = random.Random(seed)
    run, log, decided_log = Run(), {}, {}
    book, decisions = StatisticsBook(), Decisions()
    workers: list[dict[int, dict[str, dict[int, int]]]] = []
    generation = 0
    policy = policy_of({domain.name: domain})
    for step in range(int(days * STEPS_PER_DAY)):
        now_us = START_US + step * STEP_US
        if not workers or (restart_every_steps and step % restart_every_steps == 0):
            generation += 1
            workers = [{}, {}]
            book, decisions = StatisticsBook(), Decisions()
            for log_of, fold in ((log, book.fold), (decided_log, decisions.fold)):
                values = list(log_of.values())
                order.shuffle(values)
                for value in values:
                    fold(value)
        moment = at(step / STEPS_PER_DAY)
        champion = decisions.applied_to(policy).domains[domain.name].champion
        assert champion is not None
        alerts = ruled_alerts = 0
        for number, counts in enumerate(workers):
            n = draw.poisson(moment.events_per_day / STEPS_PER_DAY / len(workers))
            bad = draw.random(n) < moment.violations
            logits = np.where(bad, draw.normal(*moment.high, n), draw.normal(*moment.low, n))
            ruled = bad & (draw.random(n) < moment.by_rules)
            reached = 1 / (1 + np.exp(-logits)) >= champion.threshold
            alerts += int((ruled | reached).sum())
            ruled_alerts += int(ruled.sum())
            hour = records.hour_of(now_us)
            counted = counts.setdefault(hour, {"alone": {}, "with_rule": {}, "n": {0: 0}})
            places = np.clip(np.floor(logits * BINS_PER_LOGIT), LOWEST_BIN, HIGHEST_BIN).astype(int)
            for name, rows in (("alone", ~ruled), ("with_rule", ruled)):
                for place, many in zip(*np.unique(places[rows], return_counts=True), strict=True):
                    counted[name][int(place)] = counted[name].get(int(place), 0) + int(many)
            counted["n"][0] += n
            instance = f"{generation}-{number}"
            for record in (
                records.ScoreCounts(
                    instance=instance, hour=hour, domain=domain.name, model=champion.model,
                    version=champion.version, role="champion",
                    alone=counted["alone"], with_rule=counted["with_rule"],
                ),
                records.AlertCounts(
                    instance=instance, hour=hour, domain=domain.name,
                    by_rules=sum(counted["with_rule"].values()),
                ),
                records.InputCounts(
                    instance=instance, hour=hour, kind="message", facts={"events": counted["n"][0]}
                ),
            ):  # fmt: skip
                log[records.key_of(record)] = records.encode(record)
                book.fold(log[records.key_of(record)])
        run.alerts.append(alerts)
        run.by_rules.append(ruled_alerts)
        run.thresholds.append(champion.threshold)
        for _ in range(deciders):
            for considered in consider(policy, book, decisions, now_us=now_us + STEP_US):
                if isinstance(considered.outcome, Decided):
                    decided_log[domain.name] = encode(considered.outcome)
                    decisions.fold(decided_log[domain.name])
    return run
