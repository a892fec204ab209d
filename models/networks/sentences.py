"""A sentence as a vector: Kim's convolutional network, exact under padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PAD = 0
UNKNOWN = 1


class KimCnn(nn.Module):
    """Convolutions of several widths over word embeddings, the largest value of each filter kept (Kim 2014).

    The vector does not depend on the padding: a sentence is convolved as if followed by zeros for ever, and windows
    that begin in the padding are masked. Their value is never negative after the ReLU, so a factor of 0 is an exact
    mask for the maximum.
    """

    def __init__(
        self, vocabulary_size: int, embedding_width: int, filters: int, widths: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding_width, padding_idx=PAD)
        # Kim's range. torch's own deviation of 1 would make every rare word shout.
        nn.init.uniform_(self.embedding.weight, -0.25, 0.25)
        with torch.no_grad():
            self.embedding.weight[PAD].zero_()
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding_width, filters, width) for width in widths)
        self.overhang = max(widths) - 1
        self.width = filters * len(widths)

    def forward(self, rows: Tensor) -> Tensor:
        """`rows` int64 [N, L], 0 = PAD at the end → float32 [N, filters × widths]; zeros for an empty sentence."""
        length = rows.shape[1]
        mask = (rows != PAD).to(torch.float32)
        embedded = (self.embedding(rows) * mask.unsqueeze(2)).transpose(1, 2)
        embedded = functional.pad(embedded, (0, self.overhang))
        window_mask = mask.unsqueeze(1)
        strongest = [
            (functional.relu(convolution(embedded))[:, :, :length] * window_mask).amax(dim=2)
            for convolution in self.convolutions
        ]
        return torch.cat(strongest, dim=1)
