"""The listing model: TF-IDF text, image features and auxiliary values, fused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.fusion import Fusion, FusionName
from models.networks.sentences import PAD
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH


@dataclass(frozen=True, slots=True)
class ListingShape:
    """Sizes and parts of the listing model."""

    text_width: int = 64
    fused_width: int = 64
    hidden: int = 64
    fusion: FusionName = "gmu"
    batch_norm: bool = False
    maxout: bool = True
    dropout: float = 0.3
    #: Shares of training rows whose image, and whose text, are taken away, so that neither is leaned on alone.
    image_dropout: float = 0.15
    text_dropout: float = 0.10
    #: Shares of a training text's words, and of a training picture's features, that are left out. A few thousand
    #: examples are learnt by heart from their rare words and 1280 features within two epochs otherwise.
    word_dropout: float = 0.0
    feature_dropout: float = 0.0
    #: Deviation of the first word vectors, and a factor on the first weights of the picture and the gate. Large ones
    #: give each example a random fingerprint before anything is learnt, and the layers behind it learn that.
    text_start: float = 0.5
    image_start: float = 1.0
    #: What may be looked at; a part that is switched off counts as missing in every listing.
    text: bool = True
    image: bool = True
    aux: bool = True

    def __post_init__(self) -> None:
        if min(self.text_width, self.fused_width, self.hidden) < 1:
            raise ValueError("text_width, fused_width and hidden must be at least 1")
        shares = ("dropout", "image_dropout", "text_dropout", "word_dropout", "feature_dropout")
        for name in shares:
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; a share lies within 0..1, 1 excluded")
        if self.image_dropout + self.text_dropout > 1:
            raise ValueError("image_dropout and text_dropout together come to more than all listings")
        if self.text_start <= 0 or self.image_start <= 0:
            raise ValueError(
                "text_start and image_start must be above 0: weights of nothing but 0 learn nothing"
            )
        if not (self.text or self.image or self.aux):
            raise ValueError("text, image and aux are all off: nothing is left to judge by")


class TfIdf(nn.Module):
    """A linear layer over the L2-normalised TF-IDF vector, without ever making that vector.

    With rows r_1…r_L of a text and weights w = idf, the product is Σ_i w(r_i)·E[r_i] / norm, since a word that occurs
    n times appears n times in the sum. The norm of the TF-IDF vector is √(Σ_i Σ_j [r_i = r_j]·w(r_i)·w(r_j)).
    Padding and unknown words weigh nothing, as they do in a fitted vectoriser.
    """

    def __init__(self, idf: Tensor, width: int, *, start: float = 0.5, word_dropout: float = 0.0) -> None:
        super().__init__()
        self.idf: Tensor
        self.register_buffer("idf", idf)
        self.embedding = nn.Embedding(len(idf), width, padding_idx=PAD)
        # The vector has length 1 and some 20 words, so each weighs about 1/√20, and the sum has the same deviation.
        nn.init.normal_(self.embedding.weight, std=start)
        self.word_dropout = word_dropout

    def forward(self, rows: Tensor) -> Tensor:
        """`rows` int64 [B, L] → float32 [B, width]."""
        weights = self.idf[rows] * (rows != PAD).to(torch.float32)
        kept = (
            functional.dropout(weights, self.word_dropout) if self.training and self.word_dropout else weights
        )
        summed = (self.embedding(rows) * kept.unsqueeze(2)).sum(dim=1)
        same = (rows.unsqueeze(1) == rows.unsqueeze(2)).to(torch.float32)
        squared = (same * weights.unsqueeze(1) * weights.unsqueeze(2)).sum(dim=(1, 2))
        # The floor only matters for a text without known words, whose sum is 0 anyway.
        embedded: Tensor = summed / squared.clamp(min=1e-6).sqrt().unsqueeze(1)
        return embedded


class Standardise(nn.Module):
    """(x - mean) / deviation with constants from the training part, inside the graph."""

    def __init__(self, mean: Tensor, deviation: Tensor) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", mean)
        # A column that never varied in training would be blown up by any other value: it is switched off instead.
        self.register_buffer(
            "scale", torch.where(deviation > 1e-4, 1 / deviation.clamp(min=1e-4), torch.zeros(()))
        )

    def forward(self, values: Tensor) -> Tensor:
        """Same shape; beyond ±5 deviations the value is cut."""
        return ((values - self.mean) * self.scale).clamp(-5.0, 5.0)


class Maxout(nn.Module):
    """The larger of two linear maps per output (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, 2 * outputs)
        self.outputs = outputs

    def forward(self, values: Tensor) -> Tensor:
        """[B, inputs] → [B, outputs]."""
        largest: Tensor = self.linear(values).reshape(-1, self.outputs, 2).amax(dim=2)
        return largest


