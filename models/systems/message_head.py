"""A head on a frozen trunk as a system: one domain learnt, deployed and measured alone, the reading shared."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch

from models.data.datasets import MessageSet
from models.data.tables import Table
from models.export.trunk import head_onnx, joined
from models.networks.trunk import HeadShape, MessageHead
from models.systems.contract import Context, Examples, Kind, ManifestOptions, Parts
from models.systems.frozen_trunk import FrozenTrunk
from models.training.course import History
from models.training.loop import TrainingPlan, deterministic, scores, train


@dataclass(frozen=True, slots=True)
class HeadOptions(HeadShape):
    """The section `network:` of a head."""

    #: Directory of a model that holds the trunk: a run's models/NAME, or a version in the model repository.
    trunk: Path = Path()

    def __post_init__(self) -> None:
        # Named, because a dataclass with slots is another class than the one that `super()` without names would find.
        HeadShape.__post_init__(self)
        if self.trunk == Path():
            raise ValueError("a head needs trunk: the directory of a model that holds the trunk")


@dataclass(frozen=True, slots=True)
class HeadTraining:
    """How long and how fast a head learns; an epoch takes well under a second, the trunk being computed once."""

    epochs: int = 30
    batch_size: int = 64
    learning_rate: float = 2e-3
    #: See `TrainingPlan`.
    final_learning_rate: float = 0.5
    label_smoothing: float = 0.02
    weight_decay: float = 1e-5
    patience: int | None = 6

    def __post_init__(self) -> None:
        self.plan(seed=1)

    def plan(self, seed: int) -> TrainingPlan:
        """As the training loop takes it. Raises ValueError for a plan that is impossible."""
        return TrainingPlan(**dataclasses.asdict(self), seed=seed)


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A trained head with the trunk it reads."""

    trunk: FrozenTrunk
    head: MessageHead
    history: History

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """See `Trained`."""
        return scores(
            self.head, vector_table(self.trunk, examples, np.zeros(len(examples.features), np.float32))
        )

    def gates(self, examples: Examples) -> None:
        """Messages have one modality, so there is nothing to weigh."""

    def to_onnx(self) -> onnx.ModelProto:
        """See `Trained`: trunk and head, complete."""
        return joined(self.trunk.model, head_onnx(self.head))

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        return {
            "network": {
                "trunk": {"digest": self.trunk.digest, "width": self.trunk.width},
                **{name: getattr(self.head.shape, name) for name in ("hidden", "dropout")},
            },
            "best_epoch": self.history.best,
        }


def train_head(
    trunk: FrozenTrunk,
    domain: str,
    parts: Parts,
    shape: HeadShape,
    training: HeadTraining,
    *,
    context: Context,
) -> TrainedHead:
    """A head for one domain of the parts; the trunk stays as it is."""
    learning = vector_table(trunk, parts.training, parts.training.labels[domain])
    choosing = vector_table(trunk, parts.validation, parts.validation.labels[domain])
    deterministic(context.seed)
    head = MessageHead(trunk.width, shape)
    head.standardise(learning.inputs[0])
    history = train(
        head,
        learning,
        choosing,
        training.plan(context.seed),
        context.report,
        device=context.device,
        checkpoints=context.checkpoints,
        advance=context.advance,
        as_trained=True,
    )
    return TrainedHead(trunk, head, history)


def vector_table(trunk: FrozenTrunk, examples: Examples, labels: npt.NDArray[np.float32]) -> Table:
    """The trunk's vectors of the labelled examples as a table: [N, width], all of one length."""
    assert isinstance(examples, MessageSet)
    known = ~np.isnan(labels)
    vectors = trunk.vectors([window for window, has in zip(examples.features, known, strict=True) if has])
    return Table(
        (torch.from_numpy(vectors),),
        torch.full((len(vectors),), trunk.width),
        torch.from_numpy(labels[known]),
    )


class _MessageHeadSystem:
    kind: Final[Kind] = "message"
    several_domains: Final = False
    partly_labelled: Final = False
    network_options: Final = HeadOptions
    training_options: Final = HeadTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedHead]:
        """See `System`."""
        (domain,) = domains
        trunk = FrozenTrunk.of(manifest.network.trunk)
        context.say(f"trunk: {trunk.digest[:19]}, {trunk.width} numbers a window")
        return {
            domain: train_head(trunk, domain, parts, manifest.network, manifest.training, context=context)
        }


SYSTEM: Final = _MessageHeadSystem()
