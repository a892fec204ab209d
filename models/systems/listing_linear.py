"""Logistic regression on TF-IDF words, image features and auxiliary values: the baseline that others must beat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from torch import Tensor, nn

from models.data.tables import Table, listing_table
from models.data.vocabulary import build_vocabulary
from models.networks.listing import ListingStatistics, Standardise, TfIdf
from models.systems.contract import Context, Kind, ManifestOptions, Parts
from models.systems.listing_inputs import listing_sets, listing_statistics
from models.systems.trained_listing import TrainedListing
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH


@dataclass(frozen=True, slots=True)
class LinearOptions:
    """The section `network:`. A weight scales a part before the L2 penalty, so a small one keeps it small.

    The TF-IDF vector has length 1 while 1280 standardised features have length 36: without a weight of about 1/36 the
    picture drowns the text.
    """

    text: bool = True
    image: bool = True
    aux: bool = True
    image_weight: float = 0.02
    aux_weight: float = 0.3

    def __post_init__(self) -> None:
        if not (self.text or self.image or self.aux):
            raise ValueError("text, image and aux are all off: nothing is left to judge by")
        if self.image_weight <= 0 or self.aux_weight <= 0:
            raise ValueError("image_weight and aux_weight must be above 0; switch a part off by its own name")


@dataclass(frozen=True, slots=True)
class LinearTraining:
    """The section `training:`. Of the strengths (scikit-learn's C) the one with the least validation loss is taken."""

    strengths: tuple[float, ...] = (0.3, 1.0, 3.0, 10.0)
    iterations: int = 200

    def __post_init__(self) -> None:
        if not self.strengths or min(self.strengths) <= 0:
            raise ValueError("strengths needs at least one number, all above 0")
        if self.iterations < 1:
            raise ValueError("iterations must be at least 1")


class LinearNetwork(nn.Module):
    """The fitted regression as a network, so that it is exported and served like all others.

    The product of a TF-IDF vector and its coefficients is `TfIdf` of width 1: a weighted sum over the words that are
    there, never a vector as wide as the vocabulary.
    """

    def __init__(self, statistics: ListingStatistics) -> None:
        super().__init__()
        self.text = TfIdf(statistics.idf, 1)
        self.standard_image = Standardise(statistics.image_mean, statistics.image_deviation)
        self.standard_aux = Standardise(statistics.aux_mean, statistics.aux_deviation)
        self.image = nn.Linear(IMAGE_WIDTH, 1, bias=False)
        self.aux = nn.Linear(len(AUX_NAMES), 1)

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """As `ListingNetwork`; the gate is each modality's share of |contribution to the logit| of the two."""
        of_text: Tensor = self.text(rows)
        of_image: Tensor = self.image(self.standard_image(image) * has_image)
        of_aux: Tensor = self.aux(self.standard_aux(aux))
        magnitude = torch.cat([of_text.abs(), of_image.abs()], dim=1)
        # The floor only matters where neither says anything: the gate is 0, 0 then.
        gate = magnitude / magnitude.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return of_text + of_image + of_aux, gate


@dataclass(frozen=True, slots=True)
class TrainedLinear(TrainedListing):
    """A fitted regression with its vocabulary."""

    options: LinearOptions
    strength: float

    def description(self) -> Mapping[str, Any]:
        """See `Trained`."""
        return {
            "network": asdict(self.options),
            "strength": self.strength,
            "vocabulary_size": self.vocabulary.size,
            "aux_names": list(AUX_NAMES),
        }


def linear_features(
    table: Table, statistics: ListingStatistics, options: LinearOptions
) -> sparse.csr_matrix | npt.NDArray[np.float64]:
    """What the regression sees, [N, words + 1280 + A] of the parts that are on; dense where no words are."""
    rows, image, has_image, aux = table.inputs
    blocks: list[Any] = []
    if options.text:
        blocks.append(tf_idf_matrix(rows, statistics.idf))
    if options.image:
        standard = Standardise(statistics.image_mean, statistics.image_deviation)(image) * has_image
        blocks.append(standard.numpy().astype(np.float64) * options.image_weight)
    if options.aux:
        standard = Standardise(statistics.aux_mean, statistics.aux_deviation)(aux)
        blocks.append(standard.numpy().astype(np.float64) * options.aux_weight)
    if options.text:
        return sparse.hstack([sparse.csr_matrix(block) for block in blocks], format="csr")
    dense: npt.NDArray[np.float64] = np.hstack(blocks)
    return dense


def tf_idf_matrix(rows: Tensor, idf: Tensor) -> sparse.csr_matrix:
    """L2-normalised TF-IDF float64 [N, V] of vocabulary rows int64 [N, L]."""
    count, length = rows.shape
    places = np.repeat(np.arange(count), length)
    weights = idf.numpy().astype(np.float64)[rows.numpy()].reshape(-1)
    matrix = sparse.csr_matrix((weights, (places, rows.numpy().reshape(-1))), shape=(count, len(idf)))
    matrix.sum_duplicates()
    norms = np.sqrt(matrix.multiply(matrix).sum(axis=1)).A1
    return sparse.diags(1 / np.maximum(norms, 1e-3)) @ matrix


def _network_of(
    fitted: LogisticRegression, statistics: ListingStatistics, options: LinearOptions
) -> LinearNetwork:
    """The coefficients, undone of their parts' weights, in their places."""
    network = LinearNetwork(statistics)
    found = torch.from_numpy(fitted.coef_[0].astype(np.float32))
    words, at = len(statistics.idf), 0
    with torch.no_grad():
        for weights in (network.text.embedding.weight, network.image.weight, network.aux.weight):
            weights.zero_()
        if options.text:
            network.text.embedding.weight[:, 0] = found[:words]
            at = words
        if options.image:
            network.image.weight[0] = found[at : at + IMAGE_WIDTH] * options.image_weight
            at += IMAGE_WIDTH
        if options.aux:
            network.aux.weight[0] = found[at:] * options.aux_weight
        network.aux.bias[:] = float(fitted.intercept_[0])
    return network.eval()


class _LinearSystem:
    kind: Final[Kind] = "listing"
    several_domains: Final = False
    partly_labelled: Final = False
    network_options: Final = LinearOptions
    training_options: Final = LinearTraining

    def train(
        self, domains: tuple[str, ...], parts: Parts, manifest: ManifestOptions, context: Context
    ) -> Mapping[str, TrainedLinear]:
        """See `System`. Deterministic: the seed plays no part."""
        (domain,) = domains
        training, validation = listing_sets(parts.training, parts.validation)
        options: LinearOptions = manifest.network
        plan: LinearTraining = manifest.training
        vocabulary = build_vocabulary(listing.tokens for listing in training.features)
        context.say(f"vocabulary: {vocabulary.size:,} words")
        statistics = listing_statistics(training, vocabulary)
        tables = [
            listing_table(part.features, part.labels[domain], vocabulary) for part in (training, validation)
        ]
        (train_x, valid_x) = (linear_features(table, statistics, options) for table in tables)
        (train_y, valid_y) = (table.labels.numpy() for table in tables)
        if len(np.unique(train_y)) < 2:
            raise ValueError(f"the training part has only one class of {domain!r}: nothing to tell apart")
        best: tuple[float, float, LogisticRegression] | None = None
        for number, strength in enumerate(plan.strengths, start=1):
            fitted = LogisticRegression(C=strength, max_iter=plan.iterations).fit(train_x, train_y)
            loss = float(log_loss(valid_y, fitted.predict_proba(valid_x)[:, 1], labels=[0, 1]))
            context.say(f"C = {strength:g}: validation loss {loss:.4f}")
            context.advance(number, len(plan.strengths))
            if best is None or loss < best[0]:
                best = (loss, strength, fitted)
        assert best is not None
        _, strength, fitted = best
        return {
            domain: TrainedLinear(_network_of(fitted, statistics, options), vocabulary, options, strength)
        }


SYSTEM: Final = _LinearSystem()
