"""Adaptive budgets in a worker: reads which thresholds hold, and decides the next ones where it is its turn.

Every worker applies what stands in the topic `thresholds`; the one that has the first partition of `messages` decides.
For a moment there may be two: they decide the same. Nothing here may hold up screening or end the worker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from aiokafka.errors import KafkaError
from msgspec import structs

from streams import metrics
from streams.agents.background import Background
from streams.alerts import Role
from streams.budgets.adaptive import Waiting
from streams.budgets.decided import (
    ROLES,
    Decisions,
    encode,
    key_of,
    moved_roles,
    reference_of,
    thresholds_of,
)
from streams.budgets.deciding import consider
from streams.budgets.rolling_day import KEPT_HOURS
from streams.events import rfc3339
from streams.kafka.outbox import Outbox, Outgoing
from streams.kafka.permissions import MissingPermissionError
from streams.kafka.shared_log import SharedLog
from streams.rulebook import Rulebook, RulebookSource
from streams.settings import Settings
from streams.statistics.book import RawRecord, StatisticsBook
from streams.statistics.records import HOUR_US, hour_of

logger = logging.getLogger(__name__)

#: How often thresholds are decided, in seconds; `adaptive.LONGEST_STEP_H` is the same time.
DECIDE_EVERY_S = 300.0
#: How often it is looked whether it is time, and gauges are set, in seconds.
LOOK_EVERY_S = 5.0
#: A worker that starts waits so long, in seconds, for the thresholds that hold; a handful of records. Then it screens
#: with the written ones until they come.
START_WITHIN_S = 10.0


class BudgetDesk:
    """Stands before the live rulebook: `current` is the same with the thresholds that hold now."""

    def __init__(
        self,
        settings: Settings,
        live: RulebookSource,
        *,
        decide_every_s: float = DECIDE_EVERY_S,
        look_every_s: float = LOOK_EVERY_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._live = live
        self._decide_every_us = int(decide_every_s * 1e6)
        self._look_every_s = look_every_s
        self._now_us = now_us
        self._topic = settings.topic("thresholds")
        self._decisions = Decisions()
        self._thresholds = SharedLog(settings, (self._topic,), fold=self.fold_thresholds)
        #: Two days of everybody's counts, read where a budget is adaptive.
        self.book = StatisticsBook()
        self._statistics = SharedLog(
            settings,
            (settings.topic("statistics"),),
            fold=self.book.fold_all,
            since_us=(hour_of(now_us()) - KEPT_HOURS) * HOUR_US,
        )
        self._counting: asyncio.Task[None] | None = None
        self._background = Background("adaptive budgets stand still on this worker")
        self._applied: tuple[Rulebook, int, Rulebook] | None = None
        self._told: Mapping[tuple[str, Role], float] = {}
        self._waiting: dict[tuple[str, Role], str] = {}
        self._decided_at_us: int | None = None
        self._is_my_turn = False

    @property
    def current(self) -> Rulebook:
        """The live rulebook with the thresholds that hold now. The policy keeps its version: that of the file."""
        live, changes = self._live.current, self._decisions.changes
        if self._applied is None or self._applied[0] is not live or self._applied[1] != changes:
            self._applied = live, changes, replace(live, policy=self._decisions.applied_to(live.policy))
        return self._applied[2]

    async def start(self) -> None:
        """Read which thresholds hold; returns when that is known, or after `START_WITHIN_S` without it.

        Where no budget is adaptive nothing is waited for.
        """
        self._background.begin(self._thresholds.follow())
        if not self._is_adaptive:
            return
        try:
            async with asyncio.timeout(START_WITHIN_S):
                await self._thresholds.wait_caught_up()
        except TimeoutError:
            logger.warning(
                "%s was not read within %.0f s: the thresholds of domains.yaml hold until it is",
                self._topic,
                START_WITHIN_S,
            )

    def decide_with(self, outbox: Outbox, *, my_turn: Callable[[], bool]) -> None:
        """Begin to decide, whenever `my_turn` says so, and to show what holds."""
        self._background.begin(self._keep_deciding(outbox, my_turn))

    async def stop(self) -> None:
        """Stop. What was decided is in Kafka."""
        await self._background.stop()

    def page(self) -> dict[str, Any]:
        """What `/budgets` answers: of every model the written threshold, the one that holds, and why."""
        policy = self._live.current.policy
        rows = [
            self._row(domain.name, role)
            for _, domain in sorted(policy.domains.items())
            for role in ROLES
            if reference_of(domain, role) is not None
        ]
        return {
            "decides": self._is_my_turn,
            "thresholds": rows,
            "trouble": self._background.failed,
            "reading": {
                "thresholds": asdict(self._thresholds.standing),
                "statistics": None if self._counting is None else asdict(self._statistics.standing),
            },
            "unreadable": {
                "thresholds": self._decisions.unreadable,
                "statistics": self.book.unreadable,
            },
        }

    def _row(self, name: str, role: Role) -> dict[str, Any]:
        domain = self._live.current.policy.domains[name]
        reference, decided = reference_of(domain, role), self._decisions.of(domain, role)
        assert reference is not None
        moved = role in moved_roles(domain)
        return {
            "domain": name,
            "role": role,
            "model": reference.model,
            "version": str(reference.version),
            "mode": domain.budget_mode if moved else "fixed",
            "alerts_per_day": domain.alerts_per_day,
            "written": reference.threshold,
            "threshold": reference.threshold if decided is None else decided.threshold,
            "decided_at": None if decided is None else rfc3339(decided.decided_at_us),
            "because": None if decided is None else structs.asdict(decided.because),
            "waiting": self._waiting.get((name, role)) if moved else None,
        }

    async def _keep_deciding(self, outbox: Outbox, my_turn: Callable[[], bool]) -> None:
        while True:
            await self._background.attempt(lambda: self._look(outbox, my_turn))
            await asyncio.sleep(self._look_every_s)

    async def _look(self, outbox: Outbox, my_turn: Callable[[], bool]) -> None:
        now_us = self._now_us()
        self._decisions.expire(now_us)
        self.show()
        self._tell_changes()
        self.book.forget_before(hour_of(now_us) - KEPT_HOURS)
        if not self._is_adaptive:
            return
        if self._counting is None:  # a day of everybody's counts is read where somebody may need it
            self._counting = self._background.begin(self._statistics.follow())
        self._note_turn(my_turn())
        if self._is_my_turn and self._is_time():
            await self.decide(outbox)
            self._decided_at_us = now_us  # not after an error: it is tried again, and shown until it succeeds

    @property
    def _is_adaptive(self) -> bool:
        return any(moved_roles(domain) for domain in self._live.current.policy.domains.values())

    def _note_turn(self, is_mine: bool) -> None:
        if is_mine and not self._is_my_turn:
            logger.info("this worker decides the thresholds of adaptive budgets now")
        elif self._is_my_turn and not is_mine:
            self._waiting = {}
        self._is_my_turn = is_mine

    def _is_time(self) -> bool:
        for standing in (self._statistics.standing, self._thresholds.standing):
            # Counts that do not arrive are missing from the day: thresholds would fall without end.
            if not standing.caught_up or standing.trouble is not None:
                return False
        return self._decided_at_us is None or self._now_us() - self._decided_at_us >= self._decide_every_us

    async def decide(self, outbox: Outbox) -> None:
        """Decide now, whoever's turn it is: write the next thresholds, each worker reads them from there."""
        policy, now_us = self._live.current.policy, self._now_us()
        records, self._waiting = [], {}
        for considered in consider(policy, self.book, self._decisions, now_us=now_us):
            outcome = considered.outcome
            if isinstance(outcome, Waiting):
                self._waiting[considered.domain.name, considered.role] = outcome.reason
            written = considered.renewed if isinstance(outcome, Waiting) else outcome
            if written is not None:
                records.append(Outgoing(self._topic, key_of(written), encode(written)))
            await asyncio.sleep(0)
        try:
            await outbox.send(records)
        except (KafkaError, MissingPermissionError) as error:
            logger.warning("thresholds were not written to %s and stay as they are: %r", self._topic, error)

    def fold_thresholds(self, records: Sequence[RawRecord]) -> None:
        """Take in records of `thresholds` and say in the log what changes."""
        for record in records:
            self._decisions.fold(record.value)
        self._decisions.expire(self._now_us())
        self._tell_changes()

    def _tell_changes(self) -> None:
        """Say in the log which thresholds are others than when it was last said; not each one of the past at a start."""
        if not self._thresholds.standing.caught_up:
            return
        before, self._told = self._told, thresholds_of(self.current.policy)
        for place, threshold in self._told.items():
            if threshold != before.get(place):
                self._tell(*place, before.get(place), threshold)

    def _tell(self, domain: str, role: Role, before: float | None, threshold: float) -> None:
        decided = self._decisions.of(self._live.current.policy.domains[domain], role)
        if decided is None:
            if before is not None:
                logger.info(
                    "threshold of %s (%s): %.6g as domains.yaml says, was %.6g",
                    domain,
                    role,
                    threshold,
                    before,
                )
            return
        because = decided.because
        logger.info(
            "threshold of %s (%s, %s/%d): %.6g, was %.6g. Of %.0f events in 24 hours %.0f would alert by it, was %.0f; "
            "%.0f alerted by rules; the budget is %d a day",
            domain,
            role,
            decided.model,
            decided.version,
            threshold,
            decided.written if before is None else before,
            because.scored,
            because.expected,
            because.before,
            because.by_rules,
            because.alerts_per_day,
        )

    def show(self) -> None:
        """Set the gauges."""
        metrics.THRESHOLD.clear()  # of models that left the policy
        metrics.BUDGET.clear()
        policy = self.current.policy
        for (domain, role), threshold in thresholds_of(policy).items():
            metrics.THRESHOLD.labels(domain=domain, role=role).set(threshold)
        for name, found in policy.domains.items():
            if found.alerts_per_day is not None:
                metrics.BUDGET.labels(domain=name).set(found.alerts_per_day)
