"""How good scores are, in the terms a moderation team counts in: precision at what can be reviewed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from models.evaluation.ranking import descending

#: Alerts that moderators may look at, of the evaluated part.
REVIEWED = (50, 100, 200)

Scores = npt.NDArray[np.float64]
Truth = npt.NDArray[np.float32]
#: Of how many events each row stands for, [N].
Weights = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What alerting from a threshold on would have given. With weights, `alerts` is of the events stood for."""

    threshold: float
    alerts: int
    precision: float | None
    recall: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """Quality on one part of the data; `precision_at_k` maps K to the precision among the K highest scores."""

    examples: int
    positives: int
    prevalence: float
    auroc: float
    average_precision: float
    precision_at_k: dict[str, float]
    at_threshold: AtThreshold | None = None


def evaluate(
    truth: Truth, scores: Scores, *, threshold: float | None = None, weights: Weights | None = None
) -> Metrics:
    """Metrics of scores [N] against truth [N] of 0 and 1. Raises ValueError unless both classes occur.

    With `weights` every measure is that of the events that the rows stand for; `examples` and `positives` count rows.
    """
    positives = int(truth.sum())
    if not 0 < positives < len(truth):
        raise ValueError(f"{positives} of {len(truth)} examples are positive: quality needs both classes")
    return Metrics(
        examples=len(truth),
        positives=positives,
        prevalence=float(np.average(truth.astype(np.float64), weights=weights)),
        auroc=float(roc_auc_score(truth, scores, sample_weight=weights)),
        average_precision=float(average_precision_score(truth, scores, sample_weight=weights)),
        precision_at_k={str(k): precision_at(truth, scores, k, weights) for k in REVIEWED if k <= len(truth)},
        at_threshold=None if threshold is None else at_threshold(truth, scores, threshold, weights),
    )


def precision_at(truth: Truth, scores: Scores, k: int, weights: Weights | None = None) -> float:
    """Share of positives among the k highest scores; of equal ones chance decides (see `ranking.descending`).

    With weights, among the k highest events that the rows stand for; the last row counts as far as it is needed.
    """
    order = descending(scores)
    if weights is None:
        return float(truth[order[:k]].mean(dtype=np.float64))
    upto = np.minimum(np.cumsum(weights[order], dtype=np.float64), k)
    return float(np.average(truth[order], weights=np.diff(upto, prepend=0.0)))


def at_threshold(
    truth: Truth, scores: Scores, threshold: float, weights: Weights | None = None
) -> AtThreshold:
    """Precision (None without any alert) and recall of alerting on `score >= threshold`."""
    counted = _ones(truth) if weights is None else weights.astype(np.float64)
    alerted = scores >= threshold
    found = float((truth * counted)[alerted].sum())
    alerts = float(counted[alerted].sum())
    recall = found / float((truth * counted).sum())
    return AtThreshold(threshold, round(alerts), found / alerts if alerts else None, recall)


def threshold_for_precision(
    truth: Truth, scores: Scores, wanted: float, *, weights: Weights | None = None
) -> float | None:
    """The lowest score from which on precision is at least `wanted`: the threshold of the most recall.

    None where no threshold reaches it.
    """
    order = np.argsort(-scores, kind="stable")
    counted = _ones(truth) if weights is None else weights[order].astype(np.float64)
    found = np.cumsum(truth[order] * counted)
    precision = found / np.cumsum(counted)
    ordered = scores[order]
    # Among equal scores a threshold takes all or none: only the last of a run is a possible cut.
    last_of_run = np.append(ordered[1:] != ordered[:-1], True)
    reaching = np.flatnonzero((precision >= wanted) & last_of_run & (found > 0))
    return float(ordered[reaching[-1]]) if len(reaching) else None


def _ones(truth: Truth) -> npt.NDArray[np.float64]:
    return np.ones(len(truth), np.float64)


def gate_by_class(
    truth: Truth, gates: npt.NDArray[np.float32], has_image: npt.NDArray[np.float32]
) -> dict[str, float]:
    """Mean weight of the text, by class, over listings that have a picture (the others' weight is 1 by design)."""
    shown = has_image.reshape(-1) > 0
    return {
        name: float(gates[shown & (truth == value), 0].mean())
        for name, value in (("violation", 1), ("no_violation", 0))
    }
