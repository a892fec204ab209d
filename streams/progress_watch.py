"""Watches a worker's progress: lag for /readyz and the metrics, and whether it stands still although records wait."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from streams import metrics
from streams.app import Pipeline
from streams.faust_app import most_events_ahead
from streams.health import Health
from streams.kafka.log_bounds import Bounds, LogBounds
from streams.progress import Partition, Progress, Stalled, Standing
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: How often progress is looked at, in seconds.
WATCH_S = 1.0
#: How often the broker is asked where its logs end, in seconds.
ENDS_S = 5.0


class ProgressWatch:
    """Of one worker, whose `health` it keeps. `close` when it is over."""

    def __init__(self, settings: Settings, health: Health) -> None:
        self._settings = settings
        self._health = health
        self._log_bounds = LogBounds(settings)

    async def close(self) -> None:
        """Let go of its connection to the broker."""
        await self._log_bounds.close()

    async def watch(self, pipeline: Pipeline) -> BaseException | None:
        """Look until the worker cannot go on: why Faust gave up, or None when the worker stands still, which is logged."""
        progress = Progress(self._settings.stall_s, events_ahead=most_events_ahead(self._settings))
        rescore = self._settings.topic("rescore")
        bounds: dict[Partition, Bounds] = {}
        asked_at_s = -ENDS_S
        while True:
            app = pipeline.app
            if (reason := pipeline.gave_up) is not None:
                return reason
            found = {(tp.topic, tp.partition): s for tp, s in app.consumer.standings().items()}
            if time.monotonic() - asked_at_s >= ENDS_S:
                bounds = await self._log_bounds.ask(found)
                asked_at_s = time.monotonic()
            standings = {
                partition: Standing(
                    done, end, committed, handled=pipeline.handled_while_waiting(*partition)
                ).within(bounds.get(partition))
                for partition, (done, end, committed) in found.items()
            }
            self._note_consuming(not app.rebalancing and bool(app.tables.actives_ready), standings)
            self._publish(pipeline, standings)
            # Rescoring pauses on purpose while models are away.
            watched = {partition: s for partition, s in standings.items() if partition[0] != rescore}
            stalled = progress.observe(time.monotonic(), watched, rebalancing=bool(app.rebalancing))
            stalled = await self._confirmed(stalled, standings, progress)
            self._health.stalled = tuple(_describe(stalled))
            if stalled:
                self._say(stalled, standings)
                return None
            await asyncio.sleep(WATCH_S)

    async def _confirmed(
        self, suspected: tuple[Stalled, ...], standings: dict[Partition, Standing], progress: Progress
    ) -> tuple[Stalled, ...]:
        """Those of the stalls in which records wait indeed: a log may end in offsets that hold none."""
        in_doubt = {
            stall.partition: standings[stall.partition].reached
            for stall in suspected
            if stall.partition in standings and not standings[stall.partition].uncommitted
        }
        if not in_doubt:
            return suspected
        waiting = await self._log_bounds.with_records(in_doubt)
        for partition in in_doubt.keys() - waiting:
            progress.moved(time.monotonic(), partition, standings[partition])
        return tuple(s for s in suspected if s.partition not in in_doubt or s.partition in waiting)

    def _note_consuming(self, consuming: bool, standings: dict[tuple[str, int], Standing]) -> None:
        if consuming and not self._health.consuming:
            waiting = sum(standing.lag for standing in standings.values())
            logger.info("consuming %d partitions, %d records waiting", len(standings), waiting)
        elif self._health.consuming and not consuming:
            logger.info("rebalancing: no records are taken")
        self._health.consuming = consuming

    def _publish(self, pipeline: Pipeline, standings: dict[tuple[str, int], Standing]) -> None:
        lag: dict[str, int] = {}
        metrics.CONSUMER_LAG.clear()  # partitions that went to another worker must not linger
        metrics.COMMITTED_OFFSET.clear()
        for (topic, partition), standing in standings.items():
            metrics.CONSUMER_LAG.labels(topic=topic, partition=str(partition)).set(standing.lag)
            metrics.COMMITTED_OFFSET.labels(topic=topic, partition=str(partition)).set(standing.done or 0)
            lag[topic] = lag.get(topic, 0) + standing.lag
        self._health.lag = lag
        metrics.IN_FLIGHT_ROWS.set(pipeline.rows_in_flight)
        metrics.WINDOWS.set(len(pipeline.windows))
        metrics.READY.set(1.0 if self._health.ready else 0.0)

    def _say(self, stalled: tuple[Stalled, ...], standings: dict[tuple[str, int], Standing]) -> None:
        state = ", ".join(
            f"{t}-{p}: {s.committed}/{s.done}/{s.end}" for (t, p), s in sorted(standings.items())
        )
        logger.critical(
            "no progress for %.0f s although records wait (%s); every partition (committed/done/end): %s. "
            "Leaving so that the supervisor starts a fresh worker.",
            self._settings.stall_s,
            ", ".join(_describe(stalled)),
            state,
        )


def _describe(stalled: Iterable[Stalled]) -> list[str]:
    return [f"{s.partition[0]}-{s.partition[1]}: lag {s.lag}, still for {s.for_s:.0f} s" for s in stalled]
