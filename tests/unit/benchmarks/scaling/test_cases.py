"""The cases are what their axes say: so many domains with models of their own, messages of that length, held windows."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from benchmarks.end_to_end.workload import message_domains, messages
from benchmarks.scaling.case import TRIAL, Event
from benchmarks.scaling.deployment import ROOT, read_policy
from benchmarks.scaling.held_conversations import joining
from benchmarks.scaling.message_axes import domains, of_length, workers
from benchmarks.scaling.repository import many_domains, write_repository
from benchmarks.scaling.workshop import Workshop
from benchmarks.state import recovery
from streams.agents.messages import turn_of
from streams.agents.window_table import table_key
from streams.events import decode_message
from streams.policy import POLICY_FILE
from streams.windows import Lifetimes, admit, decode


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"), TRIAL, cores=2)


def sent(count: int) -> list[Event]:
    return [
        Event(orjson.loads(record.value)["message_id"], record.key, record.value)
        for record in messages(count, seed=1)
    ]


def test_every_domain_has_a_model_of_its_own_and_of_the_shipped_ones(tmp_path: Path) -> None:
    shipped = message_domains(ROOT / "rules" / POLICY_FILE)
    copies = many_domains(shipped, 10)
    assert [copy.domain.name for copy in copies[:4]] == [*sorted(shipped), f"{min(shipped)}_03"]
    assert len({copy.model for copy in copies}) == 10
    repository = write_repository(tmp_path, copies, shipped=ROOT / "triton_repo", instances=2)
    for copy in copies:
        assert copy.domain.champion is not None
        assert copy.domain.champion.model == copy.model.model
        served = repository / copy.model.model
        original = ROOT / "triton_repo" / copy.original.model / str(copy.original.version) / "model.onnx"
        assert (served / "1" / "model.onnx").read_bytes() == original.read_bytes()
        assert "KIND_AUTO count: 2" in (served / "config.pbtxt").read_text()


def test_a_case_of_domains_is_a_policy_that_can_be_read(workshop: Workshop) -> None:
    cases = list(domains(workshop))
    assert [case.at for case in cases] == list(TRIAL.domains)
    for case in cases:
        assert len(read_policy(case.rules_dir).domains) == case.at
        assert sum(1 for _ in case.repository.iterdir()) == case.at


def test_workers_are_measured_on_two_cores_and_on_all_there_are(workshop: Workshop) -> None:
    few, many = (list(workers(replace(workshop, cores=cores))) for cores in (2, 16))
    assert [(case.workers, case.cores) for case in few] == [(1, 2), (2, 2)]
    assert [(case.workers, case.cores) for case in many] == [(1, 2), (2, 2), (1, 16), (2, 16)]
    assert "count: 8" in next(many[-1].repository.glob("*/config.pbtxt")).read_text()


@pytest.mark.parametrize("characters", [15, 150, 500])
def test_messages_of_a_length_are_that_long_and_otherwise_the_same(characters: int) -> None:
    originals = sent(50)
    made = of_length(originals, characters)
    texts = []
    for event, original in zip(made, originals, strict=True):
        body, before = orjson.loads(event.value), orjson.loads(original.value)
        texts.append(body.pop("text"))
        assert len(texts[-1].strip()) == characters
        before.pop("text")
        assert (event.event_id, event.key, body) == (original.event_id, original.key, before)
    assert len(set(texts)) > 40


def test_a_message_joins_the_window_that_its_worker_holds(workshop: Workshop) -> None:
    held = {key: value for _, key, value in recovery.values(100)}
    now_us = int(datetime.now(UTC).timestamp() * 1e6)
    events = joining(workshop, 100, "scattered")
    assert len({event.event_id for event in events}) == len(events) == TRIAL.messages
    for offset, event in enumerate(events[:50]):
        assert event.partition is not None
        value = held[table_key(event.partition, event.key.decode())]
        decoded = decode_message(event.value, key=event.key, timestamp_us=now_us, headers=())
        turn = turn_of(decoded, offset, now_us)
        _, window = admit(decode(value), turn, committed=0, lifetimes=Lifetimes())
        assert [each.message_id for each in window[:-1]] == [each.message_id for each in decode(value)[1:]]
        assert window[-1] == turn


def test_turns_of_a_partition_never_share_an_offset() -> None:
    offsets = list(
        itertools.chain.from_iterable(
            (turn.offset for turn in decode(value)) for _, _, value in recovery.values(50)
        )
    )
    assert len(set(offsets)) == len(offsets)
    assert max(offsets) < 0
