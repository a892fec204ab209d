"""How the shipped models are made: sizes of the data, shapes of the networks, lengths of the training."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import onnx

from models.data.datasets import ListingSet, MessageSet, listing_set, message_set
from models.data.image_features import ImageEmbedder
from models.networks.conversation import ConversationShape
from models.networks.listing import ListingShape
from models.shipped.corpus import PARTS, PartName, Sizes, listing_part, message_part
from models.training.loop import TrainingPlan
from streams.features.tokens import TextPipeline

_MESSAGE_SIZES = Sizes(training=200_000, selection=20_000, threshold=30_000, held_out=30_000, unseen=20_000)
_LISTING_SIZES = Sizes(training=20_000, selection=2_000, threshold=10_000, held_out=10_000, unseen=6_000)


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """Everything that decides what comes out, in one place."""

    seed: int = 1
    version: int = 1
    #: The threshold is the lowest that reaches this on the part it is picked on. Alerts are meant to be right 95 times
    #: of 100; the rest is a margin for phrasings that neither training nor that part has seen.
    wanted_precision: float = 0.97
    message_sizes: Sizes = _MESSAGE_SIZES
    listing_sizes: Sizes = _LISTING_SIZES
    #: Of a domain's windows some 4 % violate even in the rich parts; so many others are kept for each of them.
    message_negatives_per_positive: float = 3.0
    message_shape: ConversationShape = field(default_factory=ConversationShape)
    listing_shape: ListingShape = field(default_factory=ListingShape)
    message_training: TrainingPlan = field(
        default_factory=lambda: TrainingPlan(epochs=6, label_smoothing=0.05, weight_decay=0.0)
    )
    listing_training: TrainingPlan = field(default_factory=lambda: TrainingPlan(epochs=8))
    #: Whether to measure what the parts are worth; trains each message model again on the last message alone.
    ablation: bool = True

    def message_sets(self) -> dict[PartName, MessageSet]:
        """All parts of the generated messages."""
        text = TextPipeline()
        return {
            part: message_set(message_part(part, self.seed, self.message_sizes.of(part)), text)
            for part in PARTS
        }

    def listing_sets(self, encoder: onnx.ModelProto) -> dict[PartName, ListingSet]:
        """All parts of the generated listings, pictures seen through the encoder that is shipped."""
        text, embed = TextPipeline(), ImageEmbedder(encoder)
        return {
            part: listing_set(listing_part(part, self.seed, self.listing_sizes.of(part)), text, embed)
            for part in PARTS
        }

    def for_training(self, plan: TrainingPlan) -> TrainingPlan:
        """That plan under this release's seed."""
        return replace(plan, seed=self.seed)
