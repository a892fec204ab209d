"""A fuzz run: a broker, Triton with the shipped models, one real worker with the shipped rules, and bad input in bulk."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Final, Literal

from streams.embedded.broker import EmbeddedBroker
from streams.embedded.triton import EmbeddedTriton
from streams.kafka import topics
from streams.kafka.clients import consumer
from streams.kafka.reading import assign_all
from streams.policy import POLICY_FILE, parse_policy
from streams.settings import Settings
from tests.faults.fuzz.accounting import Books
from tests.faults.fuzz.changelog import poisoned, strangers
from tests.faults.fuzz.drawing import Drawn, drawn
from tests.faults.fuzz.record_mutators import MAX_RECORD_BYTES
from tests.faults.fuzz.specimens import CANARY
from tests.faults.fuzz.vital_signs import Trap, VitalSigns
from tests.faults.fuzz.wire import Unacknowledged, Wire, in_batches, wire
from tests.integration.kafka_records import everything_in
from tests.integration.worker.process import WorkerProcess
from tests.kafka_server.apache_kafka import ApacheKafka

ROOT: Final = Path(__file__).parents[3]
PREFIX: Final = "fuzz."
PARTITIONS: Final = 4
#: Records sent and not accounted for yet: enough to keep the worker busy, few enough to see who stopped it.
AHEAD: Final = 2_000
#: Nothing came out for so long: on a machine shared with others a worker may stand still for a minute.
PATIENCE_S: Final = 240.0
START_S: Final = 600.0
SECRET: Final = "geheimnis-des-betreibers"

BrokerKind = Literal["noida", "tansu", "kafka"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, in an empty directory."""

    records: int
    seed: int
    broker: BrokerKind
    work_dir: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    books: Books
    began_at: datetime
    took_s: float


@dataclass(slots=True)
class Engine:
    """One worker under observation."""

    settings: Settings
    worker: WorkerProcess
    signs: VitalSigns
    books: Books
    wire: Wire


