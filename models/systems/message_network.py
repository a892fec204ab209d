"""The message network as a system: KimCNN per message, a GRU both ways, writer and status (design: Mercari's)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from models.data.datasets import MessageSet
from models.data.tables import Table, message_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.data.word_vectors import start_from_word_vectors
from models.export.graph import message_onnx
from models.networks.conversation import ConversationNetwork, ConversationReader, ConversationShape
from models.systems.contract import Context, Examples, Kind, ManifestOptions, Parts
from models.training.course import History
from models.training.loop import TrainingPlan, deterministic, scores, train


@dataclass(frozen=True, slots=True)
class TrainedMessageNetwork:
    """A trained `ConversationNetwork` with its vocabulary."""

    network: ConversationNetwork
    vocabulary: Vocabulary
    history: History

    def scores(self, examples: Examples) -> npt.NDArray[np.float64]:
        """See `Trained`."""
        return scores(self.network, self._table(examples))

    def gates(self, examples: Examples) -> None:
        """Messages have one modality, so there is nothing to weigh."""

    def to_onnx(self) -> onnx.ModelProto:
        """See `Trained`."""
        return message_onnx(self.network, self.vocabulary)

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        return {
            "network": without_directory(dataclasses.asdict(self.network.shape)),
            "vocabulary_size": self.vocabulary.size,
            "best_epoch": self.history.best,
        }

    def _table(self, examples: Examples) -> Table:
        assert isinstance(examples, MessageSet)
        unlabelled = np.zeros(len(examples.features), np.float32)
        return message_table(examples.features, unlabelled, self.vocabulary)


def without_directory(network: dict[str, Any]) -> dict[str, Any]:
    """Where the word vectors lay on the machine that trained is nobody's business."""
    vectors = network["word_vectors"]
    return network if vectors is None else {**network, "word_vectors": Path(vectors).name}


def start_words(network: ConversationReader, vocabulary: Vocabulary, context: Context) -> None:
    """Start the network's embedding from the file that its shape names, if any. Raises ValueError for such a file."""
    vectors = network.shape.word_vectors
    if vectors is None:
        return
    try:
        coverage = start_from_word_vectors(network.sentences.embedding.weight, vocabulary, Path(vectors))
    except OSError as error:
        raise ValueError(f"word_vectors: {vectors}: {error.strerror}") from error
    context.say(f"word vectors: {coverage}")


class _MessageNetworkSystem:
    kind: Final[Kind] = "message"
    several_domains: Final = False
    partly_labelled: Final = False
    network_options: Final = ConversationShape
    training_options: Final = TrainingPlan

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedMessageNetwork]:
        """See `System`."""
        (domain,) = domains
        training, validation = parts.training, parts.validation
        assert isinstance(training, MessageSet)
        assert isinstance(validation, MessageSet)
        vocabulary = build_vocabulary(tokens for window in training.features for tokens in window.tokens)
        context.say(f"vocabulary: {vocabulary.size:,} words")
        deterministic(context.seed)
        network = ConversationNetwork(vocabulary.size, manifest.network)
        start_words(network, vocabulary, context)
        history = train(
            network,
            message_table(training.features, training.labels[domain], vocabulary),
            message_table(validation.features, validation.labels[domain], vocabulary),
            manifest.training,
            context.report,
            device=context.device,
            checkpoints=context.checkpoints,
            advance=context.advance,
            as_trained=True,
        )
        return {domain: TrainedMessageNetwork(network, vocabulary, history)}


SYSTEM: Final = _MessageNetworkSystem()
