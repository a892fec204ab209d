"""A run of a trunk leaves a model for each domain; a head is trained on the trunk of any of them, alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.data.sampling import combined
from models.export.graph import run, session
from models.export.trunk import assembled, digest, trunk_of
from models.manifests import Manifest, parse
from models.runs.folder import RunFolder, RunFolderError
from models.runs.training import REFUSALS, Finished, train_run
from streams.features.tokens import TOKENIZER
from streams.inference.repository import read_golden, read_metadata
from tests.unit.models.labelled import message_directory, write
from tests.unit.models.test_data_sampling import fact
from tests.unit.models.test_runs import Heard, options

pytestmark = pytest.mark.train

DOMAINS = ("harassment", "contact_exchange")
TRUNK = b"""name: marketplace_trunk
kind: message
system: message_trunk
domains: [harassment, contact_exchange]
network: {embedding_width: 16, filters: 12, hidden: 12, head: {hidden: 8}}
training: {epochs: 2, batch_size: 16, learning_rate: 0.01, heads: {epochs: 4, patience: 2}}
threshold: {precision: 0.1}
"""
HEAD = """name: message_off_platform_payment
kind: message
system: message_head
domain: off_platform_payment
network: {{trunk: {trunk}, hidden: 8}}
training: {{epochs: 4, batch_size: 16}}
threshold: {{precision: 0.1}}
"""


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return message_directory(tmp_path_factory.mktemp("messages"), train=400, others=300)


@pytest.fixture(scope="module")
def trunk(messages: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Heard]:
    heard = Heard()
    folder = RunFolder(tmp_path_factory.mktemp("runs") / "trunk")
    return train_run(parse(TRUNK, "m"), folder, options(messages), heard), heard


def head_on(directory: Path) -> Manifest:
    return parse(HEAD.format(trunk=directory).encode(), "h")


@pytest.fixture(scope="module")
def later(messages: Path, trunk: tuple[Finished, Heard]) -> Finished:
    """A domain that the trunk has never heard of."""
    finished, _ = trunk
    manifest = head_on(finished.folder.model("message_harassment"))
    return train_run(manifest, RunFolder(finished.folder.path.parent / "later"), options(messages), Heard())


def loaded(directory: Path) -> onnx.ModelProto:
    return onnx.load(str(directory / "model.onnx"))


def test_a_trunks_run_leaves_a_complete_model_for_each_domain(trunk: tuple[Finished, Heard]) -> None:
    finished, heard = trunk
    names = [f"message_{domain}" for domain in sorted(DOMAINS)]
    assert [path.name for path in finished.folder.models()] == names
    assert set(finished.quality) == set(names)
    facts = finished.folder.read_facts()
    assert facts is not None
    assert max(facts["parity"].values()) <= 1e-5
    assert facts["best_epoch"] in {1, 2}
    assert [epoch.number for epoch in heard.epochs] == [1, 2]  # the trunk's own
    assert sum(line.startswith("head ") for line in heard.lines) == len(DOMAINS)


def test_its_models_are_taken_like_any_other_and_say_which_trunk_they_hold(
    trunk: tuple[Finished, Heard],
) -> None:
    finished, _ = trunk
    for directory in finished.folder.models():
        assert read_metadata(directory).tokenizer == TOKENIZER
        network = json.loads((directory / "metadata.json").read_text())["network"]
        model = loaded(directory)
        assert network["trunk"]["digest"] == digest(trunk_of(model))
        assert network["trunk"]["embedding_width"] == 16
        opened = session(model)
        for row in read_golden(directory, directory.name).rows:
            answer = run(opened, {name: values[np.newaxis] for name, values in row.inputs.items()})
            assert answer["score"][0] == pytest.approx(row.expected["score"], abs=1e-5)


def test_a_head_that_is_trained_later_holds_the_same_trunk_and_is_scored_with_the_others(
    trunk: tuple[Finished, Heard], later: Finished
) -> None:
    directories = [*trunk[0].folder.models(), *later.folder.models()]
    models = {f"{directory.name}/1": loaded(directory) for directory in directories}
    together = session(assembled(models))
    checked = 0
    for directory in directories:
        for row in read_golden(directory, directory.name).rows:
            asked = {name: values[np.newaxis] for name, values in row.inputs.items()}
            own = run(session(models[f"{directory.name}/1"]), asked)["score"]
            np.testing.assert_array_equal(run(together, asked)[f"{directory.name}/1"], own)
            checked += 1
    assert checked >= 3 * len(directories)


def test_the_same_seed_gives_the_same_head(
    trunk: tuple[Finished, Heard], later: Finished, messages: Path, tmp_path: Path
) -> None:
    # From another model that holds the trunk: which one says where it lies makes no difference.
    manifest = head_on(trunk[0].folder.model("message_contact_exchange"))
    again = train_run(manifest, RunFolder(tmp_path / "again"), options(messages), Heard())
    assert (again.folder.models()[0] / "model.onnx").read_bytes() == (
        later.folder.models()[0] / "model.onnx"
    ).read_bytes()


def test_a_run_remembers_which_trunk_it_was_trained_on(
    trunk: tuple[Finished, Heard], messages: Path, tmp_path: Path
) -> None:
    place = tmp_path / "trunk"
    for name in ("model.onnx", "metadata.json"):
        place.mkdir(exist_ok=True)
        (place / name).write_bytes((trunk[0].folder.models()[0] / name).read_bytes())
    folder = RunFolder(tmp_path / "head")
    train_run(head_on(place), folder, options(messages), Heard())
    facts = folder.read_facts()
    assert facts is not None
    assert set(facts["identity"]["data"]) >= {"train.jsonl", "network.trunk"}
    (place / "model.onnx").write_bytes((trunk[0].folder.models()[1] / "model.onnx").read_bytes())
    with pytest.raises(RunFolderError, match=r"another data: network\.trunk was sha256:\w+, is sha256:"):
        train_run(head_on(place), folder, options(messages), Heard())


def test_a_trunk_that_cannot_be_used_is_refused_in_words(
    trunk: tuple[Finished, Heard], messages: Path, tmp_path: Path
) -> None:
    def refusal(directory: Path) -> str:
        with pytest.raises(REFUSALS) as refused:
            train_run(head_on(directory), RunFolder(tmp_path / "run"), options(messages, force=True), Heard())
        return str(refused.value)

    source = trunk[0].folder.models()[0]
    assert "No such file" in refusal(tmp_path / "nowhere")
    broken = tmp_path / "broken"
    broken.mkdir()
    metadata = json.loads((source / "metadata.json").read_text())
    (broken / "metadata.json").write_text(json.dumps(metadata))
    (broken / "model.onnx").write_bytes(b"no model")
    assert "not an ONNX file" in refusal(broken)
    (broken / "model.onnx").write_bytes((source / "model.onnx").read_bytes())
    (broken / "metadata.json").write_text(json.dumps({**metadata, "tokenizer": "other-1"}))
    assert "trained with tokeniser other-1" in refusal(broken)


def test_an_own_model_has_no_trunk_to_give(messages: Path, tmp_path: Path) -> None:
    own = b"name: message_harassment\nkind: message\nsystem: kimcnn_bigru\ndomain: harassment\n" + (
        b"network: {embedding_width: 4, filters: 4, hidden: 4}\ntraining: {epochs: 1}\n"
    )
    found = train_run(parse(own, "m"), RunFolder(tmp_path / "own"), options(messages), Heard())
    with pytest.raises(REFUSALS, match="was not trained on a shared trunk"):
        train_run(head_on(found.folder.models()[0]), RunFolder(tmp_path / "head"), options(messages), Heard())


def test_a_head_without_a_trunk_is_no_manifest() -> None:
    bare = HEAD.format(trunk="x").replace("trunk: x, ", "").encode()
    with pytest.raises(ValueError, match="a head needs trunk: the directory of a model"):
        parse(bare, "h")


def test_a_trunk_learns_from_sets_that_each_know_their_own_domain(tmp_path: Path) -> None:
    """What a fleet's data looks like: moderators judge a message for the domain that it was reported for."""
    whole = message_directory(tmp_path / "whole", train=400, others=300)
    for path in whole.iterdir():
        examples = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for number, example in enumerate(examples):
            rare = example["labels"]["contact_exchange"] == 1  # so few that halving them could leave none
            domain = "contact_exchange" if rare else DOMAINS[number % 2]
            example["labels"] = {domain: example["labels"][domain]}
        write(tmp_path / "halves" / path.name, examples)
    found = train_run(parse(TRUNK, "m"), RunFolder(tmp_path / "r"), options(tmp_path / "halves"), Heard())
    facts = found.folder.read_facts()
    assert facts is not None
    kept = facts["data"]["parts"]["train"]["trained_on"]
    assert kept["easy_negatives"] + kept["hard_negatives"] == kept["positives"] > 10
    for name, quality in found.quality.items():
        assert quality.natural["test"].examples < 300, name  # only those that are labelled for it


def test_a_partly_labelled_example_counts_where_that_is_asked_for() -> None:
    facts = [
        fact({"a": 0}),
        fact({"a": 0, "b": 0}),
        fact({"a": None}),
        fact({"b": 1}),
        fact({"a": 0, "b": None}),
    ]
    np.testing.assert_array_equal(combined(facts, ("a", "b")), [np.nan, 0, np.nan, 1, np.nan])
    np.testing.assert_array_equal(combined(facts, ("a", "b"), partly=True), [0, 0, np.nan, 1, 0])
