"""All that is found out about one model on one set of rows, from arrays alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.sampling import sampled
from models.evaluation.calibration import Calibration, calibration
from models.evaluation.comparison import Difference, compare
from models.evaluation.gates import GateReading, read_gates
from models.evaluation.intervals import RESAMPLES, Estimate, Floats, Resampling
from models.evaluation.metrics import REVIEWED, AtThreshold, at_threshold
from models.evaluation.quality import Quality, quality
from models.evaluation.ranking import Ranking
from models.evaluation.rules_cost import RulesCost, rules_cost

#: Points of the PR curve that are kept: more than a plot has pixels to show.
_PR_POINTS = 400


@dataclass(frozen=True, slots=True)
class Material:
    """Rows as arrays of length N. `gates` [N, 2] for listings, `attribute` 1, 0 or NaN, what was not asked for None.

    `true_labels` are there where every row knows what its label should have been.
    """

    truth: npt.NDArray[np.float32]
    scores: Floats
    groups: npt.NDArray[np.int64]
    true_labels: npt.NDArray[np.float32] | None = None
    champion: Floats | None = None
    rule_alerts: npt.NDArray[np.bool_] | None = None
    gates: npt.NDArray[np.float32] | None = None
    has_image: npt.NDArray[np.bool_] | None = None
    attribute: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, slots=True)
class NoiseReading:
    """Of examples that know the truth beside their labels (generated ones do), how the labels err.

    `missed` are violations labelled as none, `falsely` the others; `average_precision` is against the truth.
    """

    missed: int
    falsely: int
    average_precision: Estimate


@dataclass(frozen=True, slots=True)
class Options:
    """What to compute. `ratio` is negatives for each positive of the second, stated view; `by` names `attribute`."""

    threshold: float | None = None
    champion_threshold: float | None = None
    ks: Sequence[int] = REVIEWED
    curve_to: int | None = None
    ratio: float = 3.0
    resamples: int = RESAMPLES
    seed: int = 1
    margin: float = 0.01
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Findings:
    """The figures of the report. `at_ratio` is of all positives and a random choice of negatives.

    `pr_curve` and `champion_pr_curve` are (recall, precision) from the highest threshold down.
    """

    natural: Quality
    at_ratio: Quality
    calibration: Calibration
    pr_curve: tuple[tuple[float, float], ...]
    rules: RulesCost | None = None
    gates: GateReading | None = None
    differences: tuple[Difference, ...] = ()
    champion_pr_curve: tuple[tuple[float, float], ...] = ()
    champion_at_threshold: AtThreshold | None = None
    noise: NoiseReading | None = None


def resamples_of(material: Material, options: Options) -> int:
    """How many resamples `find` will draw in all."""
    asked = (material.rule_alerts, material.champion, material.true_labels)
    return options.resamples * (2 + sum(one is not None for one in asked))


def find(material: Material, options: Options, advance: Callable[[int], None] = lambda _: None) -> Findings:
    """Compute everything; `advance` is told of every resample. The same arguments give the same figures.

    Raises ValueError unless both classes occur.
    """
    truth, scores = material.truth, material.scores
    rows = Resampling(truth, material.groups, options.resamples, options.seed, advance)

    def measured(index: npt.NDArray[np.int64], resampling: Resampling) -> Quality:
        return quality(
            scores[index],
            resampling,
            ks=options.ks,
            threshold=options.threshold,
            curve_to=options.curve_to or len(index),
        )

    natural = measured(np.arange(len(truth)), rows)
    kept = sampled(truth, options.ratio, options.seed)
    at_ratio = measured(
        kept, Resampling(truth[kept], material.groups[kept], options.resamples, options.seed, advance)
    )
    rules = None
    if material.rule_alerts is not None:
        rules = rules_cost(scores, material.rule_alerts, rows)
    gates = None
    if material.gates is not None and material.has_image is not None:
        gates = read_gates(
            truth, material.gates, material.has_image,
            by=options.by, attribute=material.attribute, resamples=options.resamples, seed=options.seed,
        )  # fmt: skip
    differences: tuple[Difference, ...] = ()
    if material.champion is not None:
        differences = compare(scores, material.champion, rows, margin=options.margin, ks=options.ks)
    return Findings(
        natural=natural,
        at_ratio=at_ratio,
        calibration=calibration(truth, scores),
        pr_curve=pr_curve(truth, scores),
        rules=rules,
        gates=gates,
        differences=differences,
        champion_pr_curve=() if material.champion is None else pr_curve(truth, material.champion),
        champion_at_threshold=None
        if material.champion is None or options.champion_threshold is None
        else at_threshold(truth, material.champion, options.champion_threshold),
        noise=_noise(material, options, advance),
    )


def _noise(material: Material, options: Options, advance: Callable[[int], None]) -> NoiseReading | None:
    """None where the truth is not known, or holds one class alone."""
    truth, labels = material.true_labels, material.truth
    if truth is None or not 0 < truth.sum() < len(truth):
        return None
    rows = Resampling(truth, material.groups, options.resamples, options.seed, advance)
    found = quality(material.scores, rows, ks=(), threshold=None, curve_to=1)
    return NoiseReading(
        missed=int(((truth == 1) & (labels == 0)).sum()),
        falsely=int(((truth == 0) & (labels == 1)).sum()),
        average_precision=found.average_precision,
    )


def pr_curve(truth: npt.NDArray[np.float32], scores: Floats) -> tuple[tuple[float, float], ...]:
    """(recall, precision) at each threshold from the highest down, thinned to what a plot can show."""
    ranking = Ranking.of(truth, scores)
    summed = ranking.summed(np.ones(len(truth), np.int64))
    ends = ranking.run_ends
    if len(ends) > _PR_POINTS:
        # Even steps of recall: the tail of negatives at the lowest scores would otherwise take all the points.
        recall = summed.found[ends] / summed.positives
        steps = np.searchsorted(recall, np.linspace(recall[0], 1.0, _PR_POINTS))
        ends = ends[np.unique(np.append(steps, [0, len(ends) - 1]))]
    return tuple(
        (float(summed.found[end] / summed.positives), float(summed.found[end] / summed.alerts[end]))
        for end in ends
    )
