"""Triton at a tenth of its speed, and Triton that hangs, with more waiting than the worker's queues can hold.

The real server, worker and broker. What comes first is told by facts in Kafka, never by a clock.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from streams.agents.intake import RECORDS_AT_A_TIME
from streams.agents.lane import WRITTEN_ROWS
from streams.embedded.triton import EmbeddedTriton
from streams.faust_app import FETCH_BYTES, POLL_RECORDS, new_app
from streams.kafka import topics
from streams.screening import REMEMBERED_TURNS
from streams.settings import Settings
from streams.worker import CLOSE_S
from tests.faults.arithmetic import MESSAGE_MODEL
from tests.faults.counting_models import put_repository
from tests.faults.slow_triton import Brake
from tests.integration.conftest import apache_kafka
from tests.integration.kafka_records import everything_in
from tests.integration.worker.outputs import Outputs, read_outputs
from tests.integration.worker.process import WorkerProcess
from tests.integration.worker.traffic import message, send
from tests.kafka_server.apache_kafka import ApacheKafka

pytestmark = [pytest.mark.kafka, pytest.mark.embedded, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
SHIPPED = tuple(sorted(path.name for path in (ROOT / "triton_repo").glob("message_*")))
DOMAIN, WORD = "marked", "kasanemark"
#: Whatever they have to say: what matters is that their scores are waited for.
OTHERS = tuple(model.removeprefix("message_") for model in SHIPPED)
CHAMPION = """\
  {domain}:
    title: {domain}
    applies_to: message
    severity: medium
    champion: {{model: {model}, version: 1, threshold: {threshold}}}
"""
#: The counting model adds 0.07 for each message by the seller and 0.14 for each by the buyer, and 0.05 to 0.3 for the
#: status: five sellers who wait for a payment come to 0.40, one buyer who has cancelled to 0.44.
POLICY = "format: 1\ndomains:\n" + "".join(
    CHAMPION.format(domain=domain, model=model, threshold=threshold)
    for domain, model, threshold in [
        (DOMAIN, MESSAGE_MODEL, 0.42),
        *((domain, model, 0.99) for domain, model in zip(OTHERS, SHIPPED, strict=True)),
    ]
)
RULES = f"""\
format: 1
rules:
  - id: marked.word
    description: The marker word.
    domain: {DOMAIN}
    owner: tests
    mode: active
    match:
      any: [{WORD}]
    tests:
      should_match: [{WORD}]
