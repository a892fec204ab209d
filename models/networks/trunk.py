"""A reader of conversations that many domains share, and the small head that decides one of them.

The trunk costs nearly all of a message model's time; frozen, it is computed once a message for any number of heads.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.networks.conversation import ConversationReader, ConversationShape

#: Deviation below which a number of the vector is called constant; the others lie around 0.1 to 1.
_STILL = 1e-4


class MessageTrunk(ConversationReader):
    """What was read of a conversation as one vector: the two GRUs' ends, and the last message as KimCNN sees it.

    The GRUs keep what the domains of the trunk's own training needed. The last message's vector goes round them, so
    that a head for a domain that came later still sees the words.
    """

    def __init__(self, vocabulary_size: int, shape: ConversationShape) -> None:
        super().__init__(vocabulary_size, shape)
        self.width = 2 * shape.hidden + self.sentences.width
        self.start_small()

    def forward(self, rows: Tensor, writer: Tensor, status: Tensor) -> Tensor:
        """Inputs as of `ConversationReader.read` → float32 [B, width]."""
        return torch.cat(self.read(rows, writer, status), dim=1)


@dataclass(frozen=True, slots=True)
class HeadShape:
    """Sizes of a head. Raises ValueError for one that cannot be built."""

    hidden: int = 64
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"a head's hidden is {self.hidden}; it must be at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"a head's dropout is {self.dropout}; it must be at least 0 and below 1")


class MessageHead(nn.Module):
    """One hidden layer from a trunk's vector to one domain's logit; on a frozen trunk it sees the vector standardised."""

    centre: Tensor
    scale: Tensor

    def __init__(self, width: int, shape: HeadShape) -> None:
        super().__init__()
        self.shape = shape
        self.width = width
        self.register_buffer("centre", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.decide = nn.Sequential(
            nn.Dropout(shape.dropout),
            nn.Linear(width, shape.hidden),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.hidden, 1),
        )

    def forward(self, vector: Tensor) -> Tensor:
        """float32 [B, width] → logits float32 [B, 1]."""
        logits: Tensor = self.decide((vector - self.centre) * self.scale)
        return logits

    @torch.no_grad()
    def standardise(self, vectors: Tensor) -> None:
        """Take centre and scale from float32 [N, width] of the training part; a number that never changes counts 0."""
        deviation = vectors.std(dim=0)
        self.centre.copy_(vectors.mean(dim=0))
        self.scale.copy_(torch.where(deviation > _STILL, 1 / deviation.clamp(min=_STILL), 0.0))


class JointNetwork(nn.Module):
    """A trunk under training with a head for each of its domains; the heads are thrown away afterwards.

    Multi-task learning with hard parameter sharing (Caruana 1997): what several domains need is what a domain that
    comes later is likeliest to need too.
    """

    def __init__(self, trunk: MessageTrunk, heads: int, shape: HeadShape) -> None:
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleList(MessageHead(trunk.width, shape) for _ in range(heads))

    def forward(self, rows: Tensor, writer: Tensor, status: Tensor) -> Tensor:
        """Inputs as of the trunk → logits float32 [B, heads]."""
        vector = self.trunk(rows, writer, status)
        return torch.cat([head(vector) for head in self.heads], dim=1)
