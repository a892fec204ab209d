"""Topics that are read whole: every record once, then what comes; from where it stopped after a break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import NewPartitions

from streams.embedded.broker import EmbeddedBroker
from streams.kafka import reading, shared_log
from streams.kafka.clients import BrokerUnreachableError, admin, producer
from streams.kafka.feed import NoSuchTopicError
from streams.kafka.reading import StandsStillError, present_ends
from streams.kafka.shared_log import BATCH_RECORDS, SharedLog
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.conftest import DOMAINS
from tests.integration.kafka_records import write

Ends = dict[TopicPartition, int]


async def made(settings: Settings) -> Settings:
    await create(settings, catalogue(settings, DOMAINS))
    return settings


async def send(settings: Settings, role: str, *keys: str) -> None:
    records = [Outgoing(key.encode(), b"{}") for key in keys]
    await write(settings, settings.topic(role), records)


class Seen:
    """Folds keys by topic, and how large the batches were."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.batches: list[int] = []

    def fold(self, records: Sequence[ConsumerRecord]) -> None:
        self.keys += [(record.key or b"").decode() for record in records]
        self.batches.append(len(records))


def log_of(settings: Settings, seen: Seen, *, since_us: int | None = None) -> SharedLog:
    names = [settings.topic("alerted"), settings.topic("decisions")]
    return SharedLog(settings, names, fold=seen.fold, since_us=since_us)


@asynccontextmanager
async def following(log: SharedLog) -> AsyncIterator[None]:
    task = asyncio.create_task(log.follow())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], bool], what: str) -> None:
    for _ in range(600):
        if holds():
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"never: {what}")


async def test_a_command_reads_every_partition_of_every_topic_once(kafka_settings: Settings) -> None:
    settings = await made(kafka_settings)
    alerted, decided = [f"a{n}" for n in range(BATCH_RECORDS + 30)], [f"d{n}" for n in range(10)]
    await send(settings, "alerted", *alerted)
    await send(settings, "decisions", *decided)
    seen = Seen()
    log = log_of(settings, seen)

    await log.read_to_end()

    assert sorted(seen.keys) == sorted(alerted + decided)
    assert max(seen.batches) <= BATCH_RECORDS
    standing = log.standing
    assert (standing.caught_up, standing.read, standing.behind) == (True, len(seen.keys), 0)
    assert standing.newest_at_us is not None


async def test_older_records_are_left_out_and_empty_topics_have_an_end(kafka_settings: Settings) -> None:
    settings = await made(kafka_settings)
    await log_of(settings, Seen()).read_to_end()
    await send(settings, "alerted", "early")
    early = Seen()
    log = log_of(settings, early)
    await log.read_to_end()
    assert log.standing.newest_at_us is not None
    await asyncio.sleep(0.01)  # another millisecond on the broker's clock
    await send(settings, "alerted", "late")

    late = Seen()
    await log_of(settings, late, since_us=log.standing.newest_at_us + 1000).read_to_end()

    assert late.keys == ["late"]


async def test_a_worker_goes_on_with_what_comes_and_after_a_break_from_where_it_stopped(
    kafka_settings: Settings,
) -> None:
    settings = await made(kafka_settings)
    await send(settings, "alerted", "one")
    seen = Seen()
    log = log_of(settings, seen)

    async with following(log):
        await log.wait_caught_up()
        assert seen.keys == ["one"]
        await send(settings, "decisions", "two")
        await until(lambda: "two" in seen.keys, "a record that came later")
    await send(settings, "alerted", "three")
    async with following(log):
        await until(lambda: "three" in seen.keys, "a record that came during the break")
        await until(lambda: log.standing.behind == 0, "nothing waits")

    assert seen.keys == ["one", "two", "three"]


