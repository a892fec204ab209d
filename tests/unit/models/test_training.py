"""The loop learns what needs context, keeps the best epoch, and gives the same weights for the same seed."""

import warnings

import numpy as np
import pytest
import torch

from models.data.tables import Table
from models.networks.conversation import ConversationNetwork, ConversationShape
from models.training.adabound import AdaBound
from models.training.loop import TrainingPlan, deterministic, scores, train

pytestmark = pytest.mark.train

SHAPE = ConversationShape(embedding_width=12, filters=12, hidden=12, dropout=0.1, word_dropout=0.0)
PLAN = TrainingPlan(epochs=15, batch_size=32, learning_rate=5e-3, seed=4)


def contextual(count: int, seed: int) -> Table:
    """Word 9 in the last turn violates only where word 5 stood in the turn before: half of the nines do."""
    generator = np.random.default_rng(seed)
    rows = np.zeros((count, 5, 16), np.int64)
    rows[:, 3:, :4] = generator.integers(10, 40, (count, 2, 4))
    asked, yes = generator.random(count) < 0.5, generator.random(count) < 0.7
    rows[asked, 3, 1] = 5
    rows[yes, 4, 2] = 9
    inputs = (
        torch.from_numpy(rows),
        torch.ones(count, 5, dtype=torch.int64),
        torch.ones(count, 1, dtype=torch.int64),
    )
    return Table(inputs, torch.full((count,), 4), torch.from_numpy((asked & yes).astype(np.float32)))


def trained(shape: ConversationShape = SHAPE) -> tuple[ConversationNetwork, Table]:
    deterministic(4)
    network = ConversationNetwork(40, shape)
    train(network, contextual(1500, 1), contextual(300, 2), PLAN)
    return network, contextual(400, 3)


def accuracy(network: ConversationNetwork, table: Table) -> float:
    return float(((scores(network, table) > 0.5) == (table.labels.numpy() > 0.5)).mean())


def test_context_is_learnt_and_is_out_of_reach_without_it() -> None:
    network, table = trained()
    assert accuracy(network, table) > 0.97
    blind, table = trained(ConversationShape(12, 12, hidden=12, turns=1, dropout=0.1, word_dropout=0.0))
    assert accuracy(blind, table) < 0.75


def test_the_same_seed_gives_the_same_weights() -> None:
    plan = TrainingPlan(epochs=1, seed=2)

    def weights() -> dict[str, torch.Tensor]:
        deterministic(2)
        network = ConversationNetwork(40, SHAPE)
        train(network, contextual(200, 1), contextual(50, 2), plan)
        return network.state_dict()

    first, second = weights(), weights()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_best_epoch_by_validation_loss_is_kept() -> None:
    deterministic(1)
    network = ConversationNetwork(40, SHAPE)
    training = contextual(300, 1)
    # Validation says the contrary of training, so each epoch is worse than the one before.
    contrary = Table(training.inputs, training.lengths, 1 - training.labels)
    history = train(network, training, contrary, TrainingPlan(epochs=4, seed=1))
    losses = [epoch.validation_loss for epoch in history.epochs]
    assert history.best == 1 + int(np.argmin(losses))
    logits = torch.from_numpy(
        np.log(scores(network, contrary) / (1 - scores(network, contrary))).astype(np.float32)
    )
    kept = float(torch.nn.functional.binary_cross_entropy_with_logits(logits, contrary.labels))
    assert kept == pytest.approx(min(losses), abs=1e-4)
    assert not network.training


def test_a_loss_that_is_not_finite_is_an_error() -> None:
    network = ConversationNetwork(40, SHAPE)
    with torch.no_grad():
        network.decide[0].weight.fill_(float("nan"))
    with pytest.raises(ArithmeticError, match="finite"):
        train(network, contextual(64, 1), contextual(32, 2), TrainingPlan(epochs=1))


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_adabound_walks_as_the_published_package_does(weight_decay: float) -> None:
    from adabound import AdaBound as Published

    paths = []
    for kind in (Published, AdaBound):
        torch.manual_seed(0)
        parameter = torch.nn.Parameter(torch.randn(6))
        optimiser = kind([parameter], lr=1e-2, weight_decay=weight_decay)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 60)
        for step in range(60):
            optimiser.zero_grad()
            ((parameter - step / 30) ** 4).sum().backward()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the package's deprecated calls are why it is not used
                optimiser.step()
            schedule.step()
        paths.append(parameter.detach())
    assert torch.allclose(paths[0], paths[1], atol=1e-6)


@pytest.mark.parametrize("wrong", [{"lr": 0.0}, {"betas": (1.0, 0.9)}, {"gamma": 0.0}])
def test_adabound_refuses_impossible_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        AdaBound([torch.nn.Parameter(torch.zeros(1))], **wrong)


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 1}])
def test_impossible_plans_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="plan"):
        TrainingPlan(**wrong)
