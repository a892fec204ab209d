"""Several kinds of violation and "none" in one softmax: ALBERT text and image features, embraced and put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks.listing import ListingStatistics, Standardise
from models.networks.sentences import PAD
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH

#: Added to the attention to padding: e^-10000 is 0 in float32, and no sum with it leaves a 16-bit float's range.
_NEVER = -1e4


@dataclass(frozen=True, slots=True)
class MulticlassShape:
    """Sizes behind the text encoder. `docked` is the common width that each modality is compressed to."""

    docked: int = 64
    dropout: float = 0.3
    #: Shares of training rows whose image, and whose text, are taken away.
    image_dropout: float = 0.15
    text_dropout: float = 0.10
    text: bool = True
    image: bool = True
    aux: bool = True

    def __post_init__(self) -> None:
        if self.docked < 1:
            raise ValueError("docked must be at least 1")
        if not all(0 <= share < 1 for share in (self.dropout, self.image_dropout, self.text_dropout)):
            raise ValueError("dropout, image_dropout and text_dropout lie within 0..1, 1 excluded")
        if self.image_dropout + self.text_dropout > 1:
            raise ValueError("image_dropout and text_dropout together come to more than all listings")
        if not (self.text or self.image or self.aux):
            raise ValueError("text, image and aux are all off: nothing is left to judge by")


class AlbertText(nn.Module):
    """ALBERT (Lan et al. 2020) over whole words: its encoder behind a table with a vector for each of our tokens.

    ALBERT's word vectors are narrow and projected up (factorised embedding), so a table of our own words is small. A
    leading [CLS] vector makes a text without words well defined; what comes out is the mean over [CLS] and the words.
    """

    def __init__(self, albert: Any, words: Tensor, first: Tensor) -> None:  # noqa: ANN401 - transformers.AlbertModel
        """`words` float32 [V, E], row by vocabulary row; `first` float32 [E] is [CLS]. `albert` must use eager attention."""
        super().__init__()
        self.embedding = nn.Embedding(len(words), words.shape[1], padding_idx=PAD)
        with torch.no_grad():
            self.embedding.weight.copy_(words)
        self.first = nn.Parameter(first.clone())
        self.positions = albert.embeddings.position_embeddings
        self.kinds = albert.embeddings.token_type_embeddings
        self.normalise = albert.embeddings.LayerNorm
        self.drop = albert.embeddings.dropout
        self.encoder = albert.encoder
        self.width = int(albert.config.hidden_size)

    def forward(self, rows: Tensor) -> Tensor:
        """`rows` int64 [B, L], PAD at the end → float32 [B, width]; the same for any L that holds the words."""
        here = functional.pad((rows != PAD).to(torch.float32), (1, 0), value=1.0)
        words = torch.cat([self.first.expand(rows.shape[0], 1, -1), self.embedding(rows)], dim=1)
        places = torch.arange(rows.shape[1] + 1, device=rows.device)
        vectors = self.drop(self.normalise(words + self.positions(places) + self.kinds.weight[0]))
        mask = ((1 - here) * _NEVER).unsqueeze(1).unsqueeze(2)
        hidden = self.encoder(vectors, mask).last_hidden_state
        mean: Tensor = (hidden * here.unsqueeze(2)).sum(dim=1) / here.sum(dim=1, keepdim=True)
        return mean


class Embrace(nn.Module):
    """EmbraceNet's docking layers and its choice of a modality per component (Choi and Lee 2019).

    Each modality is compressed to the same width. In training each component is taken from one modality alone, drawn
    evenly from those that are there, and doubled where there were two; when scoring, from all that are there, which
    is the expectation. So no component may rely on one modality. Unlike the paper's sum, the two stay side by side.
    """

    def __init__(self, text_width: int, docked: int) -> None:
        super().__init__()
        self.text = nn.Linear(text_width, docked)
        self.picture = nn.Linear(IMAGE_WIDTH, docked)

    def forward(
        self, text: Tensor, has_text: Tensor, image: Tensor, has_image: Tensor
    ) -> tuple[Tensor, Tensor]:
        """`has_*` [B, 1] of 0 or 1 → text and image float32 [B, docked], zeros where missing."""
        of_text = torch.relu(self.text(text)) * has_text
        of_image = torch.relu(self.picture(image)) * has_image
        if not self.training:
            return of_text, of_image
        both = has_text * has_image
        # Drawn on the CPU and moved: a seed chooses the same wherever the network computes.
        from_text = (torch.rand(of_text.shape) < 0.5).to(of_text)
        return (
            of_text * (1 - both + both * 2 * from_text),
            of_image * (1 - both + both * 2 * (1 - from_text)),
        )


class MulticlassNetwork(nn.Module):
    """Logits of the classes; class 0 is neutral."""

    def __init__(
        self, statistics: ListingStatistics, text: AlbertText, shape: MulticlassShape, classes: int
    ) -> None:
        super().__init__()
        self.shape = shape
        self.text = text
        self.standard_image = Standardise(statistics.image_mean, statistics.image_deviation)
        self.standard_aux = Standardise(statistics.aux_mean, statistics.aux_deviation)
        self.embrace = Embrace(text.width, shape.docked)
        self.decide = nn.Sequential(
            nn.Dropout(shape.dropout), nn.Linear(2 * shape.docked + len(AUX_NAMES), classes)
        )

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """As `ListingNetwork`'s inputs → logits [B, classes], gate [B, 2]: shares of the docked vectors' magnitude."""
        shape = self.shape
        # Multiplied by 0 rather than left out, so that every input stays in the exported graph.
        rows = rows if shape.text else rows * 0
        has_image = has_image if shape.image else has_image * 0
        has_text = (rows != PAD).any(dim=1, keepdim=True).to(torch.float32)
        if self.training:
            drawn = torch.rand(has_image.shape).to(has_image)
            lose_text = (drawn >= 1 - shape.text_dropout).to(torch.float32) * has_image
            has_image = has_image * (drawn >= shape.image_dropout).to(torch.float32)
            has_text = has_text * (1 - lose_text)
        of_text, of_image = self.embrace(
            self.text(rows), has_text, self.standard_image(image) * has_image, has_image
        )
        known = self.standard_aux(aux) if shape.aux else aux * 0
        logits: Tensor = self.decide(torch.cat([of_text, of_image, known], dim=1))
        magnitude = torch.cat(
            [of_text.abs().mean(1, keepdim=True), of_image.abs().mean(1, keepdim=True)], dim=1
        )
        return logits, magnitude / magnitude.sum(dim=1, keepdim=True).clamp(min=1e-6)


class OneClass(nn.Module):
    """A multi-class network as a network of one class: the sigmoid of its logit is that class's softmax."""

    def __init__(self, network: MulticlassNetwork, column: int, classes: int) -> None:
        super().__init__()
        self.network = network
        self.column = column
        self.others: Tensor
        self.register_buffer("others", torch.tensor([at for at in range(classes) if at != column]))

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """As `ListingNetwork.forward`: logits [B, 1], gate [B, 2]."""
        logits, gate = self.network(rows, image, has_image, aux)
        # softmax_k = σ(z_k - log Σ_{j≠k} exp z_j), with the largest taken out so that no exp overflows.
        others = logits[:, self.others]
        largest = others.amax(dim=1, keepdim=True)
        sum_of_others = largest + (others - largest).exp().sum(dim=1, keepdim=True).log()
        return logits[:, self.column : self.column + 1] - sum_of_others, gate


def focal_loss(
    logits: Tensor, target: Tensor, gamma: float, weights: Sequence[float] | None = None
) -> Tensor:
    """Mean of -Σ_k q_k·w_k·(1 - p_k)^γ·log p_k over rows (Lin et al. 2017); `target` q float32 [B, C] sums to 1.

    γ = 0 is cross-entropy. The more certain and right a row is, the less it counts, so that the many easy neutral
    listings do not drown the few hard ones.
    """
    log_p = functional.log_softmax(logits.float(), dim=1)
    losses = -target * (1 - log_p.exp()).clamp(min=0) ** gamma * log_p
    if weights is not None:
        losses = losses * torch.tensor(weights, device=losses.device)
    return losses.sum(dim=1).mean()
