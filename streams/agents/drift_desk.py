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
from streams.agents.word_watch import WordWatch
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

logger = logging.getLogger(__name__)

#: How often it is compared anew, in seconds: in five minutes a day of counts moves by a three-hundredth.
COMPARE_EVERY_S: Final = 300.0


class DriftDesk:
    """Reads, compares and shows.

    `tallies` gives what moderators decided, by UTC day (`ReviewDesk.tallies`). `words`, if given, is started and
    stopped with it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tallies: Callable[[], Mapping[int, Mapping[Source, Tally]]],
        words: WordWatch | None = None,
        compare_every_s: float = COMPARE_EVERY_S,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._tallies = tallies
        self._words = words
        self._compare_every_s = compare_every_s
        self._now_us = now_us
        self.intake = StatisticsIntake()
        self._log = SharedLog(
            settings,
            [settings.topic("statistics")],
            fold=self.intake.fold,
            since_us=last_hours(now_us()).span_us(current=False)[0],
        )
        self._gauges = ShownGauges()
        self._found: Assessment | None = None
        self._background = Background("drift is no longer watched by this worker")

    def start(self) -> None:
        """Begin to read, in the running event loop."""
        for work in (self._log.follow(), self._keep_comparing()):
            self._background.begin(work)
        if self._words is not None:
            self._words.start()

    async def stop(self) -> None:
        """Stop reading. The counts are in Kafka; nothing has to be saved."""
        if self._words is not None:
            await self._words.stop()
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
        periods = last_hours(now_us)
        book = self.intake.book
        book.forget_before(periods.reference)
        found = []
        for series in list(book):
            found.append(await asyncio.to_thread(assess_series, series, book.compared(series, periods)))
            await asyncio.sleep(0)
        # A thread: Fisher's test of hundreds of sources takes tenths of a second.
        precision = await asyncio.to_thread(precision_drift, self._tallies(), today=now_us // DAY_US)
        before = () if self._found is None else advice(self._found)
        words = () if self._words is None else self._words.found()
        self._found = together(found, periods, precision=precision, words=words)
        for sentence in advice(self._found):
            if sentence not in before:
                logger.warning("drift: %s", sentence)
        self._gauges.show(samples_of(self._found))

    async def _keep_comparing(self) -> None:
        await self._log.wait_caught_up()  # counts of half a reference would look like news
        while True:
            await self._background.attempt(self.compare)
            await asyncio.sleep(self._compare_every_s)
