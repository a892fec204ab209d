"""One campaign from the first broker to the verdict: start everything, load, break, settle, stop, check."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from aiokafka import TopicPartition

from streams.kafka import topics
from streams.settings import Settings
from tests.faults.checker.accounting import check_accounting, check_ledger
from tests.faults.checker.commits import check_commits
from tests.faults.checker.expected import Editions
from tests.faults.checker.facts import Facts
from tests.faults.checker.judgements import check_alerts, check_predictions
from tests.faults.checker.reading import everything_in
from tests.faults.checker.repetitions import check_repetitions
from tests.faults.checker.rule_waits import check_rule_waits, quiet_stretches
from tests.faults.checker.verdict import Verdict
from tests.faults.counting_models import put_repository
from tests.faults.editions import DOMAINS
from tests.faults.fleet import Fleet
from tests.faults.injector import Injector, Surroundings
from tests.faults.journal import Journal, entries
from tests.faults.ledger import Ledger, read
from tests.faults.load import Load
from tests.faults.recovery import CALM_S, NORMAL_S, Injected, recoveries
from tests.faults.sampling import EVERY_S, Sampler
from tests.faults.schedule import KINDS, TRITON_KINDS, Kind, frozen_triton_at_the_end, schedule
from tests.faults.servers import Brokers, Triton
from tests.faults.small_disk import SmallDisk, SmallDiskUnavailable
from tests.faults.traffic import events

PREFIX: Final = "faults."
PARTITIONS: Final = 8
#: Silences that end a conversation: long enough that most go on, short enough that some end. Fractions of a
#: millisecond off every whole one, because arrivals are whole milliseconds.
IDLE_S, ENDED_S = 61.0004, 21.0004
DAY_S: Final = 86_400.0
#: Before the first fault, and after the last one begins, in seconds.
WARM_UP_S, COOL_DOWN_S = 10.0, 40.0
#: At the end, how long what is left may stay as much as it is: events put aside are tried again after up to a minute.
SETTLE_LIMIT_S = 300.0
#: The engine's default deadline for scores: an alert by rules that takes longer may have waited for them.
SCORE_DEADLINE_S = 5.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. `kinds` are those of faults to choose from."""

    events: int
    rate: float
    faults: int
    seed: int
    workers: int
    brokers: int
    work_dir: Path
    kinds: tuple[Kind, ...] = KINDS


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    plan: Plan
    verdict: Verdict
    began_at: datetime
    load_s: float
    sent_again: int
    peak_worker_rss_bytes: int
    exit_codes: dict[str, int]


async def run(plan: Plan) -> Outcome:
    """Run a campaign in an empty directory. What it leaves there (logs, journal, ledger, facts) is for whoever asks why."""
    began_at = datetime.now(UTC)
    plan.work_dir.mkdir(parents=True, exist_ok=True)
    journal = Journal(plan.work_dir / "journal.jsonl")
    async with _surroundings(plan, journal) as around:
        load_s = await _break_under_load(plan, around)
        codes = await around.fleet.stop()
        for name, code in codes.items():
            journal.note("worker stopped", worker=name, code=code)
        around.triton.stop()
        verdict = await check(plan, around.brokers.bootstrap)
        for entry in entries(plan.work_dir / "journal.jsonl", "out of hand"):
            verdict.complain("out of hand", f"{entry['kind']}: {entry['error']}")
        for name, code in codes.items():
            if code != 0:
                verdict.complain("no clean stop", f"{name} ended with {code} after SIGTERM")
        return Outcome(
            plan=plan,
            verdict=verdict,
            began_at=began_at,
            load_s=load_s,
            sent_again=around.load.sent_again,
            peak_worker_rss_bytes=around.fleet.peak_rss_bytes,
            exit_codes=codes,
        )


