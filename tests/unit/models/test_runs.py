"""A run leaves a complete folder, says what it was made from, and refuses what would mislead."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from PIL import Image

from models.data.examples import ExampleError
from models.data.rule_hits import RuleHits
from models.export.graph import run, session
from models.manifests import Manifest, ManifestError, as_yaml, parse
from models.runs.curves import draw_curves
from models.runs.folder import RunFolder, RunFolderError
from models.runs.preparing import prepare, survey
from models.runs.training import Finished, RunOptions, train_run
from models.systems.contract import SYSTEMS, load_system
from models.training.course import Epoch
from streams.inference.repository import read_golden, read_metadata
from streams.rule_engine import RuleSet
from streams.rule_engine.rule import Match
from tests.unit.models.labelled import listing, listing_directory, message_directory, window, write
from tests.unit.rule_engine.making import message_rule

pytestmark = pytest.mark.train

MESSAGE = b"""name: message_harassment
kind: message
system: kimcnn_bigru
domain: harassment
network: {embedding_width: 16, filters: 12, hidden: 12}
training: {epochs: 3, batch_size: 16, learning_rate: 0.01}
threshold: {precision: 0.1}
"""
LISTING = b"""name: listing_counterfeit
kind: listing
system: fusion_network
domain: counterfeit
network: {text_width: 8, fused_width: 8, hidden: 8}
training: {epochs: 2, batch_size: 16}
sampling: {negatives_per_positive: all}
"""


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.stages: list[str] = []
        self.epochs: list[Epoch] = []
        self.steps: list[tuple[int, int]] = []

    def say(self, line: str) -> None:
        self.lines.append(line)

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def advance(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def epoch(self, epoch: Epoch) -> None:
        self.epochs.append(epoch)


def features_of_nothing(_: Path) -> object:
    def embed(example: object) -> np.ndarray | None:
        images = example["listing"].get("images")  # type: ignore[index]
        return np.full(1280, len(str(images)) % 7, np.float32) if images else None

    return embed


def options(data: Path, **changes: object) -> RunOptions:
    return replace(RunOptions(data, "2026-01-01T00:00:00Z", features_of_nothing), **changes)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return message_directory(tmp_path_factory.mktemp("messages"))


@pytest.fixture(scope="module")
def trained(messages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Heard]:
    heard = Heard()
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "harassment")
    return train_run(parse(MESSAGE, "m"), folder, options(messages), heard), heard


def test_the_folder_holds_everything_and_the_checkpoint_is_gone(trained: tuple[Finished, Heard]) -> None:
    folder = trained[0].folder
    assert {path.name for path in folder.path.iterdir()} == {
        "manifest.yaml", "run.json", "epochs.jsonl", "metrics.json", "curves.png", "models", ".lock"
    }  # fmt: skip
    assert [path.name for path in folder.models()] == ["message_harassment"]
    assert {path.name for path in folder.models()[0].iterdir()} == {
        "model.onnx",
        "metadata.json",
        "golden.json",
    }
    assert folder.curves.read_bytes().startswith(b"\x89PNG")
    assert parse(folder.manifest.read_bytes(), "again") == parse(MESSAGE, "m")


def test_run_json_says_what_the_run_was_made_from(trained: tuple[Finished, Heard], messages: Path) -> None:
    facts = trained[0].folder.read_facts()
    assert facts is not None
    assert facts["state"] == "finished"
    assert facts["seed"] == 1
    assert set(facts["identity"]["data"]) == {"train.jsonl", "valid.jsonl", "test.jsonl"}
    assert facts["identity"]["versions"]["torch"]
    parts = facts["data"]["parts"]
    kept = parts["train"]["trained_on"]
    assert kept["positives"] == parts["train"]["positives"] > 10
    assert kept["hard_negatives"] + kept["easy_negatives"] == kept["positives"]
    assert set(facts["leakage"]) == {"same_text", "same_subject", "same_seller", "overlaps_s"}
    assert facts["parity"]["message_harassment"] <= 1e-5
    epochs = [json.loads(line) for line in trained[0].folder.epochs.read_text().splitlines()]
    assert [one["number"] for one in epochs] == [1, 2, 3]
    assert facts["best_epoch"] == min(epochs, key=lambda one: one["validation_loss"])["number"]
    assert facts["training_s"] == pytest.approx(sum(one["seconds"] for one in epochs), abs=0.01)


def test_metrics_are_given_at_the_datas_prevalence_and_at_the_stated_ratio(
    trained: tuple[Finished, Heard],
) -> None:
    folder = trained[0].folder
    metrics = json.loads(folder.metrics.read_text())["message_harassment"]
    for part in ("validation", "test"):
        natural, at_ratio = metrics[part]["natural"], metrics[part]["at_ratio"]
        assert at_ratio["negatives_per_positive"] == 3
        assert at_ratio["examples"] == 4 * at_ratio["positives"] == 4 * natural["positives"]
        assert natural["examples"] > at_ratio["examples"]
    metadata = json.loads((folder.models()[0] / "metadata.json").read_text())
    assert set(metadata["metrics"]) == {"validation", "validation_1_to_3", "test", "test_1_to_3"}
    assert metadata["threshold"] == metrics["threshold"]
    assert metadata["data"]["training"]["examples"] == 2 * metadata["data"]["training"]["positives"]


def test_what_was_exported_can_be_added_to_the_repository(trained: tuple[Finished, Heard]) -> None:
    directory = trained[0].folder.models()[0]
    assert read_metadata(directory).model == "message_harassment"
    opened = session(onnx.load(directory / "model.onnx"))
    for row in read_golden(directory, "message_harassment").rows:
        answer = run(opened, {name: values[np.newaxis] for name, values in row.inputs.items()})
        assert answer["score"][0] == pytest.approx(row.expected["score"], abs=1e-5)


def test_whoever_watches_hears_of_every_step(trained: tuple[Finished, Heard]) -> None:
    finished, heard = trained
    assert heard.stages == ["reading", "features", "training", "measuring"]
    assert [epoch.number for epoch in heard.epochs] == [1, 2, 3]
    assert any(done == total for done, total in heard.steps)
    assert any("vocabulary" in line for line in heard.lines)
    said = finished.lines()
    assert "AUROC" in said[0]
    assert said[-1] == f"  next: sekisho models add {finished.folder.path}/models/message_harassment"


def test_a_finished_run_is_left_alone_and_another_manifest_is_refused(
    trained: tuple[Finished, Heard], messages: Path
) -> None:
    folder = trained[0].folder
    before = folder.facts.read_bytes()
    again = train_run(parse(MESSAGE, "m"), folder, options(messages), Heard())
    assert again.already
    assert "finished before" in again.lines()[0]
    other = parse(MESSAGE.replace(b"epochs: 3", b"epochs: 9"), "m")
    with pytest.raises(
        RunFolderError, match=r"another manifest: epochs: 3 there, epochs: 9 now\. Give another --out"
    ):
        train_run(other, folder, options(messages), Heard())
    assert folder.facts.read_bytes() == before


def test_the_same_seed_gives_the_same_file_and_another_seed_another(
    trained: tuple[Finished, Heard], messages: Path, tmp_path: Path
) -> None:
    first = (trained[0].folder.models()[0] / "model.onnx").read_bytes()
    same = train_run(parse(MESSAGE, "m"), RunFolder(tmp_path / "a"), options(messages), Heard())
    assert (same.folder.models()[0] / "model.onnx").read_bytes() == first
    other = parse(MESSAGE + b"seed: 2\n", "m")
    found = train_run(other, RunFolder(tmp_path / "b"), options(messages), Heard())
    assert (found.folder.models()[0] / "model.onnx").read_bytes() != first


class Stopped(Exception):
    pass


class StoppedAfterTwo(Heard):
    def epoch(self, epoch: Epoch) -> None:
        if epoch.number == 2:
            raise Stopped


def test_a_run_that_was_cut_short_goes_on_only_with_what_it_began_with(
    trained: tuple[Finished, Heard], messages: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(messages, data)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(Stopped):
        train_run(parse(MESSAGE, "m"), folder, options(data), StoppedAfterTwo())
    facts = folder.read_facts()
    assert facts is not None
    assert facts["state"] == "running"

    with pytest.raises(RunFolderError, match=r"another threads: 1 there, 2 now"):
        train_run(parse(MESSAGE, "m"), folder, options(data, threads=2), Heard())
    kept = (data / "valid.jsonl").read_bytes()
    (data / "valid.jsonl").write_bytes(kept + b"\n")
    with pytest.raises(RunFolderError, match=r"another data: valid\.jsonl was sha256:\w+, is sha256:"):
        train_run(parse(MESSAGE, "m"), folder, options(data), Heard())
    with pytest.raises(RunFolderError, match="another manifest: seed: 1 there, seed: 3 now"):
        train_run(parse(MESSAGE + b"seed: 3\n", "m"), folder, options(data), Heard())

    (data / "valid.jsonl").write_bytes(kept)
    with folder.epochs.open("a") as file:
        file.write('{"number": 3, "trai')  # a line that the kill cut short
    heard = Heard()
    found = train_run(parse(MESSAGE, "m"), folder, options(data), heard)
    assert [epoch.number for epoch in heard.epochs] == [1, 2, 3]
    assert [json.loads(line)["number"] for line in folder.epochs.read_text().splitlines()] == [1, 2, 3]
    whole = trained[0].folder.models()[0] / "model.onnx"
    assert (found.folder.models()[0] / "model.onnx").read_bytes() == whole.read_bytes()


def test_force_throws_away_a_run_and_nothing_beside_it(messages: Path, tmp_path: Path) -> None:
    manifest = parse(MESSAGE.replace(b"epochs: 3", b"epochs: 1"), "m")
    folder = RunFolder(tmp_path / "r")
    train_run(manifest, folder, options(messages), Heard())
    (folder.path / "notes.txt").write_text("mine")
    other = parse(MESSAGE.replace(b"epochs: 3", b"epochs: 2"), "m")
    train_run(other, folder, options(messages, force=True), Heard())
    assert len(folder.epochs.read_text().splitlines()) == 2
    assert (folder.path / "notes.txt").read_text() == "mine"


def test_places_that_are_no_runs_are_refused(messages: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    for name, said in (("full", "holds files but is no run"), ("file", "a file, not a directory")):
        with pytest.raises(RunFolderError, match=said):
            train_run(parse(MESSAGE, "m"), RunFolder(tmp_path / name), options(messages), Heard())
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "run.json").write_text("[]")
    with pytest.raises(RunFolderError, match="no run"):
        RunFolder(tmp_path / "odd").read_facts()
    (tmp_path / "odd" / "run.json").write_text("{")
    with pytest.raises(RunFolderError, match="not JSON"):
        RunFolder(tmp_path / "odd").read_facts()
    with pytest.raises(RunFolderError, match="not a run that has finished"):
        RunFolder(tmp_path / "odd").models()


def test_a_finished_run_is_not_taken_for_one_of_other_data(messages: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(messages, data)
    manifest, folder = parse(MESSAGE.replace(b"epochs: 3", b"epochs: 1"), "m"), RunFolder(tmp_path / "r")
    train_run(manifest, folder, options(data), Heard())
    assert train_run(manifest, folder, options(data), Heard()).already
    with (data / "train.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(
        RunFolderError, match=r"another data: train\.jsonl was sha256:\w+, is sha256:\w+\. Give"
    ):
        train_run(manifest, folder, options(data), Heard())


def test_a_checkpoint_that_nothing_speaks_of_is_not_gone_on_from(messages: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r")
    with pytest.raises(Stopped):
        train_run(parse(MESSAGE, "m"), folder, options(messages), StoppedAfterTwo())
    folder.facts.unlink()
    with pytest.raises(Stopped):
        train_run(parse(MESSAGE + b"seed: 2\n", "m"), folder, options(messages), StoppedAfterTwo())
    assert folder.read_facts()["resumed"] == 0  # type: ignore[index]
    assert [json.loads(line)["number"] for line in folder.epochs.read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize(("share", "refused"), [(b"hard_share: 0.5", True), (b"", False)])
def test_other_rules_are_another_run_where_they_choose_the_negatives(
    messages: Path, tmp_path: Path, share: bytes, refused: bool
) -> None:
    manifest = parse(MESSAGE + b"sampling: {%s}\n" % share, "m")
    folder = RunFolder(tmp_path / "r")
    rules = [
        RuleHits(RuleSet(()), "message"),
        RuleHits(RuleSet([message_rule(Match(any=("クズ",)), domain="harassment")]), "message"),
    ]
    with pytest.raises(Stopped):
        train_run(manifest, folder, options(messages, rules=rules[0]), StoppedAfterTwo())
    if refused:
        with pytest.raises(RunFolderError, match="holds a run with another rules"):
            train_run(manifest, folder, options(messages, rules=rules[1]), Heard())
    else:
        train_run(manifest, folder, options(messages, rules=rules[1]), Heard())
        assert folder.read_facts()["resumed"] == 1  # type: ignore[index]


def test_two_processes_do_not_train_in_one_folder(messages: Path, tmp_path: Path) -> None:
    import fcntl

    folder = RunFolder(tmp_path)
    with folder.lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(RunFolderError, match="another process is training there"):
            train_run(parse(MESSAGE, "m"), folder, options(messages), Heard())


def test_a_listing_run_has_gates_and_auxiliary_names(tmp_path: Path) -> None:
    data = listing_directory(tmp_path / "data")
    found = train_run(parse(LISTING, "m"), RunFolder(tmp_path / "run"), options(data), Heard())
    metadata = json.loads((found.folder.models()[0] / "metadata.json").read_text())
    assert set(metadata["gate"]) == {"violation", "no_violation"}
    assert metadata["aux_names"]
    assert read_golden(found.folder.models()[0], "listing_counterfeit").rows


def manifest(text: bytes = b"") -> Manifest:
    return parse(b"name: message_d\nkind: message\nsystem: kimcnn_bigru\ndomain: d\n" + text, "m")


def parts(directory: Path, **labels: list[object]) -> Path:
    for name in ("train", "valid", "test"):
        given = labels.get(name, [1, 0])
        write(
            directory / f"{name}.jsonl",
            [
                window(
                    f"{name} {i}", transaction=f"{name}{i}", labels={"d": label} if label != "-" else {"e": 1}
                )
                for i, label in enumerate(given)
            ],
        )
    return directory


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"valid": [0, 0]}, r'valid\.jsonl: none of 2 examples is positive for "d"'),
        ({"test": [1, None]}, r'test\.jsonl: none of 2 examples is negative for "d"'),
        ({"train": ["-", "-"]}, r'train\.jsonl: no example has a label "d"; labels there: e\. Write the one'),
        ({"train": []}, r"train\.jsonl: no examples"),
    ],
)
def test_parts_that_cannot_be_learnt_from_are_named(tmp_path: Path, labels: dict, said: str) -> None:
    with pytest.raises(ExampleError, match=said):
        survey(manifest(), parts(tmp_path, **labels))


def test_a_lost_directory_and_no_examples_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExampleError, match=r"nowhere: no such directory; --data and the manifest's data:"):
        survey(manifest(b"data: nowhere\n"), tmp_path)
    write(tmp_path / "examples.jsonl", [])
    with pytest.raises(ExampleError, match=r"examples\.jsonl: no examples"):
        survey(manifest(), tmp_path)


def test_strict_splits_refuse_what_others_report(tmp_path: Path) -> None:
    data = parts(tmp_path)
    write(
        data / "test.jsonl",
        [window("train 0", transaction="x", labels={"d": 1}), window("n", labels={"d": 0})],
    )
    assert survey(manifest(), data).leakage.lines() == [
        "the same normalised text as in an earlier part: 1 of 2 in test "
        f"(e.g. {data}/test.jsonl:1 and {data}/train.jsonl:1)"
    ]
    with pytest.raises(ExampleError, match="learn by heart:\n  the same normalised text"):
        survey(manifest(), data, strict=True)


def test_one_file_is_split_by_time_and_sampled(tmp_path: Path) -> None:
    write(
        tmp_path / "examples.jsonl",
        [
            window(
                f"text {i}",
                transaction=f"t{i}",
                at=f"2026-01-{1 + i // 10:02}T00:{i % 10:02}:00Z",
                labels={"d": i % 5 == 0},
            )
            for i in range(200)
        ],
    )
    surveyed = survey(manifest(b"sampling: {negatives_per_positive: 2}\n"), tmp_path)
    found = prepare(surveyed, lambda _: None)
    assert {part: len(examples.features) for part, examples in found.whole.items()} == {
        "valid": 30,
        "test": 30,
    }
    assert found.parts.training.labels["d"].tolist().count(1) == 28
    assert len(found.parts.training.features) == 3 * 28
    assert len(found.parts.validation.features) == 3 * 6
    assert surveyed.record()["split_by_time"] is True
    assert surveyed.leakage.found == ()


def test_labels_reach_the_system_under_the_domains_name(tmp_path: Path) -> None:
    data = parts(tmp_path)
    renamed = parse(b"name: message_x\nkind: message\nsystem: kimcnn_bigru\ndomain: x\nlabel: d\n", "m")
    found = prepare(survey(renamed, data), lambda _: None)
    assert set(found.parts.training.labels) == {"x"}
    assert found.whole["test"].labels["x"].tolist() == [1, 0]


def test_several_domains_are_one_training_with_a_label_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SYSTEMS, "several", f"{__name__}:SEVERAL")
    head = b"name: listing_families\nkind: listing\nsystem: several\n"
    for text, said in (
        (
            head + b"domain: drugs\n",
            r"x:4:1: .*this system serves several domains  \(write domains: \[...\]\)",
        ),
        (head, '"domains" is missing'),
        (head + b"domains: [drugs, fraud]\nlabel: d\n", '"label" is for one domain'),
        (head + b"domains: [drugs, fraud]\nlabels: {frad: f}\n", 'did you mean "fraud"'),
        (head + b"domains: [Drugs, fraud]\n", "'listing_Drugs' is not a model name"),
    ):
        with pytest.raises(ManifestError, match=said):
            parse(text, "x")
    found = parse(head + b"domains: [drugs, fraud]\nlabels: {fraud: f}\n", "x")
    assert parse(as_yaml(found).encode(), "again") == found
    assert [found.model_name(domain) for domain in found.domains] == ["listing_drugs", "listing_fraud"]
    for name in ("train", "valid"):
        rows = [({"drugs": 1, "f": 0}), ({"drugs": 0, "f": 1}), ({"drugs": 0, "f": 0}), ({"drugs": 0})]
        write(
            tmp_path / f"{name}.jsonl",
            [
                listing(f"{name} {i}", identity=f"{name}{i}", seller=name, labels=one)
                for i, one in enumerate(rows)
            ],
        )
    prepared = prepare(survey(found, tmp_path), lambda _: None)
    assert {domain: labels.tolist() for domain, labels in prepared.parts.training.labels.items()} == {
        "drugs": [1, 0, 0],
        "fraud": [0, 1, 0],
    }
    assert set(prepared.whole) == {"valid"}


@dataclass(frozen=True)
class NoOptions:
    """Nothing to choose."""


class Several:
    """As much of a system as reading a manifest needs."""

    kind = "listing"
    several_domains = True
    partly_labelled = False
    network_options = NoOptions
    training_options = NoOptions


SEVERAL = Several()


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_system_keeps_the_contract_of_options(name: str) -> None:
    system = load_system(name)
    assert system.kind in {"message", "listing"}
    assert system.several_domains in {True, False}
    assert system.partly_labelled <= system.several_domains
    system.training_options()
    if name == "message_head":  # the one that cannot begin with nothing
        with pytest.raises(ValueError, match="a head needs trunk"):
            system.network_options()
    else:
        system.network_options()


@pytest.mark.parametrize("best", [1, 2, 5])
def test_curves_are_drawn_whatever_epoch_was_kept(tmp_path: Path, best: int) -> None:
    path = tmp_path / "curves.png"
    draw_curves(path, [Epoch(1, 0.7, 0.6), Epoch(2, 0.5, 0.55)], best, "listing_x")
    with Image.open(path) as picture:
        assert picture.size == (770, 440)
    assert [one.name for one in tmp_path.iterdir()] == ["curves.png"]


TREES = LISTING.replace(b"fusion_network", b"gbdt").replace(
    b"network: {text_width: 8, fused_width: 8, hidden: 8}\ntraining: {epochs: 2, batch_size: 16}\n", b""
)
LINEAR = TREES.replace(b"gbdt", b"logistic_regression")


@pytest.mark.parametrize("text", [TREES, LINEAR], ids=["gbdt", "logistic_regression"])
def test_systems_that_are_no_networks_leave_the_same_folder(tmp_path: Path, text: bytes) -> None:
    data = listing_directory(tmp_path / "data")
    found = train_run(parse(text, "m"), RunFolder(tmp_path / "run"), options(data), Heard())
    facts = found.folder.read_facts()
    assert facts is not None
    assert facts["state"] == "finished"
    assert facts["parity"]["listing_counterfeit"] <= 1e-5
    assert read_golden(found.folder.models()[0], "listing_counterfeit").rows
