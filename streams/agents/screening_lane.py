"""The lane of an input topic: cases scored, concluded, written to Kafka, counted; dead letters among them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from streams import metrics
from streams.agents.alert_outputs import alert_outputs
from streams.agents.lane import Delivery, Lane
from streams.agents.scoring import ModelStep, Scores, without_scores
from streams.conclusion import Conclusion, announce, conclude
from streams.kafka.dead_letters import DeadLetter
from streams.kafka.outbox import Outbox, Outgoing, dead_letter
from streams.rescoring import encode
from streams.screening import Case
from streams.settings import Settings

logger = logging.getLogger(__name__)

#: Between two lines about models that are too slow for what arrives.
SAID_EVERY_S = 60.0


@dataclass(slots=True, eq=False)
class Refused:
    """A record that could not be used, in the same lane as the others so that commits keep their order."""

    letter: DeadLetter
    impatient: bool = False
    announcement: asyncio.Task[None] | None = None


Row = Case | Refused


@dataclass(frozen=True, slots=True)
class LaneEnds:
    """What a lane tells the rest of the worker."""

    complete: Callable[[Delivery], None]
    is_current: Callable[[Delivery], bool]
    #: The generation in which the partitions of now were assigned, None while none are held.
    holding: Callable[[], int | None]
    fail: Callable[[BaseException], None]


@dataclass(slots=True)
class Overload:
    """Says in the log that models are slower than what arrives: at once, then once a minute while it lasts."""

    events: int = 0
    silent_until_s: float = 0.0

    def note(self, events: int, now_s: float) -> None:
        """So many more events were put aside without a turn."""
        self.events += events
        if self.events and now_s >= self.silent_until_s:
            logger.warning(
                "models are slower than what arrives: %d events had no turn in time and go to rescore; "
                "rules go on as usual",
                self.events,
            )
            self.events, self.silent_until_s = 0, now_s + SAID_EVERY_S


class ScreeningLane:
    """From cases to acknowledged outputs.

    `changes(cases)` adds the records of state that belong to the same cases (window changelog). `counted(concluded)` is
    told of what Kafka has acknowledged. `patient`: nobody waits behind these cases, so they wait for the models instead
    of being put aside (again).
    """

    def __init__(
        self,
        settings: Settings,
        *,
        models: ModelStep,
        outbox: Outbox,
        ends: LaneEnds,
        changes: Callable[[Sequence[Case]], Sequence[Outgoing]] = lambda _: (),
        counted: Callable[[Sequence[tuple[Case, Conclusion]]], None] = lambda _: None,
        patient: bool = False,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._settings = settings
        self._models = models
        self._outbox = outbox
        self._holding = ends.holding
        self._changes = changes
        self._counted = counted
        self._now_us = now_us
        self._overload = Overload()
        self.lane: Lane[Row, Scores | None] = Lane(
            score=self._score,
            give_up=self._give_up,
            finish=self._finish,
            announce=self._announce,
            complete=ends.complete,
            is_current=ends.is_current,
            fail=ends.fail,
            batch_rows=settings.batch_rows,
            in_flight=settings.batches_in_flight,
            # What a patient lane holds is not finished early, so it holds no more than a drain can wait for.
            backlog_rows=(settings.batches_in_flight + 1) * settings.batch_rows
            if patient
            else settings.backlog_rows,
            patience_s=settings.rule_patience_s,
            # The other half of the deadline is for the scoring itself.
            turn_s=None if patient else settings.score_deadline_s / 2,
        )

    async def _score(self, rows: Sequence[Row], waited_s: float) -> Sequence[Scores | None]:
        cases = [row for row in rows if isinstance(row, Case)]
        with metrics.STAGE_SECONDS.labels(stage="score").time():
            scores = iter(await self._models.score(cases, waited_s=waited_s) if cases else ())
        return [next(scores) if isinstance(row, Case) else None for row in rows]

    def _give_up(self, rows: Sequence[Row]) -> Sequence[Scores | None]:
        """No scores for now: rule alerts go out if they have not yet, the rest follows from `rescore`."""
        cases = [row for row in rows if isinstance(row, Case)]
        self._overload.note(len(cases), time.monotonic())
        return [without_scores(row) if isinstance(row, Case) else None for row in rows]

    async def _announce(self, row: Row) -> None:
        """Send the alerts that rules alone raise, because the models take their time."""
        still = self._still_held()
        assert isinstance(row, Case)
        conclusion = announce(row, now_us=self._now_us())
        row.revision, row.alerted = conclusion.revision, conclusion.alerted
        if await self._outbox.send(self._alerts(row, conclusion), still=still):
            self._count_alerts(row, conclusion)

    async def _finish(self, rows: Sequence[Row], results: Sequence[Scores | None]) -> None:
        still = self._still_held()
        now_us = self._now_us()
        records: list[Outgoing] = []
        concluded: list[tuple[Case, Conclusion]] = []
        for row, scores in zip(rows, results, strict=True):
            if isinstance(row, Refused):
                records.append(dead_letter(self._settings.topic("deadletter"), row.letter))
                continue
            assert scores is not None
            conclusion = conclude(
                row,
                scores.outcomes,
                notes=scores.notes,
                now_us=now_us,
                rescore_max_age_us=int(self._settings.rescore_max_age_s * 1e6),
            )
            concluded.append((row, conclusion))
            records += self._alerts(row, conclusion)
            records += self._last_word(row, conclusion, now_us)
        records += self._changes([case for case, _ in concluded])
        with metrics.STAGE_SECONDS.labels(stage="acknowledge").time():
            written = await self._outbox.send(records, still=still)
        if written:  # else the next owner gets all these events again, writes what is missing and counts them
            self._count(rows, concluded)
            self._counted(concluded)

    def _still_held(self) -> Callable[[Outgoing], bool]:
        """Whether the partitions that are held now are still held, whenever it is asked."""
        held = self._holding()
        return lambda _: held is not None and self._holding() == held

    def _alerts(self, case: Case, conclusion: Conclusion) -> list[Outgoing]:
        subject = case.screened.subject
        return [
            record
            for _, alert in conclusion.alerts
            for record in alert_outputs(self._settings, subject, alert)
        ]

    def _last_word(self, case: Case, conclusion: Conclusion, now_us: int) -> list[Outgoing]:
        """The prediction, or the record that puts the event aside; nothing for a report that is scored."""
        key = case.screened.subject.key.encode("utf-8", "replace")
        if conclusion.prediction is not None:
            return [Outgoing(self._settings.topic("predictions"), key, orjson.dumps(conclusion.prediction))]
        if not conclusion.aside:
            return []
        value = encode(case, revision=conclusion.revision, alerted=conclusion.alerted, now_us=now_us)
        return [Outgoing(self._settings.topic("rescore"), key, value)]

    def _count(self, rows: Sequence[Row], concluded: Sequence[tuple[Case, Conclusion]]) -> None:
        for row in rows:
            if isinstance(row, Refused):
                metrics.DEAD_LETTERS.labels(topic=row.letter.topic, reason=row.letter.reason).inc()
        for case, conclusion in concluded:
            kind = case.screened.subject.kind
            if conclusion.aside:
                metrics.RESCORES.labels(kind=kind).inc()
            elif conclusion.prediction is not None:
                metrics.PREDICTIONS.labels(kind=kind).inc()
            self._count_alerts(case, conclusion)
            for note in case.screened.notes:
                metrics.EVENT_NOTES.labels(note=note).inc()
            if case.report is not None:
                continue  # rules have counted the event when it came
            for rule in case.screened.rules:
                metrics.RULE_HITS.labels(rule_id=rule.rule_id, mode=rule.mode).inc()

    def _count_alerts(self, case: Case, conclusion: Conclusion) -> None:
        waited_s = max(0.0, (self._now_us() - case.source.timestamp_us) / 1e6)
        for domain, by in conclusion.raised_by:
            metrics.ALERTS.labels(domain=domain, by=by).inc()
            metrics.EVENT_TO_ALERT_SECONDS.labels(by=by).observe(waited_s)
