"""The listing model: TF-IDF text, image features and auxiliary values, fused."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

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


class TfIdf(nn.Module):
    """A linear layer over the L2-normalised TF-IDF vector, without ever making that vector.

    With rows r_1…r_L of a text and weights w = idf, the product is Σ_i w(r_i)·E[r_i] / norm, since a word that occurs
    n times appears n times in the sum. The norm of the TF-IDF vector is √(Σ_i Σ_j [r_i = r_j]·w(r_i)·w(r_j)).
    Padding and unknown words weigh nothing, as they do in a fitted vectoriser.
    """

    def __init__(self, idf: Tensor, width: int) -> None:
        super().__init__()
        self.idf: Tensor
        self.register_buffer("idf", idf)
        self.embedding = nn.Embedding(len(idf), width, padding_idx=PAD)
        # The vector has length 1 and some 20 words, so each weighs about 1/√20; std 1 keeps the sum near 1 too.
        nn.init.normal_(self.embedding.weight, std=0.5)

    def forward(self, rows: Tensor) -> Tensor:
        """`rows` int64 [B, L] → float32 [B, width]."""
        weights = self.idf[rows] * (rows != PAD).to(torch.float32)
        summed = (self.embedding(rows) * weights.unsqueeze(2)).sum(dim=1)
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
        self.text = TfIdf(statistics.idf, shape.text_width)
        self.image = Standardise(statistics.image_mean, statistics.image_deviation)
        self.aux = Standardise(statistics.aux_mean, statistics.aux_deviation)
        self.fusion = Fusion(shape.fusion, shape.text_width, IMAGE_WIDTH, shape.fused_width)
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
        if self.training:
            rows, has_image = self._drop_modalities(rows, has_image)
        has_text = (self.text.idf[rows] > 0).any(dim=1, keepdim=True).to(torch.float32)
        # Absent images come as zeros, which standardisation would move: masked again behind it.
        standard = self.image(image) * has_image
        fused, gate = self.fusion(self.text(rows), has_text, standard, has_image)
        logits: Tensor = self.decide(self.normalise(torch.cat([fused, self.aux(aux)], dim=1)))
        return logits, gate

    def _drop_modalities(self, rows: Tensor, has_image: Tensor) -> tuple[Tensor, Tensor]:
        drawn = torch.rand(len(rows), 1)
        keep_image = (drawn >= self.shape.image_dropout).to(torch.float32)
        # Disjoint from the rows that lost their image, and only where an image is left to judge by.
        lose_text = (drawn >= 1 - self.shape.text_dropout) & (has_image > 0)
        return rows.masked_fill(lose_text, PAD), has_image * keep_image
