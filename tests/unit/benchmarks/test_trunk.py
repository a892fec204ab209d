"""The benchmarks of the shared trunk: labels that only one set knows, runs that go on, costs' files, and the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from benchmarks.models.record import Spread
from benchmarks.models.trunk import (
    FIGURES,
    KNOWN,
    LATER,
    OWN,
    Fleet,
    Sections,
    any_violation,
    committed,
    figures,
    gathered_before,
    rows_of,
    union,
)
from benchmarks.models.trunk_cost import Fleet as Files
from benchmarks.models.trunk_cost import arrangements
from benchmarks.models.trunk_page import page_of
from models.data.datasets import MessageSet, message_set
from models.networks.conversation import ConversationShape
from models.networks.trunk import HeadShape
from models.shipped.corpus import message_part
from models.systems.contract import Parts
from models.systems.message_head import HeadTraining
from models.systems.message_trunk import TrunkOptions, TrunkTraining
from models.training.loop import TrainingPlan
from streams.features.tokens import TextPipeline

pytestmark = pytest.mark.train

SMALL = {"embedding_width": 8, "filters": 4, "hidden": 6}
SHIPPED = Path(__file__).parents[3] / "triton_repo" / "message_harassment" / "1"


@pytest.fixture(scope="module")
def corpus() -> MessageSet:
    return message_set(message_part("training", 1, 600), TextPipeline())


def test_a_union_knows_each_label_only_where_its_own_set_does(corpus: MessageSet) -> None:
    sets = {
        name: MessageSet(corpus.features[:count], {name: corpus.labels[name][:count]}, name)
        for name, count in (("harassment", 30), ("contact_exchange", 20))
    }
    found = union(sets)
    assert len(found.features) == 50
    harassment, contact = (found.labels[name] for name in sets)
    np.testing.assert_array_equal(harassment[:30], corpus.labels["harassment"][:30])
    np.testing.assert_array_equal(contact[30:], corpus.labels["contact_exchange"][:20])
    assert np.isnan(harassment[30:]).all()
    assert np.isnan(contact[:30]).all()


def test_a_trunk_is_taught_every_violation_of_its_domains_and_three_others_each(corpus: MessageSet) -> None:
    domains = ("harassment", "contact_exchange")
    found = any_violation(corpus, domains, seed=1)
    violations = sum(
        any(corpus.labels[domain][at] == 1 for domain in domains) for at in range(len(corpus.features))
    )
    kept = np.max([found.labels[domain] for domain in domains], axis=0)
    assert (kept == 1).sum() == violations > 10
    assert (kept == 0).sum() == 3 * violations


def test_all_three_variants_are_trained_and_scored_on_the_whole_test_part(corpus: MessageSet) -> None:
    domains = ("contact_exchange", "harassment")
    plan = TrainingPlan(epochs=1, batch_size=16)
    fleet = Fleet(
        domains,
        lambda _domain, _seed: Parts(corpus, corpus),
        lambda _domains, _seed: Parts(corpus, corpus),
        dict.fromkeys(domains, corpus),
        dict.fromkeys(domains, Sections(ConversationShape(**SMALL), plan)),
        TrunkOptions(**SMALL, head=HeadShape(hidden=4)),
        TrunkTraining(epochs=1, batch_size=16, heads=HeadTraining(epochs=1)),
    )
    gathered = {
        ("generated", domain, variant): [found]
        for variant in (KNOWN, OWN, LATER)
        for domain, found in figures(fleet, variant, 1)
    }
    assert len(gathered) == 6
    rows = rows_of(gathered, {"generated": fleet})
    for row in rows:
        assert row["examples"] == 600
        assert row["positives"] == int(corpus.labels[row["domain"]].sum())
        assert 0 < row["average_precision"]["mean"] <= 1
    by_variant = {
        row["variant"]: row["average_precision"]["mean"] for row in rows if row["domain"] == "harassment"
    }
    assert len(set(by_variant.values())) == 3


def test_a_call_that_was_ended_goes_on_from_its_file(tmp_path: Path) -> None:
    assert gathered_before(tmp_path) == ({}, 0.0)
    rows = [row("real", "toxic", KNOWN, [0.5, 0.6])]
    (tmp_path / "trunk.json").write_text(json.dumps({"rows": rows, "processor_minutes": 2.5}))
    gathered, minutes = gathered_before(tmp_path)
    assert gathered == {
        ("real", "toxic", KNOWN): [
            {"average_precision": 0.5, "auroc": 0.5}, {"average_precision": 0.6, "auroc": 0.6}
        ]
    }  # fmt: skip
    assert minutes == 2.5


def test_models_of_their_own_on_the_real_sets_are_those_that_were_measured_before() -> None:
    results = Path(__file__).parents[3] / "benchmarks" / "results"
    runs = committed("convabuse", results)
    assert len(runs) == 3
    assert all(set(run) == set(FIGURES) and 0.7 < run["average_precision"] < 0.9 for run in runs)


def test_every_arrangement_writes_models_that_triton_can_read(tmp_path: Path) -> None:
    files = Files.of(SHIPPED, 2)
    found = {one.name: one for one in arrangements(files)}
    assert list(found) == ["own models", "assembly", "ensemble", "two trips"]
    for number, (name, arrangement) in enumerate(found.items()):
        repository = tmp_path / str(number)
        repository.mkdir()
        arrangement.write(repository)
        configs = {
            path.parent.name: text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())
            for path in repository.glob("*/config.pbtxt")
        }
        assert len(configs) == {"own models": 2, "assembly": 1, "ensemble": 4, "two trips": 3}[name]
        for model, config in configs.items():
            assert config.name == model
            assert (repository / model / "1").is_dir()
    ensemble = text_format.Parse(
        (tmp_path / "2" / "message_ensemble" / "config.pbtxt").read_text(), model_config_pb2.ModelConfig()
    )
    assert [step.model_name for step in ensemble.ensemble_scheduling.step] == [
        "message_trunk", "message_domain_00", "message_domain_01"
    ]  # fmt: skip
    assert [output.name for output in ensemble.output] == ["message_domain_00/1", "message_domain_01/1"]


def test_one_domain_has_nothing_to_share() -> None:
    assert [one.name for one in arrangements(Files.of(SHIPPED, 1))] == ["own models", "ensemble", "two trips"]


def row(fleet: str, domain: str, variant: str, runs: list[float]) -> dict:
    spread = Spread.of(runs)
    figure = {"mean": spread.mean, "deviation": spread.deviation, "runs": runs}
    return {
        "fleet": fleet, "domain": domain, "variant": variant, "positives": 12, "examples": 3_400,
        "average_precision": figure, "auroc": figure,
    }  # fmt: skip


QUALITY = {
    "date": "2026-01-01", "command": "python -m benchmarks.models.trunk DATA --seeds 2", "seeds": [1, 2],
    "processor_minutes": 1.5, "machine": "a machine", "versions": {"torch": "0"},
    "rows": [
        row("real", "toxic", OWN, [0.8, 0.9]),
        row("real", "toxic", KNOWN, [0.79, 0.87]),
        row("real", "toxic", LATER, [0.5, 0.6]),
        row("generated", "harassment", KNOWN, [0.7]),
        row("generated", "harassment", OWN, [0.6]),
    ],
}  # fmt: skip


def cost(domains: int, arrangement: str, batch: int, runs: list[float]) -> dict:
    middle = sorted(runs)[len(runs) // 2]
    figure = {"mean": middle, "deviation": 0.0, "runs": runs, "median": middle}
    return {"domains": domains, "arrangement": arrangement, "batch": batch, "rounds": 3, "cpu_ms": figure}


COST = {
    "date": "2026-01-01", "command": "python -m benchmarks.models.trunk_cost --rounds 3", "seeds": [1],
    "processor_minutes": 1.5, "machine": "a machine", "versions": {"torch": "0"}, "processor": "A processor",
    "concurrent": 4,
    "in_process": [
        {"domains": 1, "own_us": 91.0, "assembly_us": None}, {"domains": 10, "own_us": 910.0, "assembly_us": 130.0}
    ],
    "rows": [
        cost(1, "own models", 32, [0.2, 0.3, 0.25]),
        cost(10, "own models", 32, [2.0, 2.4, 2.2]),
        cost(10, "assembly", 32, [0.22, 0.3, 0.2]),
        cost(10, "two trips", 1, [3.0, 3.1, 3.2]),
    ],
}  # fmt: skip


def test_the_page_is_as_approved() -> None:
    # To approve a change, copy the text that this prints over the file.
    assert page_of(QUALITY, COST) == Path(__file__).with_suffix(".approved.md").read_text(encoding="utf-8")


def test_what_was_not_measured_is_said_to_be_missing() -> None:
    text = page_of(None, None)
    assert "**Not measured.** Run `python -m benchmarks.models.trunk DATA`." in text
    assert "**Not measured.** Run `python -m benchmarks.models.trunk_cost`." in text