"""
#: So many messages wait when the worker starts; one in a thousand is marked, and the last of all.
BACKLOG, MARK_EVERY = 20_000, 1_000
#: A machine that is busy with other things needs minutes for what takes seconds on a quiet one.
PATIENCE_S = 600.0
#: Beyond what was promised for a stop: for the machine, not for the worker.
SLACK_S = 20.0


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApacheKafka]:
    server = apache_kafka(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def triton(tmp_path: Path) -> Iterator[EmbeddedTriton]:
    put_repository(tmp_path / "models")
    for model in SHIPPED:
        shutil.copytree(ROOT / "triton_repo" / model, tmp_path / "models" / model)
    server = EmbeddedTriton(tmp_path / "models", tmp_path, models=[MESSAGE_MODEL, *SHIPPED])
    try:
        yield server.start().wait_ready(PATIENCE_S)
    finally:
        server.stop()


@pytest_asyncio.fixture
async def settings(broker: ApacheKafka, triton: EmbeddedTriton, tmp_path: Path) -> Settings:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "domains.yaml").write_text(POLICY)
    (tmp_path / "rules" / "marked.yaml").write_text(RULES)
    made = Settings(
        broker=broker.bootstrap,
        triton=triton.grpc_address,
        topic_prefix=f"{tmp_path.name}.",
        partitions=2,
        rules_dir=tmp_path / "rules",
        stall_s=PATIENCE_S,  # the watch is tested elsewhere; here the machine may stand still for a minute
        data_dir=tmp_path / "data",
    )
    await topics.create(made, topics.catalogue(made, [DOMAIN, *OTHERS]))
    return made


@pytest_asyncio.fixture
async def worker(settings: Settings) -> AsyncIterator[WorkerProcess]:
    process = WorkerProcess(settings)
    yield process
    process.kill()


def backlog() -> Iterator[tuple[str, bytes, bytes]]:
    """Conversations of five, and marked messages that are conversations of their own."""
    for number in range(BACKLOG):
        if (number + 1) % MARK_EVERY == 0:
            yield marked(f"marked{number}")
        else:
            yield message(
                f"m{number}", f"そうですね、{number}番目のお返事です。", transaction_id=f"t{number // 5}"
            )


def marked(message_id: str) -> tuple[str, bytes, bytes]:
    """Rule and model both raise an alert on it."""
    return message(
        message_id, f"{message_id} {WORD}", transaction_id=message_id, writer="buyer", status="cancelled"
    )


async def until(worker: WorkerProcess, condition: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        assert worker.running.poll() is None, f"the worker ended: {worker.log()[-3000:]}"
        assert time.monotonic() < deadline, f"timed out waiting until {what}"
        await asyncio.sleep(0.3)


async def total(worker: WorkerProcess, name: str, **labels: str) -> float:
    """The sum of a metric over all labels that are not given; 0 while it has no sample, or the worker no answer."""
    _, text = await asyncio.to_thread(worker.get, "/metrics")
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def alerts_of(settings: Settings, message_id: str) -> list[dict[str, Any]]:
    found = [
        json.loads(record.value)
        for record in await everything_in(settings, topics.alerts_topic(settings, DOMAIN))
    ]
    return [alert for alert in found if alert["subject"]["message_id"] == message_id]


class Watch:
    """The most that was seen of the worker's resident memory, of events in flight and of lag by topic."""

    def __init__(self, worker: WorkerProcess, settings: Settings) -> None:
        self._worker = worker
        self._settings = settings
        self._process = psutil.Process(worker.running.pid)
        self._first_bytes = self._most_bytes = self._process.memory_info().rss
        self.most_in_flight = 0.0
        self.most_lag = {"messages": 0.0, "rescore": 0.0}
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while True:
            self._most_bytes = max(self._most_bytes, self._process.memory_info().rss)
            self.most_in_flight = max(
                self.most_in_flight, await total(self._worker, "sekisho_in_flight_rows")
            )
            for name, most in self.most_lag.items():
                lag = await total(self._worker, "sekisho_consumer_lag", topic=self._settings.topic(name))
                self.most_lag[name] = max(most, lag)
            await asyncio.sleep(0.25)

    async def end(self) -> int:
        """The bytes by which resident memory had grown at its most. Raises what the looking raised."""
        self._looking.cancel()
        (ended,) = await asyncio.gather(self._looking, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended
        return self._most_bytes - self._first_bytes


def most_held_bytes(settings: Settings) -> int:
    """By how much a worker that is ready may grow: what all its queues can hold of such messages, and its first use."""
    record, rescore_record, case, turn, window = 1_300, 3_500, 12_000, 2_000, 1_500
    # The tokeniser's dictionary and gRPC are loaded with the first events: 90 MB were measured, after 450 of them.
    first_use = 110_000_000
    batches = new_app(settings).conf.stream_buffer_maxsize
    return (
        first_use
        # fetched by aiokafka and not yet delivered: a fetch in use and one on its way, compressed, of each partition
        + 2 * 2 * settings.partitions * FETCH_BYTES
        # Faust's queues of messages and of rescore, full of full batches
        + batches * POLL_RECORDS * (record + rescore_record)
        # the lanes' backlogs, a delivery on top, and what is being written of each
        + (settings.backlog_rows + POLL_RECORDS + WRITTEN_ROWS) * case
        + (patient_rows(settings) + POLL_RECORDS + WRITTEN_ROWS) * case
        # remembered turns and the windows
        + REMEMBERED_TURNS * turn
        + BACKLOG // 5 * window
    )


def patient_rows(settings: Settings) -> int:
    """What the lane of rescore holds: its batches in flight and one to follow."""
    return (settings.batches_in_flight + 1) * settings.batch_rows


async def test_at_a_tenth_of_its_speed_rules_go_on_lag_shows_and_nothing_is_lost(
    settings: Settings, triton: EmbeddedTriton, worker: WorkerProcess
) -> None:
    await send(settings, backlog())
    ids = [f"marked{number}" for number in range(MARK_EVERY - 1, BACKLOG, MARK_EVERY)]
    with Brake(triton):
        await worker.start().wait_ready(with_models=False, timeout_s=PATIENCE_S)
        watch = Watch(worker, settings)

        async def alerted() -> bool:
            return bool(await alerts_of(settings, ids[-1]))

        await until(worker, alerted, "the rule alert of the last message is there")
        # If rules waited behind scores, all but what the lane holds would have been scored before it.
        predictions = await total(worker, "sekisho_predictions_total")
        assert predictions < 0.75 * BACKLOG

        async def scored_more() -> bool:
            return await total(worker, "sekisho_predictions_total") > predictions

        await until(worker, scored_more, "slow models have scored some more")

    async def worked_off() -> bool:
        return await total(worker, "sekisho_predictions_total") >= BACKLOG

    await until(worker, worked_off, "everything is worked off")
    assert await watch.end() < most_held_bytes(settings)
    # Each lane holds its backlog, the records that were examined together when it got full, and the delivery begun.
    extra = RECORDS_AT_A_TIME + POLL_RECORDS
    assert watch.most_in_flight <= settings.backlog_rows + patient_rows(settings) + 2 * extra
    assert watch.most_lag["messages"] > 0.5 * BACKLOG
    assert watch.most_lag["rescore"] > 0

    outputs = await read_outputs(settings, [DOMAIN, *OTHERS])
    assert len(outputs.produced) == len(outputs.predictions) == BACKLOG
    assert not outputs.missing
    assert not outputs.dead_letters
    assert all(s["score"] is not None for p in outputs.predictions.values() for s in p[-1]["scores"])
    firsts = [check_marked(outputs, message_id)[0] for message_id in ids]
    alone = [first for first in firsts if {e["by"] for e in first["evidence"]} == {"rule"}]
    assert len(alone) > len(ids) / 2, "most alerts by rules did not wait for the models"
    assert await worker.stop(timeout_s=settings.drain_s + CLOSE_S + SLACK_S) == 0


def check_marked(outputs: Outputs, message_id: str) -> list[dict[str, Any]]:
    """The revisions of its alert: it was raised by the rule, at once or together with the model, and then by both."""
    revisions = [a for a in outputs.alerts_of(message_id) if a["domain"] == DOMAIN]
    assert [alert["revision"] for alert in revisions] == list(range(1, len(revisions) + 1))
    assert revisions[0]["evidence"][0]["by"] == "rule"
    assert [e["by"] for e in revisions[-1]["evidence"]] == ["rule", "model"]
    return revisions


async def test_a_hung_triton_holds_up_neither_rules_nor_the_worker_s_end(
    settings: Settings, triton: EmbeddedTriton, worker: WorkerProcess
) -> None:
    await worker.start().wait_ready(timeout_s=PATIENCE_S)
    # More than a backlog, so that nothing of it could be screened if it waited for the models.
    messages = [message(f"m{n}", f"{n}番目です", transaction_id=f"t{n}") for n in range(3_000)]
    ids = [f"marked{n}" for n in range(20)]
    with Brake(triton, share=0):
        await send(settings, [*messages, *map(marked, ids)])

        async def put_aside() -> bool:
            return await total(worker, "sekisho_rescores_total") >= len(messages) + len(ids)

        await until(worker, put_aside, "every event is put aside for its models")

        async def degraded() -> bool:
            state = await asyncio.to_thread(worker.ready)
            return state["ready"] and state["state"] == "degraded" and state["triton"] == "away"

        await until(worker, degraded, "/readyz says so and does not take the worker out")
        during = await read_outputs(settings, [DOMAIN, *OTHERS])
        assert not during.predictions
        for message_id in ids:
            (alert,) = during.alerts_of(message_id)  # the models have nothing to say
            assert [e["by"] for e in alert["evidence"]] == ["rule"]
        assert await worker.stop(timeout_s=settings.drain_s + CLOSE_S + SLACK_S) == 0

    again = WorkerProcess(settings, "again")
    try:
        await again.start().wait_ready(timeout_s=PATIENCE_S)

        async def scored() -> bool:
            return await total(again, "sekisho_predictions_total") >= len(messages) + len(ids)

        await until(again, scored, "every event has its prediction")
        outputs = await read_outputs(settings, [DOMAIN, *OTHERS])
        assert not outputs.missing
        assert not outputs.dead_letters
        assert all(len(p) == 1 for p in outputs.predictions.values()), "the stop repeated nothing"
        assert len(outputs.predictions) == len(messages) + len(ids)
        for message_id in ids:
            assert len(check_marked(outputs, message_id)) == 2
        assert await again.stop() == 0
    finally:
        again.kill()
