"""Scores rows with an exported model as the server would: the same inputs, in batches of one length bucket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx

from models.data.datasets import ListingSet, MessageSet
from models.export.graph import run, session
from streams.features.tensors import listing_batch, message_batch

#: The largest batch of the serving configuration.
_BATCH: Final = 64


@dataclass(frozen=True, slots=True)
class Scored:
    """`scores` float64 [N] in the rows' order; `gates` float32 [N, 2] (text, image), None for messages."""

    scores: npt.NDArray[np.float64]
    gates: npt.NDArray[np.float32] | None


def score(
    file: Path, rows: MessageSet | ListingSet, *, advance: Callable[[int], None] = lambda _: None
) -> Scored:
    """Run the model file over all rows; `advance` is told the rows of each batch.

    Raises ValueError for a file that does not take the family's inputs, or gives a score that is not a number.
    """
    try:
        opened = session(onnx.load(str(file)))
    except Exception as error:  # onnx and onnxruntime raise many types of their own; all mean the same here
        raise ValueError(f"{file}: not a model that ONNX Runtime can open: {error}") from error
    buckets = [row.bucket for row in rows.features]
    order = sorted(range(len(buckets)), key=buckets.__getitem__)
    scores = np.empty(len(buckets), np.float64)
    gates = np.empty((len(buckets), 2), np.float32)
    gated = False
    for bucket, group in groupby(order, key=buckets.__getitem__):
        places = list(group)
        for start in range(0, len(places), _BATCH):
            chosen = places[start : start + _BATCH]
            answer = _answer(file, opened, rows, chosen, bucket)
            scores[chosen] = answer["score"][:, 0]
            if "gate" in answer:
                gates[chosen], gated = answer["gate"], True
            advance(len(chosen))
    if not np.isfinite(scores).all():
        raise ValueError(f"{file}: gives {int((~np.isfinite(scores)).sum())} scores that are not numbers")
    return Scored(scores, gates if gated else None)


def _answer(
    file: Path,
    opened: Any,  # noqa: ANN401 - onnxruntime has no types
    rows: MessageSet | ListingSet,
    chosen: Sequence[int],
    bucket: int,
) -> dict[str, npt.NDArray[Any]]:
    inputs: dict[str, npt.NDArray[Any]] = (
        dict(message_batch([rows.features[place] for place in chosen], bucket))
        if isinstance(rows, MessageSet)
        else dict(listing_batch([rows.features[place] for place in chosen], bucket))
    )
    taken = {one.name for one in opened.get_inputs()}
    given = {one.name for one in opened.get_outputs()}
    # A model may leave out an input that it does not read (pictures, for one of text alone), never want another.
    if not taken <= inputs.keys() or "score" not in given:
        raise ValueError(
            f"{file}: takes {', '.join(sorted(taken))} and gives {', '.join(sorted(given))}; "
            f"its family has {', '.join(inputs)} and gives score"
        )
    return run(opened, {name: values for name, values in inputs.items() if name in taken})
