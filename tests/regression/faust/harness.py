"""A small real Faust app on a real broker, stock or corrected, for the tests of the corrections."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faust.types import TP

from streams.kafka.faust_corrections import CorrectedApp, CorrectedTableManager, PassThroughSchema

PARTITIONS = 2


@dataclass
class Running:
    """A started app with one agent that collects the offsets it is handed, by partition."""

    app: Any
    topic: str
    bootstrap: str
    batches: list[list[Any]] = field(default_factory=list)

    @property
    def consumer(self) -> Any:
        return self.app.consumer

    @property
    def offsets(self) -> list[tuple[int, int]]:
        return [(record.partition, record.offset) for batch in self.batches for record in batch]

    def source_tps(self) -> set[TP]:
        return {tp for tp in self.consumer.assignment() if tp.topic == self.topic}

    async def produce(self, count: int, *, partition: int = 0, first: int = 0) -> None:
        await produce(self.bootstrap, self.topic, count, partition=partition, first=first)

    async def committed(self, partition: int = 0) -> int | None:
        """What Kafka holds as the group's committed offset, asked by a client of its own."""
        client = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=self.app.conf.id, enable_auto_commit=False
        )
        await client.start()
        try:
            offset: int | None = await client.committed(TopicPartition(self.topic, partition))
            return offset
        finally:
            await client.stop()


async def make_topic(bootstrap: str, name: str, partitions: int = PARTITIONS) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()
    await asyncio.sleep(0.2)


async def produce(bootstrap: str, topic: str, count: int, *, partition: int = 0, first: int = 0) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for number in range(first, first + count):
            await producer.send_and_wait(topic, b"%d" % number, key=b"k", partition=partition)
    finally:
        await producer.stop()


def settings_of(bootstrap: str, **overrides: Any) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{bootstrap}"],
        "store": "memory://",
        "datadir": str(Path(tempfile.gettempdir()) / f"faust-{uuid.uuid4().hex[:8]}"),
        "web_enabled": False,
        "topic_partitions": PARTITIONS,
        "topic_disable_leader": True,
        "broker_session_timeout": 10,
        "broker_heartbeat_interval": 1,
        "broker_request_timeout": 30,
        "broker_commit_interval": 60.0,
        "stream_wait_empty": False,
        "table_standby_replicas": 0,
        "worker_redirect_stdouts": False,
        **overrides,
    }


@asynccontextmanager
async def running(
    bootstrap: str,
    *,
    app_id: str | None = None,
    topic: str | None = None,
    app_type: type[faust.App] = CorrectedApp,
    handle: Callable[[Running, Any], Any] | None = None,
    on_app: Callable[[Any], None] = lambda _: None,
    with_table: bool = True,
    wait_for_assignment: bool = True,
    **overrides: Any,
) -> AsyncIterator[Running]:
    """A corrected app (or a stock one by `app_type=faust.App`) with an agent, started and assigned."""
    name = app_id or f"t{uuid.uuid4().hex[:8]}"
    source = topic or f"{name}-in"
    if topic is None:
        await make_topic(bootstrap, source)
    corrected = issubclass(app_type, CorrectedApp)
    if corrected:
        overrides.setdefault("TableManager", CorrectedTableManager)
    app = app_type(name, **settings_of(bootstrap, **overrides))
    table = app.Table("w", key_type=bytes, value_type=bytes, partitions=PARTITIONS) if with_table else None
    state = Running(app, source, bootstrap)
    batch_topic = app.topic(source, schema=PassThroughSchema(), partitions=PARTITIONS)
    plain_topic = app.topic(source, key_type=bytes, value_type=bytes, partitions=PARTITIONS)

    async def agent(stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            state.batches.append(list(message.value) if corrected else [message])
            if handle is not None:
                await handle(state, message)
            elif corrected:
                app.consumer.complete(message.tp, message.offset, message.generation_id)

    app.agent(batch_topic if corrected else plain_topic, name="agent")(agent)
    app.finalize()
    if corrected:
        app.consumer.batch_topics = frozenset({source})
    on_app(app)
    assert table is not None or not with_table
    await app.start()
    try:
        if wait_for_assignment:
            await until(lambda: bool(state.source_tps()) and not app.rebalancing, "assignment")
        yield state
    finally:
        await app.stop()


async def until(condition: Callable[[], bool], what: str, timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        await asyncio.sleep(0.02)
