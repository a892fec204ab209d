"""One run of one system: fill the topic, start it, wait until every message is answered, read the clock off the log.

The clock is the broker's: from the timestamp of the first prediction to that of the last, and what counts is the
messages after those of the first timestamp. So starting up costs nobody anything, and a prediction that is not
acknowledged does not count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
from aiokafka import ConsumerRecord

from benchmarks.end_to_end.answers import Answers, answers_of
from benchmarks.end_to_end.cpu import CpuSampler
from benchmarks.end_to_end.stages import Profile
from benchmarks.end_to_end.systems import ROOT, Running, System, Task
from benchmarks.end_to_end.workload import Record
from streams.kafka import topics
from streams.kafka.clients import consumer, producer
from streams.kafka.reading import assign_all
from streams.settings import Settings
from tests.integration.kafka_records import everything_in

#: A system that writes nothing for so long has lost what is missing. Starting takes seconds, and minutes on a machine
#: that has other things to do.
_SILENCE_S, _START_S = 60.0, 600.0
_LOOK_S = 0.5


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of one system gave. `cpu_us` is processor time per message by role, in microseconds."""

    messages: int
    seconds: float
    messages_per_s: float
    cpu_us: dict[str, float]
    answers: Answers
    metrics: str = ""
    #: Shares of the worker's samples, where a profile was asked for.
    stages: dict[str, float] = field(default_factory=dict)


async def run(
    system: System,
    task: Task,
    records: Sequence[Record],
    domains: Sequence[str],
    broker_pids: Sequence[int],
    *,
    profile: Profile | None = None,
) -> Run:
    """Measure a system on topics of its own; its worker's stacks are sampled from the first answer on for a `profile`.

    Raises EmbeddedServerError when one of its processes ends.
    """
    settings = task.settings
    await make_topics(settings, domains)
    await fill(settings, records)
    async with system.running(task) as running:
        with CpuSampler({**running.pids, "broker": broker_pids}) as sampler:
            await _wait_until_answered(settings, len(records), running, profile)
            stages = await asyncio.to_thread(profile.stop) if profile is not None else {}
            await asyncio.sleep(0.2)  # a sample after the last prediction
        metrics = running.metrics() if running.metrics is not None else ""
    predictions = await everything_in(settings, settings.topic("predictions"))
    alerts = await everything_in(settings, *(topics.alerts_topic(settings, domain) for domain in domains))
    found = answers_of((r.value for r in predictions), (r.value for r in alerts))
    start_s, end_s, counted = clock(first_answers(predictions).values())
    return Run(
        messages=counted,
        seconds=end_s - start_s,
        messages_per_s=counted / (end_s - start_s),
        cpu_us={
            role: 1e6 * samples.between(start_s, end_s) / counted for role, samples in sampler.samples.items()
        },
        answers=found,
        metrics=metrics,
        stages=stages,
    )


def first_answers(predictions: Iterable[ConsumerRecord]) -> dict[str, int]:
    """When each message was answered first, by message id, in ms since 1970: a second answer is no second message.

    The predictions of a conversation come in the order they were written.
    """
    answered: dict[str, int] = {}
    for record in predictions:
        answered.setdefault(orjson.loads(record.value)["subject"]["message_id"], record.timestamp)
    return answered


def clock(timestamps_ms: Iterable[int]) -> tuple[float, float, int]:
    """(first timestamp, last timestamp in seconds since 1970, how many are later than the first).

    Raises ValueError when all are the same one.
    """
    stamps = sorted(timestamps_ms)
    if not stamps or stamps[0] == stamps[-1]:
        raise ValueError(f"{len(stamps)} predictions at one moment: too few messages to measure")
    return stamps[0] / 1e3, stamps[-1] / 1e3, sum(stamp > stamps[0] for stamp in stamps)


async def make_topics(settings: Settings, domains: Sequence[str]) -> None:
    """Every topic of the contract, predictions stamped by the broker where it can."""
    stamped = {"message.timestamp.type": "LogAppendTime"}
    specs = [
        replace(spec, config={**spec.config, **stamped}) if spec.role == "predictions" else spec
        for spec in topics.catalogue(settings, domains)
    ]
    failed = [outcome for outcome in await topics.create(settings, specs) if outcome.result != "created"]
    if failed:
        raise RuntimeError(f"topics could not be made: {failed}")


async def fill(settings: Settings, records: Sequence[Record]) -> None:
    """Write the messages and wait until all are acknowledged."""
    topic = settings.topic("messages")
    async with producer(settings, linger_ms=20) as client:
        waiting = [await client.send(topic, record.value, key=record.key) for record in records]
        await asyncio.gather(*waiting)


async def _wait_until_answered(
    settings: Settings, expected: int, running: Running, profile: Profile | None
) -> None:
    async with consumer(settings) as client:
        partitions = await assign_all(client, [settings.topic("predictions")])
        seen, moved_at_s = 0, time.monotonic()
        while seen < expected and time.monotonic() - moved_at_s < (_SILENCE_S if seen else _START_S):
            await asyncio.sleep(_LOOK_S)
            running.check()
            now = sum((await client.end_offsets(partitions)).values())
            if now > seen == 0 and profile is not None:
                profile.start(running.pids["worker"][0])
            if now > seen:
                seen, moved_at_s = now, time.monotonic()


async def in_process(work_dir: Path, rules_dir: Path, repository: Path, *, rows: int, processes: int) -> Run:
    """The in-process limit (`in_process.py`) in so many processes, each with its share of the conversations."""
    starts_at_s = time.time() + 5.0 + 5.0 * processes
    outs = [work_dir / f"in-process-{number}" for number in range(processes)]
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.end_to_end.in_process",
            "--messages", str(work_dir / "messages"), "--rules", str(rules_dir), "--models", str(repository),
            "--rows", str(rows), "--share", f"{number + 1}/{processes}", "--start-at", str(starts_at_s),
            "--out", str(out), cwd=ROOT,
        )
        for number, out in enumerate(outs)
    ]  # fmt: skip
    if any([await child.wait() for child in children]):
        raise RuntimeError("the in-process loop failed; its error is above")
    lines = [line for out in outs for line in out.read_bytes().splitlines()]
    timings = [json.loads(line) for line in lines if line.startswith(b"{")]
    written = [line.split(b"\t", 1) for line in lines if not line.startswith(b"{")]
    messages = sum(timing["messages"] for timing in timings)
    seconds = max(timing["seconds"] for timing in timings)
    return Run(
        messages=messages,
        seconds=seconds,
        messages_per_s=messages / seconds,
        cpu_us={"worker": 1e6 * sum(timing["cpu_s"] for timing in timings) / messages},
        answers=answers_of(
            (value for what, value in written if what == b"prediction"),
            (value for what, value in written if what != b"prediction"),
        ),
    )
