"""The worker's own book of alerts and verdicts: read from Kafka in the background, counted, shown and exposed.

Every worker reads all of it, so each shows the same figures of the whole fleet. Nothing here may hold up screening or
end the worker: reading is tried again for ever, and folding and counting give the event loop back often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from streams import metrics
from streams.agents.background import Background
from streams.agents.gauges import ShownGauges
from streams.agents.quality_gauges import samples_of
from streams.events import rfc3339
from streams.kafka.shared_log import SharedLog
from streams.policy import Policy
from streams.review.book import DAY_US, Book, Case
from streams.review.intake import ReviewIntake
from streams.review.page import page_of
from streams.review.quality import (
    Budgets,
    DayQuality,
    Quality,
    Source,
    Tally,
    budgets_of,
    day_quality,
    quality,
)
from streams.settings import Settings

#: How often the figures are brought up to date, in seconds: as often as Prometheus usually looks.
REFRESH_S = 15.0
#: Cases taken out of the book at a time, 1–2 ms of the event loop.
CASES_AT_A_TIME = 1000


class ReviewDesk:
    """Reads, counts and shows. `policy` gives the live one, for its budgets."""

    def __init__(
        self,
        settings: Settings,
        *,
        policy: Callable[[], Policy],
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._policy = policy
        self._now_us = now_us
        self._horizon_us = int(settings.review_days * DAY_US)
        names = {role: settings.topic(role) for role in ("alerted", "decisions")}
        self._intake = ReviewIntake(Book(), **names)
        self._log = SharedLog(
            settings, names.values(), fold=self._intake.fold, since_us=self._first_day_us(now_us())
        )
        self._gauges = ShownGauges()
        self._budgets = Budgets()
        self._days: dict[int, DayQuality] = {}
        self._due: set[int] = set()  # days to count again; they stay so when a round fails
        self._quality: Quality | None = None
        self._background = Background("quality is no longer counted by this worker")

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        for work in (self._log.follow(), self._keep_counting()):
            self._background.begin(work)

    async def stop(self) -> None:
        """Stop reading. The book is in Kafka; nothing has to be saved."""
        await self._background.stop()

    @property
    def book(self) -> Book:
        """What has been read."""
        return self._intake.book

    def tallies(self) -> dict[int, Mapping[Source, Tally]]:
        """Alerts by what was decided about them, by UTC day and source, as last counted."""
        return {day: of_day.tallies for day, of_day in self._days.items()}

    def page(self) -> dict[str, Any]:
        """What `/quality` answers: how far it has read, and the figures as they were when last counted."""
        standing = self._log.standing
        reading = asdict(standing)
        newest_at_us = reading.pop("newest_at_us")
        reading["newest_at"] = None if newest_at_us is None else rfc3339(newest_at_us)
        reading["trouble"] = self._background.failed or standing.trouble
        figures = {} if self._quality is None else page_of(self._quality, self._intake.taken)
        return {"reading": reading, **figures}

    async def count(self) -> None:
        """Bring the figures up to date: only days whose alerts or verdicts changed are counted again."""
        now_us = self._now_us()
        since_us = self._first_day_us(now_us)
        self.book.forget(since_us)
        self._due |= self.book.take_changed()
        budgets = budgets_of(self._policy())
        if budgets != self._budgets:
            self._due.update(self.book.days)
        self._budgets = budgets
        for day in sorted(self._due):
            cases = await self._cases(day)
            self._days[day] = await asyncio.to_thread(day_quality, cases, budgets)
            self._due.discard(day)
        self._days = {day: of_day for day, of_day in self._days.items() if of_day.tallies}
        self._quality = await asyncio.to_thread(
            quality, self._days, budgets, unknown=self.book.unknown, since_us=since_us, until_us=now_us
        )
        standing = self._log.standing
        metrics.QUALITY_BEHIND.set(standing.behind or 0)
        if standing.caught_up:  # figures that climb while old alerts are being read would look like news
            self._gauges.show(await asyncio.to_thread(samples_of, self._quality, self._intake.taken))

    async def _keep_counting(self) -> None:
        while True:
            await self._background.attempt(self.count)
            await asyncio.sleep(REFRESH_S if self._log.standing.caught_up else 1.0)

    async def _cases(self, day: int) -> list[Case]:
        """A day's cases; one that changes meanwhile marks the day as changed, so it is counted again."""
        ids = self.book.ids(day)
        cases: list[Case] = []
        for begin in range(0, len(ids), CASES_AT_A_TIME):
            wanted = ids[begin : begin + CASES_AT_A_TIME]
            cases += [
                case for alert_id in wanted if (case := self.book.case(alert_id)) and case.fact.day == day
            ]
            await asyncio.sleep(0)
        return cases

    def _first_day_us(self, now_us: int) -> int:
        """The horizon, from the beginning of its UTC day: whole days are counted."""
        return (now_us - self._horizon_us) // DAY_US * DAY_US
