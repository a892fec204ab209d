"""From everybody's counts and the thresholds that stand to the next ones, for all adaptive budgets of a policy (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec import structs

from streams.alerts import Role
from streams.budgets.adaptive import LONGEST_STEP_H, Step, Waiting, next_threshold
from streams.budgets.decided import RENEW_EVERY_US, Because, Decided, Decisions, moved_roles, reference_of
from streams.budgets.rolling_day import RollingDay, rolling_day
from streams.policy import Domain, ModelRef, Policy
from streams.statistics.book import StatisticsBook
from streams.statistics.records import HOUR_US


@dataclass(frozen=True, slots=True)
class Considered:
    """One model of one adaptive budget: what the day was like, and what follows.

    `renewed`: the decision that stands, to be written anew, or it would be forgotten (`decided.LIFE_US`).
    """

    domain: Domain
    role: Role
    reference: ModelRef
    day: RollingDay
    outcome: Decided | Waiting
    renewed: Decided | None = None


def consider(
    policy: Policy, book: StatisticsBook, decisions: Decisions, *, now_us: int
) -> Iterator[Considered]:
    """Every threshold that an adaptive budget moves. `policy` is the file's, with the written thresholds.

    One at a time, because summing a day takes milliseconds that the event loop may need back in between. The same
    arguments give the same outcome, so two deciders at once write the same records.
    """
    for _, domain in sorted(policy.domains.items()):
        for role in moved_roles(domain):
            reference = reference_of(domain, role)
            assert reference is not None
            day = rolling_day(book, domain, reference, now_us=now_us)
            last = decisions.of(domain, role)
            decided_at_us, hours_since = now_us, LONGEST_STEP_H
            if last is not None and last.decided_at_us <= now_us:
                hours_since = (now_us - last.decided_at_us) / HOUR_US
            elif last is not None:
                # By another worker's clock. The next must be newer still, or a clock that ran ahead would stop all.
                decided_at_us = last.decided_at_us + 1
            step = next_threshold(
                day,
                domain,
                standing=reference.threshold if last is None else last.threshold,
                hours_since=hours_since,
                most_share=policy.valve.max_share,
            )
            outcome = (
                step
                if isinstance(step, Waiting)
                else _decided(domain, role, reference, day, step, decided_at_us=decided_at_us)
            )
            renewed = _renewed(last, now_us=now_us) if isinstance(outcome, Waiting) else None
            yield Considered(domain, role, reference, day, outcome, renewed)


def _renewed(last: Decided | None, *, now_us: int) -> Decided | None:
    if last is None or now_us - last.held_at_us < RENEW_EVERY_US:
        return None
    return structs.replace(last, renewed_at_us=now_us)


def _decided(
    domain: Domain, role: Role, reference: ModelRef, day: RollingDay, step: Step, *, decided_at_us: int
) -> Decided:
    return Decided(
        domain=domain.name,
        role=role,
        model=reference.model,
        version=reference.version,
        written=reference.threshold,
        threshold=round(step.threshold, 9),
        decided_at_us=decided_at_us,
        because=Because(
            alerts_per_day=domain.alerts_per_day or 0,
            by_rules=round(day.by_rules, 1),
            events=round(day.events, 1),
            scored=round(day.scored, 1),
            wanted=round(step.wanted, 1),
            before=round(step.before, 1),
            expected=round(step.expected, 1),
        ),
    )
