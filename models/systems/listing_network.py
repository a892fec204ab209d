"""The listing network as a system: TF-IDF text, image features and auxiliary values, fused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from models.data.datasets import ListingSet
from models.data.tables import Table, listing_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.export.graph import listing_onnx
from models.manifests import Manifest
from models.networks.listing import ListingNetwork, ListingShape
from models.shipped.release import listing_statistics
from models.systems.contract import Context, Examples, Kind, Parts
from models.training.loop import History, TrainingPlan, deterministic, outputs, scores, train
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH


@dataclass(frozen=True, slots=True)
class TrainedListingNetwork:
    """A trained `ListingNetwork` with its vocabulary."""

    network: ListingNetwork
    vocabulary: Vocabulary
    history: History

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """See `Trained`."""
        return scores(self.network, self._table(examples))

    def gates(self, examples: Examples) -> npt.NDArray[np.float32] | None:
        """See `Trained`."""
        return outputs(self.network, self._table(examples))[1]

    def to_onnx(self) -> onnx.ModelProto:
        """See `Trained`."""
        return listing_onnx(self.network, self.vocabulary, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES))

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        return {
            "network": dataclasses.asdict(self.network.shape),
            "vocabulary_size": self.vocabulary.size,
            "best_epoch": self.history.best,
            "aux_names": list(AUX_NAMES),
        }

    def _table(self, examples: Examples) -> Table:
        assert isinstance(examples, ListingSet)
        unlabelled = np.zeros(len(examples.features), np.float32)
        return listing_table(examples.features, unlabelled, self.vocabulary)


class _ListingNetworkSystem:
    kind: Final[Kind] = "listing"
    several_domains: Final = False
    network_options: Final = ListingShape
    training_options: Final = TrainingPlan

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: Manifest, context: Context
    ) -> Mapping[str, TrainedListingNetwork]:
        """See `System`."""
        (domain,) = domains
        training, validation = parts.training, parts.validation
        assert isinstance(training, ListingSet)
        assert isinstance(validation, ListingSet)
        vocabulary = build_vocabulary(listing.tokens for listing in training.features)
        context.say(f"vocabulary: {vocabulary.size:,} words")
        statistics = listing_statistics(training, vocabulary)
        deterministic(context.seed)
        network = ListingNetwork(statistics, manifest.network)
        history = train(
            network,
            listing_table(training.features, training.labels[domain], vocabulary),
            listing_table(validation.features, validation.labels[domain], vocabulary),
            manifest.training,
            context.report,
            device=context.device,
            checkpoints=context.checkpoints,
            advance=context.advance,
            as_trained=True,
        )
        return {domain: TrainedListingNetwork(network, vocabulary, history)}


SYSTEM: Final = _ListingNetworkSystem()
