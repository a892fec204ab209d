"""A trunk for many domains as a system: learnt with all of them together, frozen, then a head for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from models.data.datasets import MessageSet
from models.data.tables import Table, message_table
from models.data.vocabulary import Vocabulary, build_vocabulary
from models.export.trunk import trunk_onnx
from models.networks.conversation import ConversationShape
from models.networks.trunk import HeadShape, JointNetwork, MessageTrunk
from models.systems.contract import Context, Kind, ManifestOptions, Parts
from models.systems.frozen_trunk import FrozenTrunk
from models.systems.message_head import HeadTraining, TrainedHead, train_head
from models.systems.message_network import start_words, without_directory
from models.training.course import History
from models.training.loop import TrainingPlan, deterministic, train


@dataclass(frozen=True, slots=True)
class TrunkOptions(ConversationShape):
    """The section `network:`: the trunk's shape, and that of the heads."""

    head: HeadShape = field(default_factory=HeadShape)


@dataclass(frozen=True, slots=True)
class TrunkTraining(TrainingPlan):
    """The section `training:`: of all domains together, then of each head."""

    heads: HeadTraining = field(default_factory=HeadTraining)


@dataclass(frozen=True, slots=True)
class TrainedTrunkHead(TrainedHead):
    """A head that came with its trunk; the epochs that were reported are the trunk's."""

    shape: ConversationShape
    vocabulary: Vocabulary
    joint: History

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        own = TrainedHead.description(self)
        trunk = {**own["network"]["trunk"], **without_directory(dataclasses.asdict(self.shape))}
        return {
            "network": {**own["network"], "trunk": trunk},
            "vocabulary_size": self.vocabulary.size,
            "best_epoch": self.joint.best,
        }


def train_trunk(
    domains: tuple[str, ...], parts: Parts, options: TrunkOptions, plan: TrainingPlan, context: Context
) -> tuple[FrozenTrunk, Vocabulary, History]:
    """A trunk from all the domains' labels together (Caruana 1997). An example counts for the domains it is labelled for.

    Labels rather than self-supervision: the trunk reads windows of some fifteen words with a third of a million
    weights, which a domain's own labels teach in minutes, and no unlabelled text is needed.
    """
    assert isinstance(parts.training, MessageSet)
    vocabulary = build_vocabulary(tokens for window in parts.training.features for tokens in window.tokens)
    context.say(f"vocabulary: {vocabulary.size:,} words")
    deterministic(context.seed)
    trunk = MessageTrunk(vocabulary.size, options)
    start_words(trunk, vocabulary, context)
    history = train(
        JointNetwork(trunk, len(domains), options.head),
        _table(parts.training, domains, vocabulary),
        _table(parts.validation, domains, vocabulary),
        plan,
        context.report,
        device=context.device,
        checkpoints=context.checkpoints,
        advance=context.advance,
    )
    return FrozenTrunk(trunk_onnx(trunk, vocabulary)), vocabulary, history


def _table(examples: Any, domains: tuple[str, ...], vocabulary: Vocabulary) -> Table:  # noqa: ANN401 - a MessageSet
    labels = np.stack([examples.labels[domain] for domain in domains], axis=1)
    return message_table(examples.features, labels, vocabulary)


class _MessageTrunkSystem:
    kind: Final[Kind] = "message"
    several_domains: Final = True
    partly_labelled: Final = True
    network_options: Final = TrunkOptions
    training_options: Final = TrunkTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedTrunkHead]:
        """See `System`. The heads of the joint training are thrown away: each is trained anew on the frozen trunk,
        as it will be whenever it alone is trained again."""
        options, plan = manifest.network, manifest.training
        trunk, vocabulary, history = train_trunk(domains, parts, options, plan, context)
        quiet = Context(seed=context.seed, device=context.device)
        found: dict[str, TrainedTrunkHead] = {}
        for domain in domains:
            head = train_head(trunk, domain, parts, options.head, plan.heads, context=quiet)
            context.say(f"head {domain}: best of {len(head.history.epochs)} epochs is {head.history.best}")
            found[domain] = TrainedTrunkHead(
                head.trunk, head.head, head.history, options, vocabulary, history
            )
        return found


SYSTEM: Final = _MessageTrunkSystem()