@dataclass(frozen=True, slots=True)
class ListingStatistics:
    """What the training part says of the inputs: idf float32 [V], mean and deviation of image [1280] and aux [A]."""

    idf: Tensor
    image_mean: Tensor
    image_deviation: Tensor
    aux_mean: Tensor
    aux_deviation: Tensor


class ListingNetwork(nn.Module):
    """Text and image fused, auxiliary values put beside the fused vector, one hidden layer."""

    def __init__(self, statistics: ListingStatistics, shape: ListingShape) -> None:
        super().__init__()
        self.shape = shape
        self.text = TfIdf(
            statistics.idf, shape.text_width, start=shape.text_start, word_dropout=shape.word_dropout
        )
        self.image = Standardise(statistics.image_mean, statistics.image_deviation)
        self.aux = Standardise(statistics.aux_mean, statistics.aux_deviation)
        self.fusion = Fusion(shape.fusion, shape.text_width, IMAGE_WIDTH, shape.fused_width)
        with torch.no_grad():
            for layer in (self.fusion.image, self.fusion.gate):
                if layer is not None:
                    layer.weight.mul_(shape.image_start)
        inputs = self.fusion.width + len(AUX_NAMES)
        self.normalise = nn.BatchNorm1d(inputs) if shape.batch_norm else nn.Identity()
        hidden: nn.Module = (
            Maxout(inputs, shape.hidden)
            if shape.maxout
            else nn.Sequential(nn.Linear(inputs, shape.hidden), nn.ReLU())
        )
        self.decide = nn.Sequential(
            nn.Dropout(shape.dropout), hidden, nn.Dropout(shape.dropout), nn.Linear(shape.hidden, 1)
        )

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """`rows` int64 [B, L], `image` [B, 1280], `has_image` [B, 1], `aux` [B, A] → logits [B, 1], gate [B, 2]."""
        shape = self.shape
        # Multiplied by 0 rather than left out, so that every input stays in the exported graph.
        rows = rows if shape.text else rows * 0
        has_image = has_image if shape.image else has_image * 0
        aux = aux if shape.aux else aux * 0
        if self.training and shape.text and shape.image:
            rows, has_image = self._drop_modalities(rows, has_image)
        has_text = (self.text.idf[rows] > 0).any(dim=1, keepdim=True).to(torch.float32)
        # Absent images come as zeros, which standardisation would move: masked again behind it.
        standard = self.image(image) * has_image
        if self.training and shape.feature_dropout:
            standard = functional.dropout(standard, shape.feature_dropout)
        fused, gate = self.fusion(self.text(rows), has_text, standard, has_image)
        known = self.aux(aux) if shape.aux else aux
        logits: Tensor = self.decide(self.normalise(torch.cat([fused, known], dim=1)))
        return logits, gate

    def _drop_modalities(self, rows: Tensor, has_image: Tensor) -> tuple[Tensor, Tensor]:
        # Drawn on the CPU and moved, so that a seed takes the same modalities away wherever the network computes.
        drawn = torch.rand(len(rows), 1).to(has_image.device)
        keep_image = (drawn >= self.shape.image_dropout).to(torch.float32)
        # Disjoint from the rows that lost their image, and only where an image is left to judge by.
        lose_text = (drawn >= 1 - self.shape.text_dropout) & (has_image > 0)
        return rows.masked_fill(lose_text, PAD), has_image * keep_image


class ListingEnsemble(nn.Module):
    """Networks of one shape that started differently; what counts is their mean (Hansen and Salamon 1990).

    The mean is over logits, and over gates, which therefore still sum to 1.
    """

    def __init__(self, members: Sequence[ListingNetwork]) -> None:
        super().__init__()
        if not members:
            raise ValueError("an ensemble has at least one member")
        self.members = nn.ModuleList(members)

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """As `ListingNetwork.forward`."""
        found = [member(rows, image, has_image, aux) for member in self.members]
        logits = torch.stack([logit for logit, _ in found]).mean(dim=0)
        return logits, torch.stack([gate for _, gate in found]).mean(dim=0)
