"""The same load three times, with Triton at full speed, at a tenth of it, and hung; then everything is worked off."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from prometheus_client.parser import text_string_to_metric_families

import marketplace
from benchmarks.end_to_end.brokers import BrokerChoice, broker_version, running
from benchmarks.rules.machine import machine
from streams.embedded.triton import EmbeddedTriton
from streams.kafka import topics
from streams.policy import POLICY_FILE, parse_policy
from streams.settings import Settings
from streams.stress.identity import new_run
from streams.stress.material import Draft
from streams.stress.measures import percentiles
from streams.stress.progress import Progress
from streams.stress.run import Limits, Run, run
from streams.stress.schedule import Schedule
from tests.faults.slow_triton import TENTH, Brake
from tests.integration.worker.process import WorkerProcess

ROOT = Path(__file__).parents[2]
#: What Triton keeps of its time, by the name of the case.
SPEEDS = {"full speed": 1.0, "a tenth": TENTH, "hung": 0.0}
#: A rule of the shipped set fires on it; one message in twelve gets it, so that there are alerts enough for a p99 and
#: fewer than the tenth at which the safety valve shuts a rule off.
INDUCEMENT, MARK_EVERY = "LINE交換しませんか？", 12
#: A transaction speaks every 12 s or so, at any rate.
GAP_S = 12.0
WARM_UP_S = 5.0
READY_S = 300.0
#: No load of this length is still being worked off after an hour; the run says what is missing then.
WORK_OFF_S = 3_600.0
LOOK_S = 1.0
_LOOKED_AT = ("sekisho_consumer_lag", "sekisho_in_flight_rows")
_PACKAGES = ("aiokafka", "faust-streaming", "tritonclient", "nvidia-pytriton", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is sent: `rate` events a second, as from independent users, for `seconds` in each case."""

    rate: float
    seconds: float
    listing_share: float
    broker: BrokerChoice
    directory: Path


@dataclass(frozen=True, slots=True)
class Look:
    """The worker at one moment, `at_s` seconds after the watch began. Lag and events in flight as it shows them."""

    at_s: float
    resident_mb: float
    lag_inputs: float
    lag_rescore: float
    in_flight: float


