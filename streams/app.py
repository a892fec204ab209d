"""The worker: a Faust app with topics, the window table and one agent per input topic, and what they stand on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from aiokafka import AIOKafkaProducer
from faust.types import TP

from streams.agents.decisions import DecisionIntake
from streams.agents.forgetting import forget_the_ended
from streams.agents.intake import delivery_of, take_in
from streams.agents.lane import Delivery, Lane
from streams.agents.last_words import LastWords
from streams.agents.listings import ListingIntake
from streams.agents.messages import MessageIntake
from streams.agents.pictures import PicturesInTurn
from streams.agents.reports import ReportIntake
from streams.agents.rescore import RescoreIntake, wait_until_due
from streams.agents.scoring import ModelStep
from streams.agents.screening_lane import LaneEnds, ScreeningLane
from streams.agents.statistics_desk import StatisticsDesk
from streams.agents.window_store import ROCKSDB_OPTIONS, store_of
from streams.agents.window_table import WindowTable
from streams.faust_app import REQUEST_TIMEOUT_S, new_app
from streams.features.tokens import TextPipeline
from streams.inference.scorer import Scorer
from streams.inference.triton import TritonClient
from streams.kafka.faust_corrections import PassThroughSchema
from streams.kafka.limits import largest_message_bytes
from streams.kafka.outbox import Outbox
from streams.kafka.security import client_options
from streams.kafka.topics import windows_changelog
from streams.rulebook import RulebookSource
from streams.screening import Examiner, Source
from streams.settings import Settings
from streams.windows import Lifetimes

logger = logging.getLogger(__name__)

OWN_TOPICS = ("messages", "listings", "reports", "decisions", "rescore")


class Pipeline:
    """Everything between Kafka and Kafka: the Faust app and the parts its agents use. Made in a running event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        rulebook: RulebookSource,
        triton: TritonClient,
        fail: Callable[[BaseException], None],
    ) -> None:
        self.settings = settings
        self.app = new_app(settings)
        self.scorer = Scorer(triton)
        self._report_failure = fail
        self._failed = False
        self._producer = AIOKafkaProducer(
            acks="all",
            compression_type="lz4",
            max_request_size=largest_message_bytes(settings),
            request_timeout_ms=int(REQUEST_TIMEOUT_S * 1000),
            **client_options(settings),
        )
        self._outbox = Outbox(self._producer)
        self._images = PicturesInTurn(
            hosts=settings.image_hosts, paths=settings.image_paths, timeout_s=settings.image_timeout_s
        )
        text = TextPipeline(mask=settings.pii_mask)
        examiner = Examiner(rulebook=rulebook, text=text, images=self._images)
        models = ModelStep(self.scorer, deadline_s=settings.score_deadline_s, batch_rows=settings.batch_rows)
        ends = LaneEnds(
            complete=self._complete,
            is_current=self.is_current,
            holding=lambda: self.app.consumer.held_generation,
            fail=self._fail,
        )

        table = self.app.Table(
            "windows",
            key_type=bytes,
            value_type=bytes,
            partitions=settings.partitions,
            use_partitioner=True,
            schema=PassThroughSchema(),
            options=dict(ROCKSDB_OPTIONS) if settings.window_store == "rocksdb" else None,
        )
        self.windows = WindowTable(
            cache(lambda: store_of(table)),  # Faust makes the store once the app is finalised
            changelog=windows_changelog(settings),
            committed=self._committed_message,
            lifetimes=Lifetimes.of_days(idle=settings.window_idle_days, ended=settings.window_ended_days),
        )
        self._last_words = LastWords(
            settings,
            self.windows,
            self._outbox,
            changelog=windows_changelog(settings),
            owned=self._owned_messages,
            recovered=self._recovered,
        )
        self._outbox.acknowledged = self._last_words.note
        self._tending: tuple[asyncio.Task[None], ...] = ()
        self._statistics = StatisticsDesk(settings, self._outbox)
        self._messages = MessageIntake(examiner, self.windows)
        self._listings = ListingIntake(examiner)
        self._reports = ReportIntake(examiner, rulebook=rulebook, text=text)
        self._rescore = RescoreIntake(examiner, self._reports)
        self._decisions = DecisionIntake(
            self._outbox,
            deadletter_topic=settings.topic("deadletter"),
            max_record_bytes=settings.max_record_bytes,
        )
        #: Held while a delivery of decisions is worked on, so that a drain can wait for it.
        self._deciding = asyncio.Lock()
        lane = partial(
            ScreeningLane,
            settings,
            models=models,
            outbox=self._outbox,
            ends=ends,
            counted=self._statistics.count,
        )
        self._lanes = {
            "messages": lane(changes=self._messages.changes),
            "listings": lane(),
            "reports": lane(),
            "rescore": lane(patient=True),
        }
        self._add_agents()

    async def start(self) -> None:
        """Connect, start the lanes, then Faust. Raises aiokafka's errors when no broker answers."""
        await self._producer.start()
        await self._images.start()
        for screening in self._lanes.values():
            screening.lane.start()
        consumer = self.app.consumer
        consumer.batch_topics = frozenset(self.settings.topic(name) for name in OWN_TOPICS)
        consumer.table_topics = frozenset({windows_changelog(self.settings)})
        consumer.drain = self.drain
        self.app.tables.choose = self.windows.choose
        self.app.finalize()
        await self.app.start()
        self._statistics.start()
        self._tending = (
            asyncio.create_task(forget_the_ended(self.windows, self._outbox, owned=self._owned_messages)),
            asyncio.create_task(self._last_words.keep()),
        )
        for task in self._tending:
            task.add_done_callback(self._tending_ended)

    async def stop(self) -> None:
        """Finish what is in flight, commit, leave the group, close. Bounded by `drain_s` and Kafka's timeouts."""
        consumer = self.app.consumer
        consumer.leaving = True
        for task in self._tending:
            task.cancel()
        try:
            if consumer.started and not self.failed and not self.gave_up and consumer.assignment():
                await consumer.drain_and_commit()
        finally:
            await self._stop_faust()
            for screening in self._lanes.values():
                await screening.lane.stop()
            await asyncio.gather(*self._tending, return_exceptions=True)
            await self._statistics.stop()
            await self._images.close()
            await self._producer.stop()

    async def _stop_faust(self) -> None:
        try:
            await self.app.stop()
        except RuntimeError as error:
            # The thread of its consumer may have crashed, and its event loop with it. That is why the worker ends, and
            # said already; the rest must be closed all the same.
            if self.gave_up is None:
                raise
            logger.warning("Faust could not be stopped in order after its crash: %s", error)

    async def drain(self) -> None:
        """Wait until nothing is in flight, at most `drain_s`; what is left then will be delivered again.

        After a failure nothing is waited for: the delivery that failed never comes to an end.
        """
        if self._failed:
            return
        try:
            async with asyncio.timeout(self.settings.drain_s):
                await asyncio.gather(*(screening.lane.wait_empty() for screening in self._lanes.values()))
                async with self._deciding:
                    pass
        except TimeoutError:
            logger.warning(
                "%d events were still in flight after %.0f s: they stay uncommitted and will be delivered again",
                self.rows_in_flight,
                self.settings.drain_s,
            )

    @property
    def outbox(self) -> Outbox:
        """For what else the worker has to write."""
        return self._outbox

    @property
    def is_first(self) -> bool:
        """This worker has the first partition of `messages`: what one of all must do is its to do."""
        return 0 in self._owned_messages()

    @property
    def failed(self) -> bool:
        """An agent, a lane or the tending of the windows stopped because of an error."""
        return self._failed

    @property
    def gave_up(self) -> BaseException | None:
        """Why Faust crashed, if it did. It then only marks its services as crashed and sits there, fetching nothing."""
        for service in (self.app, self.app.consumer):
            if service.crashed:
                return service.crash_reason or RuntimeError(f"{service.label} crashed")
        return None

    @property
    def rows_in_flight(self) -> int:
        """Events taken and not finished."""
        return sum(screening.lane.rows for screening in self._lanes.values())

    def handled_while_waiting(self, topic: str, partition: int) -> int | None:
        """Events of the topic handled so far, while some of the partition are under way; None when none are."""
        lane = self._lanes.get(topic.removeprefix(self.settings.topic_prefix))
        frontier = self.app.consumer.frontiers.get(TP(topic, partition))
        return None if lane is None or frontier is None or not frontier.in_flight else lane.lane.handled

    def is_current(self, delivery: Delivery) -> bool:
        """The delivery's partition has not been let go since."""
        return bool(self.app.consumer.is_current(delivery.generation_id))

    def _is_wanted(self, delivery: Delivery) -> bool:
        """The delivery may still be begun: its partition is ours, and no drain has started that would not wait for it."""
        return self.is_current(delivery) and bool(self.app.consumer.flow_active)

    def _fail(self, error: BaseException) -> None:
        self._failed = True
        self._report_failure(error)

    def _complete(self, delivery: Delivery) -> None:
        tp = TP(delivery.topic, delivery.partition)
        self.app.consumer.complete(tp, delivery.last_offset, delivery.generation_id)

    def _committed_message(self, partition: int) -> int | None:
        offset: int | None = self.app.consumer.committed_offset(
            TP(self.settings.topic("messages"), partition)
        )
        return offset

    def _recovered(self, partition: int) -> int:
        """The offset up to which recovery has read the windows' changelog."""
        tp = TP(windows_changelog(self.settings), partition)
        return int(self.app.tables.recovery.active_offsets.get(tp, -1)) + 1

    def _owned_messages(self) -> frozenset[int]:
        """The partitions of `messages` whose windows this worker may change: none while they are handed out anew.

        Nor between the moment when the group has expelled this worker and that in which it is told of it.
        """
        if self.app.rebalancing or not self.app.tables.actives_ready:
            return frozenset()
        if self.app.consumer.held_generation is None:
            return frozenset()
        topic = self.settings.topic("messages")
        return frozenset(tp.partition for tp in self.app.consumer.assignment() if tp.topic == topic)

    def _tending_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _add_agents(self) -> None:
        self._add_agent("messages", self._screen(self._lanes["messages"].lane, self._messages.examine))
        self._add_agent("listings", self._screen(self._lanes["listings"].lane, self._listings.examine))
        self._add_agent("reports", self._screen(self._lanes["reports"].lane, self._reports.examine))
        self._add_agent("rescore", self._screen_again)
        self._add_agent("decisions", self._decide)

    def _add_agent(self, name: str, handle: Callable[[Any], Any]) -> None:
        """One agent per input topic. An error in it stops the worker, with nothing of the batch committed."""
        topic = self.app.topic(
            self.settings.topic(name), schema=PassThroughSchema(), partitions=self.settings.partitions
        )

        async def agent(stream: Any) -> None:  # noqa: ANN401 - Faust has no types
            async for event in stream.noack().events():
                try:
                    await handle(event.message)
                except Exception as error:
                    self._fail(error)
                    raise

        self.app.agent(topic, name=name, concurrency=1)(agent)

    def _screen(self, lane: Lane[Any, Any], examine: Callable[[Source], Any]) -> Callable[[Any], Any]:
        async def handle(message: Any) -> None:  # noqa: ANN401
            await take_in(
                delivery_of(message),
                message.value,
                lane=lane,
                examine=examine,
                max_record_bytes=self.settings.max_record_bytes,
            )

        return handle

    async def _screen_again(self, message: Any) -> None:  # noqa: ANN401
        delivery = delivery_of(message)
        if await wait_until_due(delivery, message.value, scorer=self.scorer, is_current=self._is_wanted):
            await take_in(
                delivery,
                message.value,
                lane=self._lanes["rescore"].lane,
                examine=self._rescore.examine,
                max_record_bytes=largest_message_bytes(self.settings),
            )

    async def _decide(self, message: Any) -> None:  # noqa: ANN401
        delivery = delivery_of(message)
        async with self._deciding:
            await self._decisions.take_in(message.value, now_us=_now_us())
            self._complete(delivery)


def _now_us() -> int:
    return time.time_ns() // 1000
