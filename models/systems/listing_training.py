"""How listing networks are trained: AdamW at a pace of its own per branch, and weights averaged over the last steps.

AdaBound, which the message model takes, is no use here: with a few thousand listings it needs steps so small that
the picture is learnt by heart before a rare word has moved.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.data.tables import Table
from models.systems.contract import Context
from models.training.course import Course, History
from models.training.device import Device

#: What a network answers and the labels [B] (or [B, C]) to the mean loss.
Loss = Callable[[Any, Tensor], Tensor]
#: Indices of one epoch's examples, int64 [n], in the order in which they are learnt.
Draw = Callable[[np.random.Generator], Tensor]

_SCORING_BATCH = 256


@dataclass(frozen=True, slots=True)
class ListingTraining:
    """How long and how fast. The rates were chosen on the validation part of 5,500 film posters, for two labels."""

    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 2e-3
    #: Decoupled (Loshchilov and Hutter 2019): a step shrinks a weight by learning_rate * weight_decay.
    weight_decay: float = 0.1
    #: Factors on the learning rate of the word vectors, and of what is multiplied with the picture's 1280 features.
    text_rate: float = 0.5
    image_rate: float = 0.2
    #: The weights that are kept are a running mean over about 1 / (1 - averaging) steps, of a short training over at
    #: most a third of its steps: the first weights would count too much. 0 keeps the last ones.
    averaging: float = 0.995
    label_smoothing: float = 0.02
    #: Epochs without a better validation loss after which to stop; None trains them all.
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2:
            raise ValueError("at least one epoch and batches of at least two are needed")
        if min(self.learning_rate, self.text_rate, self.image_rate) <= 0 or self.weight_decay < 0:
            raise ValueError(
                "learning_rate, text_rate and image_rate must be above 0, weight_decay not below"
            )
        if not (0 <= self.averaging < 1 and 0 <= self.label_smoothing < 1):
            raise ValueError("averaging and label_smoothing lie within 0..1, 1 excluded")
        if self.patience is not None and self.patience < 1:
            raise ValueError("patience is at least one epoch")


def binary_loss(label_smoothing: float) -> Loss:
    """Cross-entropy of a listing network's logits against 0 and 1, drawn towards the middle by `label_smoothing`."""

    def loss(answer: tuple[Tensor, Tensor], labels: Tensor) -> Tensor:
        target = labels * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(answer[0].squeeze(1).float(), target)

    return loss


def every_example(count: int) -> Draw:
    """All examples once an epoch, in random order."""
    return lambda order: torch.from_numpy(order.permutation(count))


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt: the parts, the loss of training and that of choosing the epoch, and which examples when."""

    training: Table
    validation: Table
    loss: Loss
    validation_loss: Loss
    draw: Draw


def train_listing_network(
    network: nn.Module, lesson: Lesson, plan: ListingTraining, context: Context, *, seed: int
) -> History:
    """Train in place; the network ends on the CPU, in evaluation mode, with the best epoch's averaged weights.

    Cosine decay of the learning rate; the best epoch is the one with the least validation loss. With
    `context.checkpoints` a training that was killed goes on from its last epoch, to the same bits on a CPU. Raises
    ArithmeticError where no epoch had a finite validation loss.
    """
    network.to(context.device.torch)
    course = _Course(network, lesson, plan, context.device, seed)
    return course.run(context.report, context.advance, context.checkpoints)


class _Course(Course):
    """AdamW at its paces, and the averaged weights."""

    def __init__(
        self, network: nn.Module, lesson: Lesson, plan: ListingTraining, device: Device, seed: int
    ) -> None:
        super().__init__(network, epochs=plan.epochs, patience=plan.patience, seed=seed)
        self.lesson, self.plan, self.device = lesson, plan, device
        self.optimiser = torch.optim.AdamW(_paced(network, plan), lr=plan.learning_rate)
        self.averaged = copy.deepcopy(network).eval()
        self._rates = [float(group["lr"]) for group in self.optimiser.param_groups]

    def run_epoch(self, advance: Callable[[int, int], None]) -> tuple[float, float]:
        """One pass over what is drawn, and the averaged weights' validation loss."""
        lesson, plan = self.lesson, self.plan
        drawn = lesson.draw(self.order)
        # A batch of one would have no variance to normalise by: it joins the one before it.
        batches = drawn.tensor_split(max(1, len(drawn) // plan.batch_size))
        ahead = len(batches) * (plan.epochs - len(self.epochs))
        total_steps = self.steps_done + ahead
        averaging = min(plan.averaging, 1 - 1 / max(1.0, total_steps / 3))
        total = 0.0
        self.network.train()
        for index in batches:
            self._pace(self.steps_done / total_steps)
            total += self._step(index, averaging) * len(index)
            self.steps_done += 1
            advance(self.steps_done, total_steps)
        return total / len(drawn), self._validation_loss()

    @property
    def weights(self) -> dict[str, Tensor]:
        """The averaged ones."""
        return self.averaged.state_dict()

    def state(self) -> dict[str, Any]:
        """See `Course`."""
        own = {"averaged": self.averaged.state_dict(), "optimiser": self.optimiser.state_dict()}
        return super().state() | own

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `Course`."""
        super().restore(state)
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _pace(self, done: float) -> None:
        for group, rate in zip(self.optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * (1 + math.cos(math.pi * done)) / 2

    def _step(self, index: Tensor, averaging: float) -> float:
        table = self.lesson.training
        with self.device.autocast():
            answer = self.network(*self.device.moved(table.batch(index)))
        loss = self.lesson.loss(answer, table.labels[index].to(self.device.torch))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self._average(averaging)
        return float(loss.detach())

    @torch.no_grad()
    def _average(self, averaging: float) -> None:
        for mean, now in zip(self.averaged.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - averaging)
        # Batch statistics are running means already.
        for kept, current in zip(self.averaged.buffers(), self.network.buffers(), strict=True):
            kept.copy_(current)

    @torch.no_grad()
    def _validation_loss(self) -> float:
        table, total = self.lesson.validation, 0.0
        for index in torch.split(torch.argsort(table.lengths, stable=True), _SCORING_BATCH):
            answer = self.averaged(*self.device.moved(table.batch(index)))
            labels = table.labels[index].to(self.device.torch)
            total += float(self.lesson.validation_loss(answer, labels)) * len(index)
        return total / len(table)


def _paced(network: nn.Module, plan: ListingTraining) -> list[dict[str, Any]]:
    """Parameter groups: the text branch (word vectors), what multiplies the picture's features, and the rest."""
    words: list[Tensor] = []
    picture: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in network.named_parameters():
        if name.startswith("text."):
            words.append(parameter)
        elif name.endswith(("fusion.image.weight", "fusion.gate.weight", "picture.weight")):
            picture.append(parameter)
        else:
            others.append(parameter)
    rates = ((words, plan.text_rate), (picture, plan.image_rate), (others, 1.0))
    return [
        {"params": some, "lr": plan.learning_rate * rate, "weight_decay": plan.weight_decay}
        for some, rate in rates
        if some
    ]