async def run(plan: Plan) -> Outcome:
    """Run it. Whatever breaks a promise is in the books' verdict; raises only when servers cannot be started."""
    began_at, began_s = datetime.now(UTC), time.monotonic()
    books = Books(PREFIX)
    trap = Trap()
    try:
        async with _servers(plan, trap, books) as settings, wire(settings.broker, _names(settings)) as sender:
            specimens = itertools.islice(
                drawn(plan.seed, prefix=PREFIX, port=trap.port, now_us=time.time_ns() // 1000), plan.records
            )
            async with _watched_worker(settings, "worker", books, sender) as engine:
                await _through(engine, specimens)
                counted = await _counted(engine)
                books.close(counted=counted, rejoined=engine.signs.rejoined)
            await _poison_the_changelog(plan, settings, books, sender)
    finally:
        trap.close()
    if trap.visits:
        books.verdict.complain("a picture was asked of this machine", f"{trap.visits} times")
    return Outcome(plan, books, began_at, time.monotonic() - began_s)


@asynccontextmanager
async def _servers(plan: Plan, trap: Trap, books: Books) -> AsyncIterator[Settings]:
    async with AsyncExitStack() as stack:
        broker: EmbeddedBroker | ApacheKafka
        if plan.broker == "kafka":
            broker = ApacheKafka(plan.work_dir / "kafka")
        else:
            broker = EmbeddedBroker(plan.broker, None, plan.work_dir / "broker")
        stack.callback(broker.stop)
        broker.start()
        triton = EmbeddedTriton(ROOT / "triton_repo", data_dir=plan.work_dir / "triton")
        stack.callback(triton.kill)
        keeping = asyncio.create_task(_keep_running(triton, books))
        stack.callback(keeping.cancel)
        rules = Path(shutil.copytree(ROOT / "rules", plan.work_dir / "rules"))
        # Names that resolve to this machine are on the list: it is their addresses that must be refused.
        hosts = (
            f"localhost:{trap.port}",
            f"127.0.0.1:{trap.port}",
            f"[::1]:{trap.port}",
            f"*.invalid:{trap.port}",
            "*.invalid",
        )
        settings = Settings(
            broker=broker.bootstrap,
            triton=triton.grpc_address,
            triton_admin_key=SECRET,
            topic_prefix=PREFIX,
            partitions=PARTITIONS,
            max_record_bytes=MAX_RECORD_BYTES,
            rules_dir=rules,
            data_dir=plan.work_dir / "data",
            image_hosts=hosts,
            image_timeout_s=1.0,
            stall_s=PATIENCE_S,
        )
        await _make_topics(settings, far_times=plan.broker == "kafka")
        yield settings


async def _keep_running(triton: EmbeddedTriton, books: Books) -> None:
    """Start it, and again when it dies: its stubs give up waiting for a lock when a machine is crowded."""
    for starts in itertools.count():
        triton.start()  # in this thread: the server ends with the thread that started it
        books.verdict.measured["Triton died and was started again, times"] = starts
        while triton.running:  # noqa: ASYNC110 - a process tells nobody that it ended
            await asyncio.sleep(1.0)


async def _make_topics(settings: Settings, *, far_times: bool) -> None:
    """The topics of the contract, but with the producers' own timestamps, which the engine must live with too."""
    policy, issues = parse_policy((settings.rules_dir / POLICY_FILE).read_bytes(), POLICY_FILE)
    if policy is None:
        raise RuntimeError(f"the shipped policy: {issues}")
    own_times = {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    if far_times:
        own_times["message.timestamp.after.max.ms"] = str(2**63 - 1)
    specs = [
        replace(spec, config={**spec.config, **own_times})
        if spec.role in (*topics.INPUTS, "rescore")
        else spec
        for spec in topics.catalogue(settings, policy.domains)
    ]
    outcomes = await topics.create(settings, specs)
    if failed := [outcome for outcome in outcomes if outcome.result == "failed"]:
        raise RuntimeError(f"topics could not be made: {failed}")


def _names(settings: Settings) -> list[str]:
    return [
        *(settings.topic(role) for role in (*topics.INPUTS, "rescore")),
        topics.windows_changelog(settings),
    ]


@asynccontextmanager
async def _watched_worker(settings: Settings, name: str, books: Books, sender: Wire) -> AsyncIterator[Engine]:
    """A worker from its start to its end by SIGTERM; what is wrong with either is in the verdict."""
    worker = WorkerProcess(settings, name).start()
    try:
        await worker.wait_ready(timeout_s=START_S)
        engine = Engine(settings, worker, VitalSigns(worker, books.verdict), books, sender)
        yield engine
        if engine.signs.look():
            engine.signs.judge(secrets=(CANARY, SECRET))
            code = await worker.stop()
            if code:
                books.verdict.complain("no clean stop", f"{name} ended with {code} after SIGTERM")
    finally:
        worker.kill()


async def _through(engine: Engine, specimens: Iterable[Drawn]) -> None:
    """Send all and read outputs until every one is accounted for, or nothing comes any more."""
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(_send(engine, iter(specimens)))
        await _read(engine, sending.done)
        sending.cancel()


async def _send(engine: Engine, specimens: Iterator[Drawn]) -> None:
    rng = Random(0)
    while chunk := list(itertools.islice(specimens, 200)):
        while engine.books.unaccounted > AHEAD:  # noqa: ASYNC110 - the reader knows, and looks twice a second
            await asyncio.sleep(0.05)
        by_partition: dict[int, list[Drawn]] = {}
        for one in chunk:
            key = one.specimen.key
            partition = zlib.crc32(key) % PARTITIONS if key else rng.randrange(PARTITIONS)
            by_partition.setdefault(partition, []).append(one)
        for partition, some in by_partition.items():
            mutators = {id(one.specimen): one.mutator for one in some}
            for batch in in_batches(one.specimen for one in some):
                topic = engine.settings.topic(batch[0].topic)
                try:
                    first = await engine.wire.send(topic, partition, batch)
                except Unacknowledged:
                    if len(batch) > 1:
                        raise
                    engine.books.verdict.counts["refused by the broker"] += 1
                    continue
                for at, specimen in enumerate(batch):
                    engine.books.sent(mutators[id(specimen)], specimen, (topic, partition, first + at))


async def _read(engine: Engine, all_sent: Callable[[], bool]) -> None:
    settings, books = engine.settings, engine.books
    async with consumer(settings) as client:
        await assign_all(client, [settings.topic("predictions"), settings.topic("deadletter")])
        await client.seek_to_beginning()
        left, moved_s = -1, time.monotonic()
        while engine.signs.look():
            batches = await client.getmany(timeout_ms=500)
            books.take(record for records in batches.values() for record in records)
            if all_sent() and books.unaccounted <= 0:
                return
            if batches or books.unaccounted != left:
                left, moved_s = books.unaccounted, time.monotonic()
            if time.monotonic() - moved_s > PATIENCE_S:
                books.verdict.complain(
                    "nothing came for long", f"{books.unaccounted} records wait: {engine.worker.ready()}"
                )
                return


async def _counted(engine: Engine) -> dict[str, int]:
    """How many decisions and reports the worker says it took, once they are as many as were sent or time is up."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        counted = {
            "decisions": engine.signs.counted("sekisho_decisions_total"),
            "reports": engine.signs.counted("sekisho_alerts_total", 'by="report"'),
        }
        if time.monotonic() > deadline or all(n >= engine.books.left(name) for name, n in counted.items()):
            return counted
        await asyncio.sleep(0.5)


async def _poison_the_changelog(plan: Plan, settings: Settings, books: Books, sender: Wire) -> None:
    """A worker that starts over a changelog that strangers wrote to must judge the next message of each conversation."""
    name = topics.windows_changelog(settings)
    written = poisoned(plan.seed, await everything_in(settings, name))
    for poison in written:
        await sender.send(name, poison.partition, [poison.record])
    for number, stranger in enumerate(strangers()):
        with suppress(Unacknowledged):  # Kafka takes no record without a key into a compacted topic
            await sender.send(name, number % PARTITIONS, [stranger])
    later = Books(PREFIX)
    later.verdict = books.verdict
    later.only_from_now()
    async with _watched_worker(settings, "after-poison", later, sender) as engine:
        for poison in written:
            first = await sender.send(settings.topic("messages"), poison.partition, [poison.message])
            later.sent(poison.kind, poison.message, (settings.topic("messages"), poison.partition, first))
        await _read(engine, lambda: True)
        later.close(counted={}, rejoined=engine.signs.rejoined)
    books.add(later)
