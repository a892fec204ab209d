"""The listing network as a system: TF-IDF text, image features and auxiliary values, fused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from models.data.tables import listing_table
from models.data.vocabulary import build_vocabulary
from models.networks.fusion import FusionName
from models.networks.listing import ListingEnsemble, ListingNetwork, ListingShape
from models.systems.contract import Context, Kind, ManifestOptions, Parts
from models.systems.listing_inputs import listing_sets, listing_statistics
from models.systems.listing_training import (
    Lesson,
    ListingTraining,
    binary_loss,
    every_example,
    train_listing_network,
)
from models.systems.trained_listing import TrainedListing
from models.training.checkpoints import Checkpoints
from models.training.course import Epoch, History
from models.training.loop import deterministic
from streams.features.auxiliary import AUX_NAMES


@dataclass(frozen=True, slots=True)
class FusionNetworkOptions:
    """The section `network:`. The defaults are for some thousand listings; see `ListingShape` for each field.

    `members` networks that start differently are trained one after another and answer with their mean: worth about
    one point of AUROC, at as many times the cost.
    """

    fusion: FusionName = "gmu"
    batch_norm: bool = False
    maxout: bool = True
    text_width: int = 16
    fused_width: int = 16
    hidden: int = 32
    dropout: float = 0.1
    image_dropout: float = 0.15
    text_dropout: float = 0.05
    word_dropout: float = 0.5
    feature_dropout: float = 0.5
    text_start: float = 0.02
    image_start: float = 0.1
    text: bool = True
    image: bool = True
    aux: bool = True
    members: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.members <= 16:
            raise ValueError(f"members is {self.members}; an ensemble has 1 to 16")
        _ = self.shape  # refuses impossible values

    @property
    def shape(self) -> ListingShape:
        """The shape of each member."""
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        del values["members"]
        return ListingShape(**values)


@dataclass(frozen=True, slots=True)
class TrainedListingNetwork(TrainedListing):
    """Trained members with their vocabulary; a history for each."""

    options: FusionNetworkOptions
    histories: tuple[History, ...]

    def description(self) -> Mapping[str, Any]:
        """See `Trained`. `best_epoch` is the first member's; `best_epochs` has all of them."""
        return {
            "network": dataclasses.asdict(self.options),
            "vocabulary_size": self.vocabulary.size,
            "best_epoch": self.histories[0].best,
            "best_epochs": [history.best for history in self.histories],
            "aux_names": list(AUX_NAMES),
        }


class _ListingNetworkSystem:
    kind: Final[Kind] = "listing"
    several_domains: Final = False
    partly_labelled: Final = False
    network_options: Final = FusionNetworkOptions
    training_options: Final = ListingTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedListingNetwork]:
        """See `System`."""
        (domain,) = domains
        training, validation = listing_sets(parts.training, parts.validation)
        options: FusionNetworkOptions = manifest.network
        plan: ListingTraining = manifest.training
        vocabulary = build_vocabulary(listing.tokens for listing in training.features)
        context.say(f"vocabulary: {vocabulary.size:,} words")
        statistics = listing_statistics(training, vocabulary)
        table = listing_table(training.features, training.labels[domain], vocabulary)
        lesson = Lesson(
            table,
            listing_table(validation.features, validation.labels[domain], vocabulary),
            binary_loss(plan.label_smoothing),
            binary_loss(0.0),
            every_example(len(table)),
        )
        members: list[ListingNetwork] = []
        histories: list[History] = []
        for number in range(options.members):
            seed = context.seed + 1000 * number  # far from the seeds that people count up
            deterministic(seed)
            network = ListingNetwork(statistics, options.shape)
            of_member = _context_of(context, number, options.members, plan.epochs)
            histories.append(train_listing_network(network, lesson, plan, of_member, seed=seed))
            members.append(network)
        for number in range(1, options.members):
            extra = _checkpoints_of(context, number)
            if extra is not None:  # the first member's file is the run folder's own, which clears it
                extra.clear()
        return {
            domain: TrainedListingNetwork(ListingEnsemble(members), vocabulary, options, tuple(histories))
        }


def _context_of(context: Context, number: int, members: int, epochs: int) -> Context:
    """The context of one member: a checkpoint file of its own, and progress counted over all members.

    A finished member's file holds its last epoch, so after a kill it is taken up as finished.
    """
    if members == 1:
        return context

    def report(epoch: Epoch) -> None:
        context.report(replace(epoch, number=number * epochs + epoch.number))

    def advance(done: int, total: int) -> None:
        context.advance(number * total + done, members * total)

    return replace(context, report=report, advance=advance, checkpoints=_checkpoints_of(context, number))


def _checkpoints_of(context: Context, number: int) -> Checkpoints | None:
    if context.checkpoints is None or not number:
        return context.checkpoints
    path = context.checkpoints.path
    return Checkpoints(path.with_name(f"{path.stem}-{number}{path.suffix}"))


SYSTEM: Final = _ListingNetworkSystem()