async def check(plan: Plan, broker: str) -> Verdict:
    """Read every topic and hold it against every promise."""
    journal = plan.work_dir / "journal.jsonl"
    editions = Editions(entries(journal, "edition"))
    names = [
        "messages",
        "listings",
        "predictions",
        "deadletter",
        "rescore",
        *(f"alerts.{d}" for d in DOMAINS),
    ]
    database = plan.work_dir / "facts.sqlite"
    database.unlink(missing_ok=True)
    facts = Facts(database, editions.words)
    try:
        async for piece in everything_in(broker, [PREFIX + name for name in names], prefix=PREFIX):
            facts.take(piece)
        facts.index()
        facts.work_out_windows(idle_ms=IDLE_S * 1000, ended_ms=ENDED_S * 1000)
        return judge(facts, plan, editions)
    finally:
        facts.close()


def judge(facts: Facts, plan: Plan, editions: Editions) -> Verdict:
    """Every check, over facts that are complete."""
    journal = plan.work_dir / "journal.jsonl"
    verdict = Verdict()
    check_accounting(facts, verdict)
    check_ledger(facts, read(plan.work_dir / "ledger"), verdict)
    check_predictions(facts, editions, verdict)
    check_alerts(facts, editions, verdict)
    check_repetitions(facts, verdict)
    check_commits(facts, entries(journal, "sample"), verdict, prefix=PREFIX)
    faults = [Injected.of(entry) for entry in entries(journal, "fault")]
    spans = [
        (r.fault, r.fault.began_s + (r.took_s if r.took_s is not None else float("inf")))
        for r in recoveries(faults, entries(journal, "sample"), rate=plan.rate)
    ]
    away = [(fault.began_s, fault.lifted_s) for fault, _ in spans if fault.kind in TRITON_KINDS]
    others = [(f.began_s, max(end_s, f.lifted_s)) for f, end_s in spans if f.kind not in TRITON_KINDS]
    stretches = quiet_stretches(away, others, margin_s=1.0)
    check_rule_waits(facts, stretches, verdict, limit_s=SCORE_DEADLINE_S)
    verdict.counts["events put aside for their models"] = facts.database.execute(
        "select count(*) from output where out_topic = 'rescore'"
    ).fetchone()[0]
    return verdict


@asynccontextmanager
async def _surroundings(plan: Plan, journal: Journal) -> AsyncIterator[Surroundings]:
    """Brokers, Triton and workers, running; nothing of them is left afterwards."""
    async with contextlib.AsyncExitStack() as stack:
        brokers = Brokers(plan.work_dir / "kafka", nodes=plan.brokers)
        stack.push_async_callback(brokers.stop)
        await brokers.start()
        repository = plan.work_dir / "models"
        put_repository(repository)
        triton = Triton(repository, plan.work_dir)
        stack.callback(triton.stop)
        await triton.start()
        rules = plan.work_dir / "rules"
        rules.mkdir()
        settings = Settings(
            broker=brokers.bootstrap,
            triton=triton.grpc_address,
            topic_prefix=PREFIX,
            partitions=PARTITIONS,
            replication_factor=plan.brokers,
            rules_dir=rules,
            rules_poll_s=1.0,
            model_repository=repository,
            window_idle_days=IDLE_S / DAY_S,
            window_ended_days=ENDED_S / DAY_S,
            score_deadline_s=SCORE_DEADLINE_S,
            data_dir=plan.work_dir,
        )
        fleet = Fleet(settings, plan.work_dir, journal)
        stack.callback(fleet.kill)
        disk = _small_disk(plan.work_dir / "small-disk", journal, stack)
        ledger = Ledger(plan.work_dir / "ledger")
        stack.callback(ledger.close)
        around = Surroundings(
            settings=settings,
            seed=plan.seed,
            fleet=fleet,
            triton=triton,
            brokers=brokers,
            load=Load(brokers.bootstrap, ledger, prefix=PREFIX, rate=plan.rate),
            work_dir=plan.work_dir,
            disk=disk,
            journal=journal,
        )
        around.put_next_edition()
        outcomes = await topics.create(settings, topics.catalogue(settings, DOMAINS))
        if failed := [outcome for outcome in outcomes if outcome.result == "failed"]:
            raise RuntimeError(f"topics could not be made: {failed}")
        # The first worker keeps its windows on the small disk, the others in memory: both hold the same promise.
        fleet.add(data_dir=disk.path if disk else None, SEKISHO_WINDOW_STORE="rocksdb")
        for _ in range(plan.workers - 1):
            fleet.add()
        await fleet.ready()
        yield around


