"""What gradient-boosted trees see, computed inside a graph: chosen words' TF-IDF, picture features, auxiliary values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.networks.sentences import PAD


class TreeInputs(nn.Module):
    """One row of numbers per listing, of the columns that the trees split on and no others.

    Trees need a dense row. As wide as the vocabulary it would cost 40 kB a listing, yet trees look at a few hundred
    words: `words` int64 [K] are their vocabulary rows, ascending. The other columns are the `picture` features and
    `aux` values at the given places, then has_text and has_image.
    """

    def __init__(
        self, idf: Tensor, words: Tensor, picture: Tensor, aux: Tensor, shares: tuple[float, float]
    ) -> None:
        """`shares`: how much of the trees' gain is due to text and to the picture; their gate where both are there."""
        super().__init__()
        column = torch.full((len(idf),), len(words))  # of words that no tree asks for: cut off behind the sum
        column[words] = torch.arange(len(words))
        self.count = len(words)
        self.idf: Tensor
        self.column: Tensor
        self.picture: Tensor
        self.aux: Tensor
        self.shares: Tensor
        self.register_buffer("idf", idf)
        self.register_buffer("column", column)
        self.register_buffer("picture", picture)
        self.register_buffer("aux", aux)
        self.register_buffer("shares", torch.tensor([shares]))

    def forward(self, rows: Tensor, image: Tensor, has_image: Tensor, aux: Tensor) -> tuple[Tensor, Tensor]:
        """As a listing network's inputs → columns float32 [B, K + P + A + 2], gate float32 [B, 2].

        The gate is a constant of the model, masked by what the listing has and scaled to a sum of 1.
        """
        weights = self.idf[rows] * (rows != PAD).to(torch.float32)
        same = (rows.unsqueeze(1) == rows.unsqueeze(2)).to(torch.float32)
        squared = (same * weights.unsqueeze(1) * weights.unsqueeze(2)).sum(dim=(1, 2))
        normal = weights / squared.clamp(min=1e-6).sqrt().unsqueeze(1)
        empty = torch.zeros(rows.shape[0], self.count + 1, device=rows.device)
        words = empty.scatter_add(1, self.column[rows], normal)[:, : self.count]
        has_text = (weights > 0).any(dim=1, keepdim=True).to(torch.float32)
        columns = [words, (image * has_image)[:, self.picture], aux[:, self.aux], has_text, has_image]
        gate = self.shares * torch.cat([has_text, has_image], dim=1)
        # The floor only matters for a listing with neither, or trees that look at neither: the gate is 0, 0 then.
        return torch.cat(columns, dim=1), gate / gate.sum(dim=1, keepdim=True).clamp(min=1e-6)
