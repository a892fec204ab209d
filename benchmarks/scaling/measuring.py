"""One run of one case: start it, send each part of its traffic, and read from Kafka what it answered and when.

The clock is the broker's, as in the end-to-end benchmark: what counts is the predictions after the first timestamp,
and the processor time between the first and the last. A prediction without every model's score ends the run with an
error: an event that was not scored costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from aiokafka import ConsumerRecord

from benchmarks.end_to_end.brokers import BrokerChoice, running
from benchmarks.end_to_end.cpu import CpuSampler, CpuSamples
from benchmarks.end_to_end.measuring import clock, make_topics
from benchmarks.end_to_end.worker_metrics import batch_rows
from benchmarks.scaling.case import Case, Event
from benchmarks.scaling.deployment import Deployment, deployed, read_policy
from benchmarks.state import recovery
from streams.kafka import topics
from streams.kafka.clients import consumer, producer
from streams.kafka.reading import assign_all
from streams.screening import wanted_models
from streams.settings import Settings
from tests.integration.kafka_records import everything_in

PARTITIONS = recovery.PARTITIONS
#: A case that answers nothing for so long has lost what is missing.
_SILENCE_S = 300.0
_LOOK_S = 0.5
#: What is measured is what an event costs, so nothing may be put aside because thirty models share two cores.
_PATIENT = {"triton_timeout_s": 60.0, "score_deadline_s": 120.0}


class NotScored(Exception):
    """Events were answered without the work that is measured."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one part of the traffic gave. `cpu_us` is processor time per event by role, in microseconds.

    The encoder's time is part of the models'.
    """

    events: int
    seconds: float
    events_per_s: float
    cpu_us: dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run gave, its parts by name.

    `bytes_per_event` is what was read from and written to Kafka for an event, uncompressed. `rescored` counts events
    that waited in `rescore`. `changelog_mb` is the state that was there to recover; `resident_mb`, `ready_s` and
    `start_cpu_s` are the workers' before anything was sent.
    """

    parts: dict[str, Part]
    alerts_per_event: float
    bytes_per_event: dict[str, float]
    batch_rows: float
    rescored: int
    changelog_mb: float
    resident_mb: float
    ready_s: float
    start_cpu_s: float


async def measure(case: Case, broker_kind: BrokerChoice, directory: Path) -> Run:
    """Measure a case with a broker, a Triton and workers of its own, in the directory.

    Raises `NotScored`, RuntimeError when a worker ends or answers nothing, EmbeddedServerError when a server does.
    """
    policy = read_policy(case.rules_dir)
    with _confined(case.cores), running(broker_kind, directory / "broker") as broker:
        settings = Settings.model_validate(
            {
                "broker": broker.bootstrap,
                "partitions": PARTITIONS,
                "rules_dir": case.rules_dir,
                "model_repository": case.repository,
                "data_dir": directory,
                "window_store": case.store,
                **_PATIENT,
                **case.settings,
            }
        )
        await make_topics(settings, sorted(policy.domains))
        changelog_bytes = await recovery.fill(settings, case.conversations) if case.conversations else 0
        async with deployed(case, settings, policy) as deployment:
            resident_mb, start_cpu_s = deployment.resident_mb, deployment.cpu_s
            roles = {**deployment.pids, "broker": list(broker.pids)}
            with CpuSampler({role: pids for role, pids in roles.items() if pids}) as sampler:
                sent = 0
                for events in case.traffic.values():
                    await _send(settings, case, events)
                    sent += len(events)
                    await _wait_until_answered(settings, sent, deployment)
                await asyncio.sleep(0.2)  # a sample after the last prediction
            metrics = "\n".join(deployment.metrics())
        predictions = await everything_in(settings, settings.topic("predictions"))
        answered = scored(predictions, models=len(wanted_models(policy, case.kind)))
        alerts = await everything_in(settings, *(topics.alerts_topic(settings, d) for d in policy.domains))
        # The changelog of a million conversations was written by this benchmark, not by the worker.
        windows = (
            [] if case.conversations else await everything_in(settings, topics.windows_changelog(settings))
        )
        return Run(
            parts={
                name: part([answered[event.event_id] for event in events], sampler.samples)
                for name, events in case.traffic.items()
            },
            alerts_per_event=len(alerts) / sent,
            bytes_per_event={
                "in": sum(len(e.key) + len(e.value) for part in case.traffic.values() for e in part) / sent,
                "predictions": _size(predictions) / sent,
                "alerts": _size(alerts) / sent,
                **({"windows": _size(windows) / sent} if windows else {}),
            },
            batch_rows=batch_rows(metrics),
            rescored=len(await everything_in(settings, settings.topic("rescore"))),
            changelog_mb=changelog_bytes / 1e6,
            resident_mb=resident_mb,
            ready_s=deployment.ready_s,
            start_cpu_s=start_cpu_s,
        )


def scored(predictions: Iterable[ConsumerRecord], *, models: int) -> dict[str, ConsumerRecord]:
    """The predictions by event. Raises `NotScored` for one without every model's score or without its picture."""
    found = {}
    for record in predictions:
        prediction = orjson.loads(record.value)
        subject = prediction["subject"]
        scores = [score["score"] for score in prediction["scores"]]
        failed = [note for note in prediction["notes"] if note.startswith("image_")]
        if len(scores) != models or None in scores or failed:
            raise NotScored(f"{subject}: scores {scores} of {models} models, {failed or 'no picture failed'}")
        found[subject.get("message_id") or subject["listing_id"]] = record
    return found


def part(predictions: Sequence[ConsumerRecord], samples: Mapping[str, CpuSamples]) -> Part:
    """The clock and the processor time of some predictions. Raises ValueError when all have the same timestamp."""
    start_s, end_s, counted = clock(record.timestamp for record in predictions)
    return Part(
        events=counted,
        seconds=end_s - start_s,
        events_per_s=counted / (end_s - start_s),
        cpu_us={role: 1e6 * used.between(start_s, end_s) / counted for role, used in samples.items()},
    )


def _size(records: Iterable[ConsumerRecord]) -> int:
    return sum(len(record.key or b"") + len(record.value or b"") for record in records)


@contextmanager
def _confined(cores: int) -> Iterator[None]:
    """Every process that is started meanwhile runs on that many cores. Raises ValueError where there are fewer."""
    before = os.sched_getaffinity(0)
    if cores > len(before):
        raise ValueError(f"{cores} cores are asked for, and {len(before)} are there")
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _send(settings: Settings, case: Case, events: Sequence[Event]) -> None:
    """Send as fast as the broker takes it, in order, and wait for every acknowledgement."""
    topic = settings.topic(case.topic)
    async with producer(settings, linger_ms=20) as client:
        waiting = [await client.send(topic, e.value, key=e.key, partition=e.partition) for e in events]
        await asyncio.gather(*waiting)


async def _wait_until_answered(settings: Settings, expected: int, deployment: Deployment) -> None:
    async with consumer(settings) as client:
        partitions = await assign_all(client, [settings.topic("predictions")])
        seen, moved_at_s = 0, time.monotonic()
        while seen < expected:
            await asyncio.sleep(_LOOK_S)
            deployment.check()
            now = sum((await client.end_offsets(partitions)).values())
            if now > seen:
                seen, moved_at_s = now, time.monotonic()
            elif time.monotonic() - moved_at_s > _SILENCE_S:
                raise RuntimeError(
                    f"{seen} of {expected} events were answered, then nothing for {_SILENCE_S:.0f} s: "
                    f"{deployment.workers[0].ready()}\n{deployment.workers[0].log()[-3000:]}"
                )
