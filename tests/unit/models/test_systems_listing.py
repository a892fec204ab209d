"""Every listing system learns, its file answers as it does in training, whatever the batch and the padding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.data.datasets import ListingSet
from models.export.graph import run, session
from models.systems.contract import Parts
from models.training.checkpoints import Checkpoints
from models.training.course import Epoch
from streams.features.tensors import ListingFeatures, listing_batch
from tests.unit.models.listing_examples import TRAINING, UNSEEN, VALIDATION, made_up, trained

pytestmark = pytest.mark.train

FUSION = {"epochs": 6, "learning_rate": 0.01, "averaging": 0.9}
SYSTEMS = [
    ("fusion_network", {}, FUSION),
    ("fusion_network", {"fusion": "concat", "batch_norm": True, "maxout": False, "members": 2}, FUSION),
    ("logistic_regression", {"image_weight": 0.05}, {}),
    ("gbdt", {"leaves": 7}, {"rounds": 60, "learning_rate": 0.2}),
]


def auroc(found, examples: ListingSet, domain: str = "fake") -> float:
    return float(roc_auc_score(examples.labels[domain], found.scores(examples)))


@pytest.mark.parametrize(("system", "network", "training"), SYSTEMS)
def test_learns_and_its_file_agrees_at_any_batch_and_length(system, network, training) -> None:
    found = trained(system, network=network, training=training)["fake"]
    assert auroc(found, UNSEEN) > 0.8
    scores, gates = found.scores(UNSEEN), found.gates(UNSEEN)
    assert gates is not None
    opened = session(found.to_onnx())
    for batch, bucket in ((1, 32), (2, 64), (7, 128), (64, 32)):
        inputs = listing_batch(UNSEEN.features[:batch], bucket)
        answer = run(opened, inputs)
        assert answer["score"].shape == (batch, 1)
        assert answer["gate"].shape == (batch, 2)
        assert np.abs(answer["score"][:, 0] - scores[:batch]).max() <= 1e-5
        assert np.abs(answer["gate"] - gates[:batch]).max() <= 1e-5
    everything = run(opened, listing_batch(UNSEEN.features, 128))
    assert np.abs(everything["score"][:, 0] - scores).max() <= 1e-5


@pytest.mark.parametrize(("system", "network", "training"), SYSTEMS)
def test_what_is_switched_off_changes_no_score(system, network, training) -> None:
    found = trained(system, network={**network, "image": False}, training=training)["fake"]
    blind = ListingSet(
        tuple(
            ListingFeatures(one.tokens, one.aux, None if one.image is None else one.image + 3)
            for one in UNSEEN.features
        ),
        UNSEEN.labels, "",
    )  # fmt: skip
    assert np.allclose(found.scores(UNSEEN), found.scores(blind), atol=1e-7)
    without_text = trained(system, network={**network, "text": False, "aux": False}, training=training)[
        "fake"
    ]
    assert auroc(without_text, UNSEEN) > 0.55


@pytest.mark.parametrize(("system", "network", "training"), SYSTEMS)
def test_a_missing_modality_gives_the_whole_gate_to_the_other(system, network, training) -> None:
    found = trained(system, network=network, training=training)["fake"]
    one = next(row for row in UNSEEN.features if row.image is not None and len(row.tokens))
    wordless = ListingFeatures(one.tokens[:0], one.aux, one.image)
    pictureless = replace(one, image=None)
    gates = found.gates(ListingSet((wordless, pictureless, one), {}, ""))
    assert np.allclose(gates[0], [0, 1], atol=1e-5)
    assert np.allclose(gates[1], [1, 0], atol=1e-5)
    assert gates[2].min() > 0
    assert gates[2].sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("system", ["fusion_network", "gbdt"])
def test_a_seed_gives_the_same_scores_again(system) -> None:
    small = next(training for name, _, training in SYSTEMS if name == system)
    first, again = (trained(system, training=small, seed=4)["fake"] for _ in range(2))
    other = trained(system, training=small, seed=5)["fake"]
    assert np.array_equal(first.scores(UNSEEN), again.scores(UNSEEN))
    assert not np.array_equal(first.scores(UNSEEN), other.scores(UNSEEN))


def test_listings_without_any_picture_can_be_learnt_from() -> None:
    def pictureless(found: ListingSet) -> ListingSet:
        return replace(found, features=tuple(replace(row, image=None) for row in found.features))

    parts = Parts(pictureless(TRAINING), pictureless(VALIDATION))
    found = trained("logistic_regression", parts=parts)["fake"]
    assert auroc(found, pictureless(UNSEEN)) > 0.7
    assert found.gates(pictureless(UNSEEN))[:, 1].max() == 0


class _KilledError(Exception):
    pass


def test_a_killed_training_of_two_members_goes_on_to_the_same_scores(tmp_path: Path) -> None:
    options = {"network": {"members": 2}, "training": {**FUSION, "epochs": 3}}
    whole = trained("fusion_network", **options)["fake"]

    def kill(epoch: Epoch) -> None:
        if epoch.number == 5:  # the second member's second
            raise _KilledError

    checkpoints = Checkpoints(tmp_path / "checkpoint.pt")
    with pytest.raises(_KilledError):
        trained("fusion_network", report=kill, checkpoints=checkpoints, **options)
    assert len(list(tmp_path.iterdir())) == 2
    epochs: list[int] = []
    resumed = trained(
        "fusion_network", report=lambda epoch: epochs.append(epoch.number), checkpoints=checkpoints, **options
    )["fake"]
    assert epochs == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(whole.scores(UNSEEN), resumed.scores(UNSEEN))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_one_class_is_refused_in_words() -> None:
    only = ListingSet(
        TRAINING.features, {"fake": np.zeros(len(TRAINING.features), np.float32)}, TRAINING.fingerprint
    )
    with pytest.raises(ValueError, match="only one class of 'fake'"):
        trained("logistic_regression", parts=Parts(only, VALIDATION))


@pytest.mark.parametrize(
    ("system", "section", "values", "says"),
    [
        ("fusion_network", "network", {"members": 0}, "members is 0"),
        ("fusion_network", "network", {"word_dropout": 1.0}, "word_dropout is 1.0"),
        ("fusion_network", "network", {"image_dropout": 0.6, "text_dropout": 0.6}, "more than all"),
        ("fusion_network", "network", {"text_start": 0.0}, "learn nothing"),
        ("fusion_network", "network", {"text": False, "image": False, "aux": False}, "all off"),
        ("fusion_network", "network", {"hidden": 0}, "at least 1"),
        ("fusion_network", "training", {"averaging": 1.0}, "averaging"),
        ("fusion_network", "training", {"epochs": 0}, "at least one epoch"),
        ("fusion_network", "training", {"text_rate": 0.0}, "text_rate"),
        ("fusion_network", "training", {"patience": 0}, "patience"),
        ("logistic_regression", "network", {"image_weight": 0.0}, "image_weight"),
        ("logistic_regression", "network", {"text": False, "image": False, "aux": False}, "all off"),
        ("logistic_regression", "training", {"strengths": ()}, "strengths"),
        ("logistic_regression", "training", {"iterations": 0}, "iterations"),
        ("gbdt", "network", {"leaves": 1}, "leaves"),
        ("gbdt", "network", {"text": False, "image": False, "aux": False}, "all off"),
        ("gbdt", "training", {"rounds": 0}, "rounds"),
        ("gbdt", "training", {"column_share": 0.0}, "column_share"),
    ],
)
def test_impossible_options_are_refused_by_name(system, section, values, says) -> None:
    with pytest.raises(ValueError, match=says):
        trained(system, **{section: values})


def test_a_training_of_few_steps_is_not_held_at_its_first_weights() -> None:
    few = ListingSet(TRAINING.features[:200], {"fake": TRAINING.labels["fake"][:200]}, TRAINING.fingerprint)
    plan = {"epochs": 12, "learning_rate": 0.01}  # 36 steps, where the default averages over 200
    found = trained("fusion_network", parts=Parts(few, VALIDATION), training=plan)["fake"]
    assert auroc(found, UNSEEN) > 0.75


def test_patience_stops_early_and_keeps_the_best_epoch() -> None:
    epochs: list[Epoch] = []
    plan = {**FUSION, "epochs": 30, "patience": 2}
    found = trained("fusion_network", training=plan, report=epochs.append)["fake"]
    best = min(epochs, key=lambda epoch: epoch.validation_loss)
    assert len(epochs) < 30
    assert found.description()["best_epoch"] == best.number == epochs[-1].number - 2


def test_more_listings_than_a_scoring_batch() -> None:
    found = trained("gbdt", training={"rounds": 10})["fake"]
    many = made_up(700, 9)
    assert np.array_equal(found.scores(many)[600:], found.scores(ListingSet(many.features[600:], {}, "")))