class Watch:
    """Looks at a worker once a second."""

    def __init__(self, worker: WorkerProcess, settings: Settings) -> None:
        self._worker = worker
        self._settings = settings
        self._began_s = time.monotonic()
        self.looks = [self._look("")]
        self._looking = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Stop looking. Raises what the looking raised, psutil.NoSuchProcess when the worker ended."""
        self._looking.cancel()
        with suppress(asyncio.CancelledError):
            await self._looking

    async def _run(self) -> None:
        while True:
            _, text = await asyncio.to_thread(self._worker.get, "/metrics")
            self.looks.append(self._look(text))
            await asyncio.sleep(LOOK_S)

    def _look(self, text: str) -> Look:
        # The sender shares this loop: the whole page would take it some 10 ms each time.
        asked = "\n".join(line for line in text.splitlines() if line.startswith(_LOOKED_AT))
        samples = [sample for family in text_string_to_metric_families(asked) for sample in family.samples]
        lag = {"inputs": 0.0, "rescore": 0.0}
        for sample in samples:
            if sample.name == "sekisho_consumer_lag":
                topic = sample.labels["topic"]
                lag["rescore" if topic == self._settings.topic("rescore") else "inputs"] += sample.value
        return Look(
            at_s=round(time.monotonic() - self._began_s, 1),
            resident_mb=round(psutil.Process(self._worker.running.pid).memory_info().rss / 1e6, 1),
            lag_inputs=lag["inputs"],
            lag_rescore=lag["rescore"],
            in_flight=sum(sample.value for sample in samples if sample.name == "sekisho_in_flight_rows"),
        )


async def measure(plan: Plan, say: Callable[[str], object]) -> dict[str, Any]:
    """Everything, as it is written to JSON. Raises EmbeddedServerError, KafkaUnavailableError, OSError."""
    triton = EmbeddedTriton(ROOT / "triton_repo", data_dir=plan.directory / "triton")
    with running(plan.broker, plan.directory / "broker") as kafka, ExitStack() as stack:
        stack.callback(triton.kill)
        triton.start()
        await asyncio.to_thread(triton.wait_ready, READY_S)
        cases = []
        for number, (name, share) in enumerate(SPEEDS.items()):
            settings = Settings(
                broker=kafka.bootstrap,
                triton=triton.grpc_address,
                topic_prefix=f"case{number}.",
                partitions=4,
                rules_dir=ROOT / "rules",
                data_dir=plan.directory / f"case{number}",
            )
            cases.append(await _measure_one(name, share, settings, triton, plan))
            say(f"{name}: {cases[-1]['alerts_by_rule']}")
    stated = Settings()
    return {
        "benchmark": "backpressure",
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": {**{name: version(name) for name in _PACKAGES}, "broker": broker_version(plan.broker)},
        "rate": plan.rate,
        "seconds": plan.seconds,
        "warm_up_s": WARM_UP_S,
        "listing_share": plan.listing_share,
        "settings": {
            name: getattr(stated, name)
            for name in ("backlog_rows", "score_deadline_s", "triton_timeout_s", "rule_patience_s")
        },
        "cases": cases,
    }


async def _measure_one(
    name: str, share: float, settings: Settings, triton: EmbeddedTriton, plan: Plan
) -> dict[str, Any]:
    policy, issues = parse_policy((settings.rules_dir / POLICY_FILE).read_bytes(), POLICY_FILE)
    if policy is None:
        raise ValueError("\n".join(issue.render() for issue in issues))
    outcomes = await topics.create(settings, topics.catalogue(settings, policy.domains))
    if failed := [outcome for outcome in outcomes if outcome.result == "failed"]:
        raise OSError(f"topics could not be made: {failed}")
    schedule = Schedule(plan.rate, plan.seconds, WARM_UP_S, "poisson")
    worker = WorkerProcess(settings).start()
    brake = Brake(triton, share=share) if share < 1 else None
    at_release: dict[str, Any] = {}

    def release(now: Progress) -> None:
        """Once everything is sent."""
        if not at_release and now.at_s >= schedule.span_s:
            at_release.update(at_s=now.at_s, predictions=now.predictions, kept=brake.kept if brake else 1.0)
            if brake is not None:
                brake.release()

    try:
        await worker.wait_ready(timeout_s=READY_S)
        drafts = generated(schedule, listing_share=plan.listing_share)
        watch = Watch(worker, settings)
        if brake is not None:
            brake.hold()
        limits = Limits(behind_s=float("inf"), drain_s=WORK_OFF_S)
        done = await run(
            settings, schedule, iter(drafts), name=new_run(datetime.now(UTC), os.urandom(3)), limits=limits,
            on_second=release,
        )  # fmt: skip
        await watch.end()
    finally:
        if brake is not None:
            brake.release()
        worker.kill()
    return {"triton": name, **_figures(done, watch.looks, at_release)}


def _figures(done: Run, looks: Sequence[Look], at_release: dict[str, Any]) -> dict[str, Any]:
    account = done.account
    by_rule, by_model = (percentiles(account.alerts(by).received_s) for by in ("rule", "model"))
    predicted = percentiles(account.prediction().received_s)
    late = percentiles(account.sent_late_s())
    return {
        "triton_kept": round(at_release["kept"], 3),
        "sent": account.sent,
        "sent_late_ms": asdict(late) if late else None,
        "alerts_by_rule": asdict(by_rule) if by_rule else None,
        "alerts_by_model": asdict(by_model) if by_model else None,
        "predictions": asdict(predicted) if predicted else None,
        "predictions_per_s": round(at_release["predictions"] / at_release["at_s"], 1),
        "worked_off_after_s": round(done.drained_for_s, 1),
        "lost": account.lost,
        "dead_letters": account.dead_letters.total(),
        "alerts_missing": len(account.unalerted),
        "repeated": account.repeated,
        "resident_mb": {"first": looks[0].resident_mb, "most": max(look.resident_mb for look in looks)},
        "most_lag": {
            "inputs": max(look.lag_inputs for look in looks),
            "rescore": max(look.lag_rescore for look in looks),
        },
        "most_in_flight": max(look.in_flight for look in looks),
        "looks": [list(asdict(look).values()) for look in looks],
    }


def generated(schedule: Schedule, *, listing_share: float) -> list[Draft]:
    """As many generated events as the schedule needs, the same for every case, made before the clock starts."""
    pace = marketplace.Pace(
        events_per_s=schedule.rate,
        listing_share=listing_share,
        active_transactions=max(50, int(GAP_S * schedule.rate)),
    )
    return list(itertools.islice(_marked(pace), round(schedule.rate * schedule.span_s)))


def _marked(pace: marketplace.Pace) -> Iterator[Draft]:
    messages = itertools.count(1)
    for event in marketplace.traffic(5, start=datetime.now(UTC), pace=pace):
        value = event.value
        if event.topic == "messages" and next(messages) % MARK_EVERY == 0:
            value = {**value, "text": f"{value['text']} {INDUCEMENT}"}
        yield Draft(event.topic, value, event.key)
