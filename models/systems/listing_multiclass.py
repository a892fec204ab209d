"""Several domains in one network with a neutral class (as Etsy's listing classifier), one model file per domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from models.data.datasets import ListingSet
from models.data.tables import Table, listing_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.networks.multiclass import AlbertText, MulticlassNetwork, MulticlassShape, OneClass, focal_loss
from models.systems.albert_words import pretrained_albert, small_albert
from models.systems.contract import Context, Kind, ManifestOptions, Parts
from models.systems.listing_inputs import listing_sets, listing_statistics
from models.systems.listing_training import Draw, Lesson, ListingTraining, Loss, train_listing_network
from models.systems.trained_listing import TrainedListing
from models.training.course import History
from models.training.loop import deterministic
from streams.features.auxiliary import AUX_NAMES

_NEUTRAL: Final = 0


@dataclass(frozen=True, slots=True)
class MulticlassOptions:
    """The section `network:`. See `MulticlassShape` for the fields that it shares.

    `albert` is a path or hub name of a pre-trained ALBERT with its tokeniser; `texts` a file whose words get their
    vectors from its sub-words. Without `albert` one of the sizes below is trained from scratch.
    """

    albert: str | None = None
    texts: Path | None = None
    embedding_width: int = 64
    hidden: int = 128
    layers: int = 2
    heads: int = 4
    docked: int = 64
    dropout: float = 0.3
    image_dropout: float = 0.15
    text_dropout: float = 0.10
    text: bool = True
    image: bool = True
    aux: bool = True

    def __post_init__(self) -> None:
        if min(self.embedding_width, self.hidden, self.layers, self.heads) < 1:
            raise ValueError("embedding_width, hidden, layers and heads must be at least 1")
        if self.hidden % self.heads:
            raise ValueError(f"hidden is {self.hidden}: it must be a multiple of heads, {self.heads}")
        if self.texts is not None and self.albert is None:
            raise ValueError("texts only serves a pre-trained albert: name one, or leave texts out")
        _ = self.shape  # refuses impossible values

    @property
    def shape(self) -> MulticlassShape:
        """What lies behind the text encoder."""
        return MulticlassShape(**{field.name: getattr(self, field.name) for field in fields(MulticlassShape)})


@dataclass(frozen=True, slots=True)
class MulticlassTraining:
    """The section `training:`. `easy_negatives_per_positive`: neutral listings that each epoch draws anew for each
    violating one. `focal_gamma` 0 is cross-entropy. A pre-trained encoder wants a `text_rate` of about 0.05."""

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    text_rate: float = 1.0
    image_rate: float = 0.4
    averaging: float = 0.99
    focal_gamma: float = 2.0
    easy_negatives_per_positive: float = 1.0
    patience: int | None = None

    def __post_init__(self) -> None:
        if self.focal_gamma < 0 or self.easy_negatives_per_positive < 0:
            raise ValueError("focal_gamma and easy_negatives_per_positive must not be below 0")
        _ = self.pace  # refuses impossible values

    @property
    def pace(self) -> ListingTraining:
        """The same for the training loop, whose label smoothing the focal loss stands in for."""
        return ListingTraining(
            epochs=self.epochs, batch_size=self.batch_size, learning_rate=self.learning_rate,
            weight_decay=self.weight_decay, text_rate=self.text_rate, image_rate=self.image_rate,
            averaging=self.averaging, label_smoothing=0.0, patience=self.patience,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrainedClass(TrainedListing):
    """One class of a trained network that all classes share: its score is its softmax, and its file the whole network."""

    network: OneClass
    options: MulticlassOptions
    history: History
    classes: tuple[str, ...]

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        options = asdict(self.options)
        options["texts"] = None if self.options.texts is None else self.options.texts.name
        return {
            "network": options,
            "classes": list(self.classes),
            "column": self.network.column,
            "vocabulary_size": self.vocabulary.size,
            "best_epoch": self.history.best,
            "aux_names": list(AUX_NAMES),
        }


def class_table(found: ListingSet, domains: tuple[str, ...], vocabulary: Vocabulary) -> Table:
    """Inputs and labels float32 [N, 1 + domains] that sum to 1: neutral first.

    A listing that violates several domains is shared evenly among them. One without a known violation and with an
    unknown label could be anything and is left out.
    """
    labels = np.stack([found.labels[domain] for domain in domains], axis=1)
    positive = labels == 1
    clean = (labels == 0).all(axis=1)
    kept = np.flatnonzero(positive.any(axis=1) | clean)
    shares = np.concatenate([clean[:, np.newaxis], positive], axis=1)[kept].astype(np.float32)
    shares /= shares.sum(axis=1, keepdims=True)
    features = [found.features[place] for place in kept]
    table = listing_table(features, np.zeros(len(features), np.float32), vocabulary)
    return replace(table, labels=torch.from_numpy(shares))


def drawn_neutrals(labels: Tensor, easy_negatives_per_positive: float) -> Draw:
    """Every violating listing of `labels` [N, C], and so many neutral ones for each, chosen anew every epoch."""
    neutral = torch.nonzero(labels[:, _NEUTRAL] == 1)[:, 0].numpy()
    violating = torch.nonzero(labels[:, _NEUTRAL] == 0)[:, 0].numpy()
    wanted = min(len(neutral), round(len(violating) * easy_negatives_per_positive))

    def draw(order: np.random.Generator) -> Tensor:
        easy = order.choice(neutral, wanted, replace=False)
        return torch.from_numpy(order.permutation(np.concatenate([violating, easy])))

    return draw


def _focal(gamma: float) -> Loss:
    return lambda answer, labels: focal_loss(answer[0], labels, gamma)


class _MulticlassSystem:
    kind: Final[Kind] = "listing"
    several_domains: Final = True
    partly_labelled: Final = False
    network_options: Final = MulticlassOptions
    training_options: Final = MulticlassTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedClass]:
        """See `System`."""
        training, validation = listing_sets(parts.training, parts.validation)
        options: MulticlassOptions = manifest.network
        plan: MulticlassTraining = manifest.training
        vocabulary = build_vocabulary(listing.tokens for listing in training.features)
        context.say(f"vocabulary: {vocabulary.size:,} words")
        table = class_table(training, domains, vocabulary)
        for column, domain in enumerate(domains, start=1):
            if not bool((table.labels[:, column] > 0).any()):
                raise ValueError(f"the training part has no listing of {domain!r}: nothing to learn it from")
        deterministic(context.seed)
        network = MulticlassNetwork(
            listing_statistics(training, vocabulary), _text(options, vocabulary, context), options.shape,
            1 + len(domains),
        )  # fmt: skip
        loss = _focal(plan.focal_gamma)
        lesson = Lesson(
            table, class_table(validation, domains, vocabulary), loss, loss,
            drawn_neutrals(table.labels, plan.easy_negatives_per_positive),
        )  # fmt: skip
        history = train_listing_network(network, lesson, plan.pace, context, seed=context.seed)
        classes = ("neutral", *domains)
        return {
            domain: TrainedClass(
                OneClass(network, column, len(classes)).eval(), vocabulary, options, history, classes
            )
            for column, domain in enumerate(domains, start=1)
        }


def _text(options: MulticlassOptions, vocabulary: Vocabulary, context: Context) -> AlbertText:
    if options.albert is not None:
        return pretrained_albert(options.albert, vocabulary, options.texts, context.say)
    return small_albert(
        vocabulary, embedding_width=options.embedding_width, hidden=options.hidden, layers=options.layers,
        heads=options.heads, dropout=0.1,
    )  # fmt: skip


SYSTEM: Final = _MulticlassSystem()
