"""The worker's own view of drift: reads everybody's counts in the background, compares, and exposes what it found.

Every worker reads all of them, so each shows the same figures of the whole fleet. Nothing here may hold up screening
or end the worker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final

from streams.agents.background import Background
from streams.agents.drift_gauges import samples_of
from streams.agents.gauges import ShownGauges
from streams.drift.assessment import Assessment, assess_series, together
from streams.drift.intake import StatisticsIntake
from streams.drift.periods import last_hours
from streams.drift.precision import precision_drift
from streams.drift.report import report
from streams.drift.wording import advice
from streams.kafka.shared_log import SharedLog
from streams.review.book import DAY_US
from streams.review.quality import Source, Tally
from streams.settings import Settings
from streams.statistics.records import HOUR_US, hour_of

logger = logging.getLogger(__name__)

#: The last day against the four weeks before it: whole days hold the daily cycle, whole weeks the weekly one.
CURRENT_HOURS: Final = 24
REFERENCE_HOURS: Final = 28 * 24
#: How often it is compared anew, in seconds: in five minutes a day of counts moves by a three-hundredth.
COMPARE_EVERY_S: Final = 300.0


class DriftDesk:
    """Reads, compares and shows. `tallies` gives what moderators decided, by UTC day (`ReviewDesk.tallies`)."""

    def __init__(
        self,
        settings: Settings,
        *,
        tallies: Callable[[], Mapping[int, Mapping[Source, Tally]]],
        compare_every_s: float = COMPARE_EVERY_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._tallies = tallies
        self._compare_every_s = compare_every_s
        self._now_us = now_us
        self.intake = StatisticsIntake()
        self._log = SharedLog(
            settings,
            [settings.topic("statistics")],
            fold=self.intake.fold,
            since_us=(hour_of(now_us()) - CURRENT_HOURS - REFERENCE_HOURS) * HOUR_US,
        )
        self._gauges = ShownGauges()
        self._found: Assessment | None = None
        self._background = Background("drift is no longer watched by this worker")

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        for work in (self._log.follow(), self._keep_comparing()):
            self._background.begin(work)

    async def stop(self) -> None:
        """Stop reading. The counts are in Kafka; nothing has to be saved."""
        await self._background.stop()

    def page(self) -> dict[str, Any]:
        """What `/drift` answers: how far it has read, and what it found when it last compared."""
        standing = self._log.standing
        reading = {
            **asdict(standing),
            "trouble": self._background.failed or standing.trouble,
            "unreadable": self.intake.unreadable,
        }
        return {"reading": reading, **({} if self._found is None else report(self._found))}

    async def compare(self) -> None:
        """Compare anew and set the gauges; what drifted since the last time is logged with what to do about it."""
        now_us = self._now_us()
        periods = last_hours(now_us, current=CURRENT_HOURS, reference=REFERENCE_HOURS)
        book = self.intake.book
        book.forget_before(periods.reference)
        found = []
        for series in list(book):
            found.append(await asyncio.to_thread(assess_series, series, book.compared(series, periods)))
            await asyncio.sleep(0)
        precision = precision_drift(self._tallies(), today=now_us // DAY_US)
        before = () if self._found is None else advice(self._found)
        self._found = together(found, periods, precision=precision)
        for sentence in advice(self._found):
            if sentence not in before:
                logger.warning("drift: %s", sentence)
        self._gauges.show(samples_of(self._found))

    async def _keep_comparing(self) -> None:
        await self._log.wait_caught_up()  # counts of half a reference would look like news
        while True:
            await self.compare()
            await asyncio.sleep(self._compare_every_s)
