"""The training loop: AdaBound with cosine decay, the best epoch by validation loss, reproducible by seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.data.tables import Table
from models.training.adabound import AdaBound
from models.training.checkpoints import Checkpoints
from models.training.course import Course, Epoch, History
from models.training.device import Device

_CHUNK_BATCHES = 32
_SCORING_BATCH = 256


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast to train."""

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    #: Of the plain gradient descent that AdaBound turns into. An embedding's rows are rarely seen: large vocabularies
    #: want 1 or 2, where 0.1 (the paper's) leaves them almost as they began.
    final_learning_rate: float = 0.1
    #: Smoothing keeps the logits of separable data finite, so that scores above the threshold still have an order.
    label_smoothing: float = 0.02
    weight_decay: float = 1e-5
    seed: int = 1
    #: Epochs without a better validation loss after which to stop; None trains them all.
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError("a plan needs at least one epoch and batches of at least two")
        if self.final_learning_rate <= 0:
            raise ValueError("a plan needs a final_learning_rate above 0")
        if self.learning_rate <= 0 or self.weight_decay < 0 or not 0 <= self.label_smoothing < 1:
            raise ValueError(
                "a plan needs a learning_rate above 0, a weight_decay not below 0 and a label_smoothing within 0..1"
            )
        if self.patience is not None and self.patience < 1:
            raise ValueError("a plan's patience is at least one epoch")


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
    *,
    device: Device | None = None,
    checkpoints: Checkpoints | None = None,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
    as_trained: bool = False,
) -> History:
    """Train in place and leave the network with its best epoch's weights, on the CPU, in evaluation mode.

    With `checkpoints` the state is kept after every epoch, and a call with the same arguments that finds one goes on
    from it: on a CPU it ends with the same bits as a training that was never interrupted. `report` then hears the
    epochs of before again. `advance` hears of every batch: done and total over all epochs.

    `as_trained` weighs validation examples so that positives count for as much as among the training examples. A
    network learns their share too, and where fewer validate the plain loss is least before anything else is learnt.

    Raises ArithmeticError where no epoch had a finite validation loss.
    """
    device = device or Device()
    network.to(device.torch)
    weights = _class_weights(training, validation) if as_trained else None
    return _Course(network, training, validation, plan, device=device, class_weights=weights).run(
        report, advance, checkpoints
    )


class _Course(Course):
    """AdaBound and its cosine decay."""

    def __init__(
        self,
        network: nn.Module,
        training: Table,
        validation: Table,
        plan: TrainingPlan,
        *,
        device: Device,
        class_weights: Tensor | None,
    ) -> None:
        super().__init__(network, epochs=plan.epochs, patience=plan.patience, seed=plan.seed)
        self._training, self._validation, self._plan, self._device = training, validation, plan, device
        self._class_weights = class_weights
        self._optimiser = AdaBound(
            network.parameters(),
            lr=plan.learning_rate,
            final_lr=plan.final_learning_rate,
            weight_decay=plan.weight_decay,
        )
        self._steps_of_all = plan.epochs * math.ceil(len(training) / plan.batch_size)
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimiser, self._steps_of_all)

    def run_epoch(self, advance: Callable[[int, int], None]) -> tuple[float, float]:
        """Every training example once."""
        total = 0.0
        self.network.train()
        for index in _batches(self._training, self._plan.batch_size, self.order):
            total += self._step(index) * len(index)
            advance(self.steps_done, self._steps_of_all)
        validated = _validation_loss(self.network, self._validation, self._device, self._class_weights)
        return total / len(self._training), validated

    def state(self) -> dict[str, Any]:
        """See `Course`."""
        own = {"optimiser": self._optimiser.state_dict(), "schedule": self._schedule.state_dict()}
        return super().state() | own

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Course`."""
        super().restore(state)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])

    def _step(self, index: Tensor) -> float:
        loss = _loss(self.network, self._training, index, self._plan.label_smoothing, self._device)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._schedule.step()
        self.steps_done += 1
        return float(loss.detach())


@torch.no_grad()
def outputs(
    network: nn.Module, table: Table, device: Device | None = None
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
    """Logits, shaped as the table's labels, and, of a listing model, gates float32 [N, 2], in the table's order.

    Always in float32; the network must be on `device` (the CPU, if not said).
    """
    device = device or Device()
    network.eval()
    logits = torch.empty_like(table.labels)
    gates: Tensor | None = None
    for index in torch.split(torch.argsort(table.lengths, stable=True), _SCORING_BATCH):
        result = network(*device.moved(table.batch(index)))
        if isinstance(result, tuple):
            gates = torch.empty(len(table), 2) if gates is None else gates
            gates[index] = result[1].cpu()
            result = result[0]
        logits[index] = result.cpu().view_as(logits[index])
    return logits.numpy(), None if gates is None else gates.numpy()


def scores(network: nn.Module, table: Table) -> npt.NDArray[np.float64]:
    """Probabilities float64, shaped as the table's labels, in its order."""
    logits, _ = outputs(network, table)
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def _loss(network: nn.Module, table: Table, index: Tensor, smoothing: float, device: Device) -> Tensor:
    with device.autocast():
        result = network(*device.moved(table.batch(index)))
    logits = result[0] if isinstance(result, tuple) else result
    target = (table.labels[index] * (1 - smoothing) + smoothing / 2).to(device.torch)
    return _mean_loss(logits.view_as(target).float(), target)


def _validation_loss(network: nn.Module, table: Table, device: Device, weights: Tensor | None) -> float:
    logits, _ = outputs(network, table, device)
    return float(_mean_loss(torch.from_numpy(logits), table.labels, weights))


def _mean_loss(logits: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean cross-entropy over what is labelled. Of several domains, each counts for as much as the others in a batch
    where all are labelled; where a data set knows only its own domain, for as much as it has labels."""
    if target.ndim == 1:
        return functional.binary_cross_entropy_with_logits(logits, target, weight=weights)
    known = ~target.isnan()
    return functional.binary_cross_entropy_with_logits(logits[known], target[known])


def _class_weights(training: Table, validation: Table) -> Tensor | None:
    """float32 [N] of mean 1; None where one of the tables has a single class."""
    trained, validated = float(training.labels.mean()), float(validation.labels.mean())
    if not (0 < trained < 1 and 0 < validated < 1):
        return None
    positive, negative = trained / validated, (1 - trained) / (1 - validated)
    return torch.where(validation.labels > 0.5, positive, negative)


def _batches(table: Table, size: int, order: np.random.Generator) -> Iterator[Tensor]:
    """Every example once, in batches of similar length: shuffled, sorted by length within chunks, batches shuffled."""
    shuffled = torch.from_numpy(order.permutation(len(table)))
    batches: list[Tensor] = []
    for chunk in torch.split(shuffled, size * _CHUNK_BATCHES):
        batches += torch.split(chunk[torch.argsort(table.lengths[chunk], stable=True)], size)
    for number in order.permutation(len(batches)):
        yield batches[number]
