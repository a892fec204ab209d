"""A training under way: its epochs, the best of them, its chance, and all of it kept against a kill."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.training.checkpoints import Checkpoints


@dataclass(frozen=True, slots=True)
class Epoch:
    """Mean loss after an epoch, on the training and on the validation part."""

    number: int
    training_loss: float
    validation_loss: float


@dataclass(frozen=True, slots=True)
class History:
    """All epochs, and the number of the one whose weights were kept."""

    epochs: tuple[Epoch, ...]
    best: int


class Course(ABC):
    """Epoch after epoch until all are done, or `patience` of them in a row brought nothing.

    A subclass says what an epoch does and which weights it leaves, and adds to `state` and `restore` what else the
    rest of its training depends on.
    """

    def __init__(self, network: nn.Module, *, epochs: int, patience: int | None, seed: int) -> None:
        self.network = network
        self.order = np.random.default_rng(seed)
        self.steps_done = 0
        self.epochs: list[Epoch] = []
        self._wanted, self._patience = epochs, patience
        self._best, self._best_loss = 0, math.inf
        self._best_weights: dict[str, Tensor] = {}

    def run(
        self,
        report: Callable[[Epoch], None],
        advance: Callable[[int, int], None],
        checkpoints: Checkpoints | None,
    ) -> History:
        """Train to the end; the network gets its best epoch's weights, on the CPU, in evaluation mode.

        With `checkpoints` the state is kept after every epoch, and one that is found is gone on from: on a CPU to the
        same bits as without the interruption. `report` then hears the epochs of before again. Raises ArithmeticError
        where no epoch had a finite validation loss.
        """
        saved = checkpoints.load() if checkpoints is not None else None
        if saved is not None:
            self.restore(saved)
            for epoch in self.epochs:
                report(epoch)
        while not self._over:
            losses = self.run_epoch(advance)
            epoch = Epoch(len(self.epochs) + 1, *losses)
            self.epochs.append(epoch)
            if epoch.validation_loss < self._best_loss:
                self._best, self._best_loss = epoch.number, epoch.validation_loss
                self._best_weights = copy.deepcopy(self.weights)
            if checkpoints is not None:
                checkpoints.save(self.state())
            report(epoch)
        if self._best == 0:
            raise ArithmeticError(f"no epoch had a finite validation loss: {self.epochs}")
        self.network.load_state_dict(self._best_weights)
        self.network.to("cpu").eval()
        return History(tuple(self.epochs), self._best)

    @abstractmethod
    def run_epoch(self, advance: Callable[[int, int], None]) -> tuple[float, float]:
        """One pass; the mean training loss and the validation loss. `advance` hears of every batch."""

    @property
    def weights(self) -> dict[str, Tensor]:
        """Those that the validation loss was measured of, and that are kept."""
        return self.network.state_dict()

    def state(self) -> dict[str, Any]:
        """For a checkpoint: every number that the rest of the training depends on, those of chance among them."""
        return {
            "network": self.network.state_dict(),
            "best_weights": self._best_weights,
            "epochs": [asdict(epoch) for epoch in self.epochs],
            "best": self._best,
            "best_loss": self._best_loss,
            "steps_done": self.steps_done,
            "order": self.order.bit_generator.state,
            "chance": torch.get_rng_state(),
            "gpu_chance": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Be where the training was when `state` was taken."""
        self.network.load_state_dict(state["network"])
        self.epochs = [Epoch(**epoch) for epoch in state["epochs"]]
        self._best, self._best_loss = state["best"], state["best_loss"]
        self._best_weights = state["best_weights"]
        self.steps_done = state["steps_done"]
        self.order.bit_generator.state = state["order"]
        torch.set_rng_state(state["chance"])
        if state["gpu_chance"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state["gpu_chance"])

    @property
    def _over(self) -> bool:
        waited = len(self.epochs) - self._best
        impatient = self._best > 0 and self._patience is not None and waited >= self._patience
        return len(self.epochs) >= self._wanted or impatient
