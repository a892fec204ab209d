"""One stress run: connect, read, send, wait for what is outstanding, and hand over the account."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.kafka.clients import consumer, existing_topics, producer
from streams.kafka.feed import NoSuchTopicError
from streams.kafka.reading import assign_all, present_ends
from streams.settings import Settings
from streams.stress.account import Account
from streams.stress.clock import Clock
from streams.stress.material import Draft, Topic
from streams.stress.outputs import Outputs
from streams.stress.progress import Progress
from streams.stress.schedule import Schedule
from streams.stress.sender import send_all

INPUT_TOPICS: Final[tuple[Topic, ...]] = ("messages", "listings")
#: Everything is connected and asked for before the first event is due.
_LEAD_S: Final = 0.5
#: A fetch that finds nothing returns after this: embedded brokers make a fetch wait for it although records have come.
_FETCH_MAX_WAIT_MS: Final = 10
_SECOND: Final = 1.0
#: How often the end is looked for once all is sent.
_LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: events that wait longer than `behind_s` end the sending, `drain_s` the waiting afterwards."""

    behind_s: float = 60.0
    drain_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run. `began_at_us`: microseconds since 1970; `own_cpu_s`: processor time that the sender and reader took."""

    name: str
    schedule: Schedule
    account: Account
    began_at_us: int
    sent_for_s: float
    drained_for_s: float
    own_cpu_s: float
    stopped: str = ""


async def run(
    settings: Settings,
    schedule: Schedule,
    drafts: Iterator[Draft],
    *,
    name: str,
    limits: Limits | None = None,
    stop: asyncio.Event | None = None,
    on_second: Callable[[Progress], None] = lambda _progress: None,
) -> Run:
    """Send `drafts` as scheduled into the deployment's topics and take down what comes of them.

    Alerts and predictions are read by two consumers without a group, so that a flood of predictions does not hold up
    the alerts. A set `stop` ends the sending, not the waiting. Raises `NothingToSend`, `BrokerUnreachableError` and
    `NoSuchTopicError` before anything is sent, `KafkaError` for what it may not read.
    """
    limits = limits or Limits()
    stop = stop or asyncio.Event()
    due_s = schedule.due_s()
    account = Account(due_s, measured_from_s=schedule.warm_up_s)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(producer(settings, linger_ms=0))
        existing = await existing_topics(client)
        inputs, predictions, dead_letters, alerts = _topics(settings, existing.keys())
        readers = [await stack.enter_async_context(_reader(settings)) for _ in range(2)]
        for reader, names in zip(readers, ([predictions, dead_letters], alerts), strict=True):
            await present_ends(reader, await assign_all(reader, names))
        await _warm(client, inputs.values())
        clock = Clock.starting_in(_LEAD_S)
        outputs = Outputs(name, account, clock, predictions_topic=predictions, deadletter_topic=dead_letters)
        cpu_s = time.process_time()
        watch = _Watch(account, clock, limits, stop, on_second)
        reading = [asyncio.create_task(outputs.read(reader)) for reader in readers]
        ticking = asyncio.create_task(watch.run())
        try:
            await _until_done(
                send_all(
                    client,
                    inputs,
                    drafts,
                    due_s.tolist(),
                    run=name,
                    account=account,
                    clock=clock,
                    stopped=watch.stopped,
                ),
                [*reading, ticking],
            )
            sent_for_s = clock.now_s()
            await _until_done(_drained(account, clock, sent_for_s + limits.drain_s), [*reading, ticking])
        finally:
            for task in (*reading, ticking):
                task.cancel()
            await asyncio.gather(*reading, ticking, return_exceptions=True)
        drained_for_s = clock.now_s() - sent_for_s
        on_second(Progress.of(account, clock.now_s()))
    return Run(
        name=name,
        schedule=schedule,
        account=account,
        began_at_us=clock.at_us(0.0),
        sent_for_s=sent_for_s,
        drained_for_s=drained_for_s,
        own_cpu_s=time.process_time() - cpu_s,
        stopped=watch.why,
    )


class _Watch:
    """Tells how the run stands once a second, and says when and why the sending shall end early."""

    def __init__(
        self,
        account: Account,
        clock: Clock,
        limits: Limits,
        stop: asyncio.Event,
        on_second: Callable[[Progress], None],
    ) -> None:
        self._account = account
        self._clock = clock
        self._limits = limits
        self._stop = stop
        self._on_second = on_second
        self.why = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(_SECOND - self._clock.now_s() % _SECOND)
            now = Progress.of(self._account, self._clock.now_s())
            if now.behind_s > self._limits.behind_s and self._account.sent < self._account.due:
                self.why = self.why or (
                    f"stopped after {now.at_s:.0f} s: an event waits for {now.behind_s:.0f} s, the limit is "
                    f"{self._limits.behind_s:g} s (--stop-behind)"
                )
            self._on_second(now)

    def stopped(self) -> bool:
        """Whether the sending shall end now."""
        if self._stop.is_set():
            self.why = self.why or f"stopped by hand after {self._clock.now_s():.0f} s"
        return bool(self.why)


def _reader(settings: Settings) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    return consumer(settings, fetch_max_wait_ms=_FETCH_MAX_WAIT_MS)


def _topics(settings: Settings, existing: Collection[str]) -> tuple[dict[Topic, str], str, str, list[str]]:
    """Full names: inputs, predictions, dead letters, alerts. Raises `NoSuchTopicError`."""
    inputs = {topic: settings.topic(topic) for topic in INPUT_TOPICS}
    predictions, dead_letters = settings.topic("predictions"), settings.topic("deadletter")
    prefix = settings.topic("alerts.")
    alerts = [name for name in existing if name.startswith(prefix)]
    missing = [name for name in (*inputs.values(), predictions, dead_letters) if name not in existing]
    missing += [] if alerts else [f"{prefix}*"]
    if missing:
        raise NoSuchTopicError(
            f"the topics {', '.join(missing)} do not exist on {settings.broker}: `sekisho topics create` makes them, "
            "and SEKISHO_TOPIC_PREFIX must be that of the deployment"
        )
    return inputs, predictions, dead_letters, alerts


async def _warm(client: AIOKafkaProducer, names: Iterable[str]) -> None:
    """Ask for the partitions now: the first event would else wait for the answer."""
    for name in names:
        await client.partitions_for(name)


async def _drained(account: Account, clock: Clock, until_s: float) -> None:
    while not account.complete and clock.now_s() < until_s:  # noqa: ASYNC110 - an account knows no event loop
        await asyncio.sleep(_LOOK_S)


async def _until_done(work: Coroutine[Any, Any, None], beside: Sequence[asyncio.Task[None]]) -> None:
    """Do the work; what goes wrong in a task beside it ends it. Raises what either raised."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task, *beside], return_when=asyncio.FIRST_COMPLETED)
        for other in beside:
            if other.done():
                other.result()
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