def _small_disk(path: Path, journal: Journal, stack: contextlib.AsyncExitStack) -> SmallDisk | None:
    disk = SmallDisk(path)
    try:
        disk.mount()
    except SmallDiskUnavailable as error:
        journal.note("no small disk", why=str(error))
        return None
    stack.callback(disk.unmount)
    return disk


async def _break_under_load(plan: Plan, around: Surroundings) -> float:
    """Send and inject until both are done; how long the load lasted, in seconds."""
    length_s = max(plan.events / plan.rate, WARM_UP_S + COOL_DOWN_S)
    faults = schedule(
        plan.seed, count=plan.faults - 1, first_s=WARM_UP_S, last_s=length_s - COOL_DOWN_S, kinds=plan.kinds
    )
    began_s = time.monotonic()
    sampler = _sampler(around)
    around.journal.note("load begins", faults=[f"{fault.at_s:.1f} {fault.kind}" for fault in faults])
    async with asyncio.TaskGroup() as group:
        sampling = group.create_task(sampler.run())
        records = events(plan.seed, start=datetime.now(UTC), rate=plan.rate)
        load = group.create_task(around.load.run(records))
        injector = Injector(around)
        await injector.run(faults)
        await _until_calm(sampler, plan.rate)
        await injector.run((frozen_triton_at_the_end(plan.faults),))
        while around.load.sent < plan.events and not load.done():
            await asyncio.wait({load}, timeout=0.2)
        around.load.stop()
        async with asyncio.timeout(SETTLE_LIMIT_S):
            await load
        around.journal.note("load ended", sent=around.load.sent, poisoned=around.load.poisoned)
        load_s = time.monotonic() - began_s
        await _until_worked_off(sampler, around)
        sampling.cancel()
    return load_s


async def _until_calm(sampler: Sampler, rate: float) -> None:
    """Wait until what the faults left behind is worked off, so that the next fault is alone; not for ever."""
    began_s = calm_since_s = time.monotonic()
    while (now_s := time.monotonic()) - calm_since_s <= 2 * CALM_S and now_s - began_s < SETTLE_LIMIT_S:
        if sampler.lag is None or sampler.lag > NORMAL_S * rate:
            calm_since_s = now_s
        await asyncio.sleep(EVERY_S / 2)


def _sampler(around: Surroundings) -> Sampler:
    settings = around.settings

    def partitions(*names: str) -> list[TopicPartition]:
        return [
            TopicPartition(settings.topic(name), part)
            for name, part in itertools.product(names, range(settings.partitions))
        ]

    return Sampler(
        settings.broker,
        group=f"{settings.topic_prefix}{settings.group}",
        inputs=partitions("messages", "listings", "rescore"),
        outputs=partitions("predictions", "deadletter", "rescore", *(f"alerts.{d}" for d in DOMAINS)),
        journal=around.journal,
        fleet=around.fleet,
    )


async def _until_worked_off(sampler: Sampler, around: Surroundings) -> None:
    """Wait until nothing is uncommitted and nothing put aside, several looks in a row, or until it grows no less."""
    least, since_s = float("inf"), time.monotonic()
    quiet = 0
    while quiet < 3 and time.monotonic() - since_s < SETTLE_LIMIT_S:
        await asyncio.sleep(1.0)
        if sampler.lag is None or sampler.aside is None:
            quiet = 0
            continue
        left = sampler.lag + sampler.aside
        quiet = quiet + 1 if left == 0 else 0
        if left < least:
            least, since_s = left, time.monotonic()
    around.journal.note(
        "worked off" if quiet == 3 else "not worked off", lag=sampler.lag, aside=sampler.aside
    )
