"""The message model: a conversation's last five messages, who wrote them, and where the transaction stands."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.networks.sentences import PAD, UNKNOWN, KimCnn
from streams.events import STATUSES
from streams.features.tensors import MESSAGE_BUCKETS, WINDOW

_WRITER_CODES = 3  # absent, seller, buyer
_STATUS_CODES = len(STATUSES) + 1  # 0 is unknown


@dataclass(frozen=True, slots=True)
class ConversationShape:
    """Sizes and parts of the message model. Raises ValueError for one that cannot be built."""

    embedding_width: int = 64
    #: Filters of each width: a sentence vector has filters × len(widths) numbers.
    filters: int = 48
    #: Words that a filter sees at once.
    widths: tuple[int, ...] = (2, 3, 4)
    #: Of one GRU; there are two.
    hidden: int = 64
    #: So many last messages are read, the others ignored.
    turns: int = WINDOW
    writer: bool = True
    status: bool = True
    dropout: float = 0.5
    #: Share of words made unknown in training, so that the model learns to live with words it has never seen.
    word_dropout: float = 0.2
    #: File in word2vec's format (models/data/word_vectors.py) that the embedding starts from; None: random numbers.
    word_vectors: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.turns <= WINDOW:
            raise ValueError(f"turns is {self.turns}; the window holds 1 to {WINDOW}")
        for name in ("embedding_width", "filters", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not self.widths or len(set(self.widths)) < len(self.widths):
            raise ValueError(f"widths are {list(self.widths)}; give at least one, each once")
        if not 1 <= min(self.widths) <= max(self.widths) <= MESSAGE_BUCKETS[-1]:
            raise ValueError(
                f"widths are {list(self.widths)}; a filter sees 1 to {MESSAGE_BUCKETS[-1]} words"
            )
        for name in ("dropout", "word_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 0 and below 1")


class ConversationReader(nn.Module):
    """KimCNN per message, writer embedding added, a forward and a backward GRU, status embedding added.

    The GRUs are unrolled cells: an absent turn leaves the hidden state as it is, exactly, which packed sequences
    would do too but cannot be exported. Subclasses call `start_small` when all their parts are there.
    """

    def __init__(self, vocabulary_size: int, shape: ConversationShape) -> None:
        super().__init__()
        self.shape = shape
        self.sentences = KimCnn(vocabulary_size, shape.embedding_width, shape.filters, shape.widths)
        self.writer = nn.Embedding(_WRITER_CODES, self.sentences.width)
        self.status = nn.Embedding(_STATUS_CODES, 2 * shape.hidden)
        self.forwards = nn.GRUCell(self.sentences.width, shape.hidden)
        self.backwards = nn.GRUCell(self.sentences.width, shape.hidden)
        self.dropout = nn.Dropout(shape.dropout)

    def start_small(self) -> None:
        """Draw writer and status anew: added to vectors that carry the words, full-size noise would drown those."""
        nn.init.normal_(self.writer.weight, std=0.1)
        nn.init.normal_(self.status.weight, std=0.1)

    def read(self, rows: Tensor, writer: Tensor, status: Tensor) -> tuple[Tensor, Tensor]:
        """`rows` int64 [B, 5, L], `writer` int64 [B, 5], `status` int64 [B, 1] → the conversation and its last message.

        float32 [B, 2 × hidden], status added, and float32 [B, filters × widths], writer added.
        """
        first = WINDOW - self.shape.turns
        rows, writer = rows[:, first:], writer[:, first:]
        if self.training and self.shape.word_dropout:
            dropped = (torch.rand(rows.shape, device=rows.device) < self.shape.word_dropout) & (rows != PAD)
            rows = rows.masked_fill(dropped, UNKNOWN)
        sentences = self._sentences(rows)
        if self.shape.writer:
            sentences = sentences + self.writer(writer)
        hidden = self._read(self.dropout(sentences), (rows != PAD).any(dim=2).to(torch.float32))
        if self.shape.status:
            hidden = hidden + self.status(status.reshape(-1))
        return hidden, sentences[:, -1]

    def _sentences(self, rows: Tensor) -> Tensor:
        flat = rows.reshape(-1, rows.shape[2])
        if self.training:
            # A third of all turns are absent: convolving only the others gives the same (an absent turn's vector is 0)
            # for a third less work. In the graph it would be a shape that depends on the data.
            present = (flat != PAD).any(dim=1)
            found = self.sentences(flat[present])
            # `new_zeros`: on the same device, and of the same type under autocast.
            blank = found.new_zeros(len(flat), self.sentences.width)
            vectors: Tensor = blank.masked_scatter(present.unsqueeze(1), found)
        else:
            vectors = self.sentences(flat)
        return vectors.reshape(-1, self.shape.turns, self.sentences.width)

    def _read(self, sentences: Tensor, present: Tensor) -> Tensor:
        start = torch.zeros_like(sentences[:, 0, :1]).expand(-1, self.shape.hidden)
        ends = []
        for cell, order in (
            (self.forwards, range(self.shape.turns)),
            (self.backwards, reversed(range(self.shape.turns))),
        ):
            hidden = start
            for turn in order:
                here = present[:, turn : turn + 1]
                hidden = here * cell(sentences[:, turn], hidden) + (1 - here) * hidden
            ends.append(hidden)
        return torch.cat(ends, dim=1)


class ConversationNetwork(ConversationReader):
    """The reader with an MLP that decides one domain."""

    def __init__(self, vocabulary_size: int, shape: ConversationShape) -> None:
        super().__init__(vocabulary_size, shape)
        self.decide = nn.Sequential(
            nn.Linear(2 * shape.hidden, shape.hidden),
            nn.ReLU(),
            nn.Dropout(shape.dropout),
            nn.Linear(shape.hidden, 1),
        )
        self.start_small()

    def forward(self, rows: Tensor, writer: Tensor, status: Tensor) -> Tensor:
        """Inputs as of `read` → logits float32 [B, 1]."""
        hidden, _ = self.read(rows, writer, status)
        logits: Tensor = self.decide(self.dropout(hidden))
        return logits