async def test_a_missing_topic_is_named_and_read_once_it_is_there(kafka_settings: Settings) -> None:
    seen = Seen()
    log = log_of(kafka_settings, seen)
    with pytest.raises(NoSuchTopicError, match=r"alerted, .*decisions.*`sekisho topics create`"):
        await log.read_to_end()

    async with following(log):
        await until(lambda: "alerted" in (log.standing.trouble or ""), "the missing topic is shown")
        await send(await made(kafka_settings), "alerted", "one")
        await until(lambda: seen.keys == ["one"], "the topic is read")
        await until(lambda: log.standing.trouble is None, "the trouble is over")


@pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)  # Tansu adds none
async def test_partitions_that_are_added_are_read_too(
    kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "ASK_S", 0.2)
    settings = await made(kafka_settings)
    await send(settings, "alerted", "one")
    seen = Seen()
    log = log_of(settings, seen)

    async with following(log):
        await log.wait_caught_up()
        async with admin(settings) as client:
            await client.create_partitions(
                {settings.topic("alerted"): NewPartitions(settings.partitions + 1)}
            )
        async with producer(settings) as client:
            await client.send_and_wait(
                settings.topic("alerted"), b"{}", key=b"two", partition=settings.partitions
            )
        await until(lambda: "two" in seen.keys, "a record of the new partition")

    assert seen.keys == ["one", "two"]


async def test_a_topic_that_became_shorter_while_it_is_read_ends_the_command_and_not_the_following(
    kafka_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waited for ever for the records that had been there when reading began."""
    monkeypatch.setattr(reading, "STALLED_S", 1.0)
    settings = await made(kafka_settings)
    await send(settings, "alerted", "one", "two")
    lies = [2]

    async def ends_of_before(client: AIOKafkaConsumer, partitions: Collection[TopicPartition]) -> Ends:
        """Twice: as when the topic was made anew just after it was asked where it ends."""
        ends = await present_ends(client, partitions)
        if lies[0]:
            lies[0] -= 1
            ends = {tp: end + 100 for tp, end in ends.items()}
        return ends

    monkeypatch.setattr(shared_log, "present_ends", ends_of_before)
    with pytest.raises(
        StandsStillError, match=r"partitions are not read to the end: for 1 s nothing has come"
    ):
        await log_of(settings, Seen()).read_to_end()
    seen = Seen()
    log = log_of(settings, seen)
    async with following(log):
        await until(lambda: "nothing has come" in (log.standing.trouble or ""), "it is shown")
        await log.wait_caught_up()
        await until(lambda: log.standing.trouble is None, "the trouble is over")
        await send(settings, "alerted", "three")
        await until(lambda: "three" in seen.keys, "what came later")
    assert set(seen.keys) == {"one", "two", "three"}


async def test_what_the_fold_raises_ends_the_reading_and_is_not_swallowed(kafka_settings: Settings) -> None:
    settings = await made(kafka_settings)
    await send(settings, "alerted", "one")

    def fold(_: Sequence[ConsumerRecord]) -> None:
        raise ZeroDivisionError

    log = SharedLog(settings, [settings.topic("alerted")], fold=fold)
    with pytest.raises(ZeroDivisionError):
        await log.follow()


async def test_a_broker_that_goes_is_noticed_and_read_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_log, "ASK_S", 0.2)
    monkeypatch.setattr(shared_log, "ANSWER_S", 2.0)
    broker = EmbeddedBroker("noida", None, tmp_path)
    broker.start()
    try:
        settings = await made(Settings(broker=broker.bootstrap, partitions=2))
        await send(settings, "alerted", "one")
        seen = Seen()
        log = log_of(settings, seen)
        async with following(log):
            await log.wait_caught_up()
            broker.stop()
            await until(lambda: log.standing.trouble is not None, "its absence is shown")
            broker.start()
            await send(settings, "alerted", "two")
            await until(lambda: "two" in seen.keys, "what came after its return")
            await until(lambda: log.standing.trouble is None, "the trouble is over")
        assert seen.keys.count("two") == 1
    finally:
        broker.stop()


async def test_without_a_broker_a_command_says_so() -> None:
    with pytest.raises(BrokerUnreachableError, match=r"127\.0\.0\.1:1 "):
        await log_of(Settings(broker="127.0.0.1:1"), Seen()).read_to_end()
