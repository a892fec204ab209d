"""What every system of scoring offers: training from a manifest, scores, gates, and a model file of the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from models.data.datasets import ListingSet, MessageSet
from models.data.examples import Kind

if TYPE_CHECKING:
    import onnx

    from models.training.checkpoints import Checkpoints
    from models.training.course import Epoch
    from models.training.device import Device

Examples: TypeAlias = MessageSet | ListingSet

__all__ = ["SYSTEMS", "Context", "Examples", "Kind", "Parts", "System", "Trained", "load_system"]

#: Name in a manifest → `module:attribute` of an object that is a `System`; imported when a manifest names it.
SYSTEMS: Final[Mapping[str, str]] = {
    "kimcnn_bigru": "models.systems.message_network:SYSTEM",
    "message_trunk": "models.systems.message_trunk:SYSTEM",
    "message_head": "models.systems.message_head:SYSTEM",
    "fusion_network": "models.systems.listing_network:SYSTEM",
    "logistic_regression": "models.systems.listing_linear:SYSTEM",
    "gbdt": "models.systems.listing_trees:SYSTEM",
    "multiclass": "models.systems.listing_multiclass:SYSTEM",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a system learns from. Labels are by domain (a manifest's `label` is already renamed), NaN where unknown.

    `training` is sampled as the manifest says, and so is `validation`, which is for choosing the best epoch and
    nothing else: where the data has enough negatives, both hold the same share of positives.
    """

    training: Examples
    validation: Examples


def _ignore(*_: Any) -> None:  # noqa: ANN401 - whatever is reported
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a training: where it runs, who listens, and where its state is kept against a kill.

    `report` is called once an epoch; `advance(done, total)` as often as a system likes, in steps of its own.
    A system without epochs may leave both and `checkpoints` alone: it begins anew after a kill.
    """

    seed: int
    device: Device
    report: Callable[[Epoch], None] = _ignore
    advance: Callable[[int, int], None] = _ignore
    checkpoints: Checkpoints | None = None
    #: One line for the person who waits: "vocabulary: 8,214 words".
    say: Callable[[str], None] = field(default=_ignore)


class Trained(Protocol):
    """One domain's model. Examples may be labelled or not: labels are never looked at."""

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """Probabilities of a violation, float64 [N], in the examples' order."""
        ...

    def gates(self, examples: Examples) -> npt.NDArray[np.float32] | None:
        """Weights of text and image, float32 [N, 2]; None for messages."""
        ...

    def to_onnx(self) -> onnx.ModelProto:
        """The model file: inputs and outputs of its family (docs/contracts.md), vocabulary inside."""
        ...

    def description(self) -> Mapping[str, Any]:
        """What metadata.json shall say of it, as JSON, each where it applies: `network` (its options), `best_epoch`,
        `vocabulary_size`, `aux_names`, `notes` (a list of texts)."""
        ...


class ManifestOptions(Protocol):
    """What a system reads of a manifest: its two sections, as instances of the system's own dataclasses."""

    @property
    def network(self) -> Any:  # noqa: ANN401 - each system's own
        """The section `network:`."""
        ...

    @property
    def training(self) -> Any:  # noqa: ANN401
        """The section `training:`."""
        ...


class System(Protocol):
    """A way of scoring. `network_options` and `training_options` are frozen dataclasses with defaults for every
    field: they are the manifest's `network:` and `training:` sections, and their `__post_init__` raises ValueError
    for what is impossible, or for an option that must be written. Fields may be int, float, bool, str, a Literal, a
    Path, a tuple of one of these, and any of these or None."""

    @property
    def kind(self) -> Kind:
        """What it scores."""
        ...

    @property
    def several_domains(self) -> bool:
        """Whether one training serves the manifest's `domains` together (one softmax), or a single `domain`."""
        ...

    @property
    def partly_labelled(self) -> bool:
        """With several domains: whether an example without a violation counts though a domain's label is unknown."""
        ...

    @property
    def network_options(self) -> type[Any]:
        """Dataclass of the section `network:`."""
        ...

    @property
    def training_options(self) -> type[Any]:
        """Dataclass of the section `training:`."""
        ...

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, Trained]:
        """One `Trained` for each of the domains; `manifest.network` and `.training` hold the options.

        Raises ValueError, in words for the person who wrote the manifest, for data it cannot learn from.
        """
        ...


def load_system(name: str) -> System:
    """The system of that name. Raises KeyError for a name that is not in `SYSTEMS`."""
    module, _, attribute = SYSTEMS[name].partition(":")
    system: System = getattr(import_module(module), attribute)
    return system
