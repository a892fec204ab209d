"""Checkpoints, devices and patience: a training that stops and goes on is the one that never stopped."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
import torch

from models.data.tables import Table
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.training.checkpoints import Checkpoints
from models.training.course import Epoch, History
from models.training.device import Device, choose_device
from models.training.loop import TrainingPlan, deterministic, scores, train
from tests.unit.models.test_training import contextual

pytestmark = pytest.mark.train

SHAPE = ConversationShape(embedding_width=8, filters=8, hidden=8, dropout=0.2, word_dropout=0.1)
PLAN = TrainingPlan(epochs=5, batch_size=32, learning_rate=5e-3, seed=4)


class Stopped(Exception):
    pass


def trained(checkpoints: Checkpoints | None = None, *, stop_after: int | None = None) -> tuple[dict, History]:
    deterministic(4)
    network = ConversationNetwork(40, SHAPE)

    def report(epoch: Epoch) -> None:
        if epoch.number == stop_after:
            raise Stopped

    history = train(network, contextual(300, 1), contextual(100, 2), PLAN, report, checkpoints=checkpoints)
    return network.state_dict(), history


@pytest.mark.parametrize("stop_after", [1, 4, 5])
def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path: Path, stop_after: int) -> None:
    whole, history = trained()
    checkpoints = Checkpoints(tmp_path / "c.pt")
    with pytest.raises(Stopped):
        trained(checkpoints, stop_after=stop_after)
    torch.manual_seed(999)  # whatever happens between
    resumed, again = trained(checkpoints)
    assert again == history
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_checkpoint_is_replaced_as_a_whole_and_holds_no_code(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c.pt")
    assert checkpoints.load() is None
    checkpoints.save({"a": torch.ones(2), "b": [1, "x"]})
    (tmp_path / "c.new").write_bytes(b"a write that a kill cut short")
    found = checkpoints.load()
    assert found is not None
    assert found["a"].tolist() == [1, 1]
    checkpoints.clear()
    checkpoints.clear()
    assert checkpoints.load() is None
    torch.save({"a": Path}, checkpoints.path)
    with pytest.raises(Exception, match=r"weights_only|Weights only"):
        checkpoints.load()


def test_patience_stops_when_nothing_gets_better() -> None:
    deterministic(1)
    training = contextual(200, 1)
    contrary = Table(training.inputs, training.lengths, 1 - training.labels)
    plan = TrainingPlan(epochs=30, learning_rate=0.01, seed=1, patience=2)
    history = train(ConversationNetwork(40, SHAPE), training, contrary, plan)
    assert len(history.epochs) == history.best + 2 < 30


def test_validation_is_weighed_to_the_share_of_positives_in_training() -> None:
    deterministic(1)
    network = ConversationNetwork(40, SHAPE)
    validation = contextual(400, 2)
    positives = torch.nonzero(validation.labels == 1).flatten()
    negatives = torch.nonzero(validation.labels == 0).flatten()
    found = contextual(300, 1)
    evenly = [torch.nonzero(found.labels == value).flatten()[:60] for value in (0, 1)]
    training = found.select(torch.cat(evenly))
    plan = TrainingPlan(epochs=1, seed=1)
    heard = train(network, training, validation, plan, as_trained=True)
    logits = torch.logit(torch.from_numpy(scores(network, validation)))
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, validation.labels.double(), reduction="none"
    )
    balanced = (loss[positives].mean() + loss[negatives].mean()) / 2
    assert heard.epochs[0].validation_loss == pytest.approx(float(balanced), abs=1e-5)


def test_devices_are_chosen_by_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == Device("cpu", bf16=False)
    assert choose_device("cpu", "bf16") == Device("cpu", bf16=True)
    with pytest.raises(ValueError, match="no GPU"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert choose_device() == Device("cuda", bf16=True)
    assert choose_device("auto", "fp32") == Device("cuda", bf16=False)
    assert choose_device("cpu") == Device("cpu", bf16=False)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert choose_device() == Device("cuda", bf16=False)
    assert str(Device("cpu")) == "cpu, fp32"


def test_training_in_bfloat16_learns_and_scores_in_float32() -> None:
    deterministic(4)
    network = ConversationNetwork(40, SHAPE)
    plan = TrainingPlan(epochs=4, batch_size=32, learning_rate=5e-3, seed=4)
    history = train(network, contextual(600, 1), contextual(100, 2), plan, device=Device("cpu", bf16=True))
    assert history.epochs[-1].validation_loss < history.epochs[0].validation_loss
    assert all(value.dtype != torch.bfloat16 for value in network.state_dict().values())
    assert scores(network, contextual(50, 3)).dtype == "float64"


def test_a_state_that_finds_no_space_leaves_the_last_one(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "checkpoint.pt")
    checkpoints.save({"epoch": 1})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            checkpoints.save({"epoch": 2, "weights": torch.zeros(100_000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert checkpoints.load() == {"epoch": 1}
