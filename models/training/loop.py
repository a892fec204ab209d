"""The training loop: AdaBound with cosine decay, the best epoch by validation loss, reproducible by seed."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.data.tables import Table
from models.training.adabound import AdaBound

_CHUNK_BATCHES = 32
_SCORING_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast to train."""

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    #: Smoothing keeps the logits of separable data finite, so that scores above the threshold still have an order.
    label_smoothing: float = 0.02
    weight_decay: float = 1e-5
    seed: int = 1

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError("a plan needs at least one epoch and batches of at least two")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Mean binary cross-entropy after an epoch."""

    number: int
    training_loss: float
    validation_loss: float


@dataclass(frozen=True, slots=True)
class History:
    """All epochs, and the number of the one whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best: int


def deterministic(seed: int) -> None:
    """Seed torch and let it use only algorithms that give the same bits each time (on one machine and thread count)."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)


def train(
    network: nn.Module,
    training: Table,
    validation: Table,
    plan: TrainingPlan,
    report: Callable[[Epoch], None] = lambda _: None,
) -> History:
    """Train in place and leave the network with its best epoch's weights, in evaluation mode."""
    optimiser = AdaBound(network.parameters(), lr=plan.learning_rate, weight_decay=plan.weight_decay)
    batches_per_epoch = math.ceil(len(training) / plan.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, plan.epochs * batches_per_epoch)
    order = np.random.default_rng(plan.seed)
    epochs: list[Epoch] = []
    best_loss, best_weights = math.inf, copy.deepcopy(network.state_dict())
    best = 0
    for number in range(1, plan.epochs + 1):
        network.train()
        total = 0.0
        for index in _batches(training, plan.batch_size, order):
            loss = _loss(network, training, index, plan.label_smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(index)
        epoch = Epoch(number, total / len(training), _validation_loss(network, validation))
        epochs.append(epoch)
        report(epoch)
        if epoch.validation_loss < best_loss:
            best_loss, best, best_weights = epoch.validation_loss, number, copy.deepcopy(network.state_dict())
    if best == 0:
        raise ArithmeticError(f"no epoch had a finite validation loss: {epochs}")
    network.load_state_dict(best_weights)
    network.eval()
    return History(tuple(epochs), best)


@torch.no_grad()
def outputs(
    network: nn.Module, table: Table
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """Logits float32 [N] and, of a listing model, gates float32 [N, 2], in the table's order."""
    network.eval()
    logits = torch.empty(len(table))
    gates: Tensor | None = None
    for index in torch.split(torch.argsort(table.lengths, stable=True), _SCORING_BATCH):
        result = network(*table.batch(index))
        if isinstance(result, tuple):
            gates = torch.empty(len(table), 2) if gates is None else gates
            gates[index] = result[1]
            result = result[0]
        logits[index] = result.squeeze(1)
    return logits.numpy(), None if gates is None else gates.numpy()


def scores(network: nn.Module, table: Table) -> npt.NDArray[np.float64]:
    """Probabilities float64 [N], in the table's order."""
    logits, _ = outputs(network, table)
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def _loss(network: nn.Module, table: Table, index: Tensor, smoothing: float) -> Tensor:
    result = network(*table.batch(index))
    logits = result[0] if isinstance(result, tuple) else result
    target = table.labels[index] * (1 - smoothing) + smoothing / 2
    return functional.binary_cross_entropy_with_logits(logits.squeeze(1), target)


def _validation_loss(network: nn.Module, table: Table) -> float:
    logits, _ = outputs(network, table)
    return float(functional.binary_cross_entropy_with_logits(torch.from_numpy(logits), table.labels))


def _batches(table: Table, size: int, order: np.random.Generator) -> Iterator[Tensor]:
    """Every example once, in batches of similar length: shuffled, sorted by length within chunks, batches shuffled."""
    shuffled = torch.from_numpy(order.permutation(len(table)))
    batches: list[Tensor] = []
    for chunk in torch.split(shuffled, size * _CHUNK_BATCHES):
        batches += torch.split(chunk[torch.argsort(table.lengths[chunk], stable=True)], size)
    for number in order.permutation(len(batches)):
        yield batches[number]
