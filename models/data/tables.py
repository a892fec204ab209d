"""Features of many examples as one padded table that batches are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.data.vocabulary import Vocabulary
from streams.features.tensors import (
    LISTING_BUCKETS,
    MESSAGE_BUCKETS,
    ListingFeatures,
    WindowFeatures,
    listing_batch,
    message_batch,
)

_Features = TypeVar("_Features", WindowFeatures, ListingFeatures)


@dataclass(frozen=True, slots=True)
class Table:
    """Inputs in the order of the network's `forward`, vocabulary rows first, and labels float32 [N] or [N, domains].

    `lengths` int64 [N] is each example's longest text: a batch is cut to the longest of its own, which changes no
    score because the networks are exact under padding.
    """

    inputs: tuple[Tensor, ...]
    lengths: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, index: Tensor) -> tuple[Tensor, ...]:
        """The inputs of those examples, int64 [B]."""
        rows, *others = (column[index] for column in self.inputs)
        longest = max(1, int(self.lengths[index].max()))
        return (rows[..., :longest], *others)

    def select(self, index: Tensor) -> Table:
        """The table of those examples."""
        return Table(tuple(column[index] for column in self.inputs), self.lengths[index], self.labels[index])


def message_table(
    features: Sequence[WindowFeatures], labels: npt.NDArray[np.float32], vocabulary: Vocabulary
) -> Table:
    """Inputs of the message model: rows [N, 5, 64], writer [N, 5], status [N, 1].

    Unlabelled examples are left out: where `labels` are of several domains, those without a label for any.
    """
    known, kept = _labelled(features, labels)
    arrays = message_batch(kept, MESSAGE_BUCKETS[-1])
    rows = torch.from_numpy(vocabulary.rows(arrays["tokens"]))
    inputs = (rows, torch.from_numpy(arrays["writer"]), torch.from_numpy(arrays["status"]))
    return Table(inputs, (rows != 0).sum(dim=2).amax(dim=1), torch.from_numpy(labels[known]))


def listing_table(
    features: Sequence[ListingFeatures], labels: npt.NDArray[np.float32], vocabulary: Vocabulary
) -> Table:
    """Inputs of the listing model: rows [N, 128], image, has_image, aux. Unlabelled examples are left out."""
    known, kept = _labelled(features, labels)
    arrays = listing_batch(kept, LISTING_BUCKETS[-1])
    rows = torch.from_numpy(vocabulary.rows(arrays["tokens"].astype(np.int64, copy=False)))
    others = tuple(torch.from_numpy(arrays[name]) for name in ("image", "has_image", "aux"))
    return Table((rows, *others), (rows != 0).sum(dim=1), torch.from_numpy(labels[known]))


def _labelled(
    features: Sequence[_Features], labels: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.bool_], list[_Features]]:
    if len(features) != len(labels):
        raise ValueError(f"{len(features)} examples but {len(labels)} labels")
    known = ~np.isnan(labels.reshape(len(labels), -1)).all(axis=1)
    if not known.any():
        raise ValueError("no example has a label for this domain")
    return known, [feature for feature, has_label in zip(features, known, strict=True) if has_label]
