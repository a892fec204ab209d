"""Threshold and metrics of a trained model: at the prevalence of the data, and at a stated number of negatives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.examples import Part
from models.data.sampling import sampled
from models.evaluation.metrics import Metrics, evaluate, gate_by_class, threshold_for_precision
from models.manifests import Manifest
from models.systems.contract import Examples, Trained

NAMES: Mapping[Part, str] = {"valid": "validation", "test": "test"}


@dataclass(frozen=True, slots=True)
class Quality:
    """`natural` and `at_ratio` by part ("validation", "test"); the ratio is negatives per positive."""

    threshold: float | None
    natural: Mapping[str, Metrics]
    at_ratio: Mapping[str, Metrics]
    negatives_per_positive: float
    gate: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        """For metrics.json."""
        return {
            "threshold": self.threshold,
            "threshold_picked_on": "validation at natural prevalence",
            **{
                part: {
                    "natural": dataclasses.asdict(found),
                    "at_ratio": {
                        "negatives_per_positive": self.negatives_per_positive,
                        **dataclasses.asdict(self.at_ratio[part]),
                    },
                }
                for part, found in self.natural.items()
            },
            **({"gate": dict(self.gate)} if self.gate else {}),
        }

    def for_metadata(self) -> dict[str, Metrics]:
        """All metrics by name; those at the ratio as `test_1_to_3`."""
        suffix = f"_1_to_{self.negatives_per_positive:g}"
        return dict(self.natural) | {part + suffix: found for part, found in self.at_ratio.items()}


def measure(trained: Trained, domain: str, manifest: Manifest, whole: Mapping[Part, Examples]) -> Quality:
    """Score the validation part and the test part, pick the threshold on the former, and measure on both.

    Examples with weights (of a sample of many unflagged events) count as many times at natural prevalence, for the
    threshold too; at the ratio each counts once.
    """
    scored = {part: _scored(trained, examples, domain) for part, examples in whole.items()}
    threshold = manifest.threshold.fixed
    if manifest.threshold.precision is not None:
        truth, scores, weights = scored["valid"]
        threshold = picked_threshold(truth, scores, manifest.threshold.precision, weights)
    ratio = manifest.sampling.evaluation_negatives_per_positive
    natural: dict[str, Metrics] = {}
    at_ratio: dict[str, Metrics] = {}
    for part, (truth, scores, weights) in scored.items():
        natural[NAMES[part]] = evaluate(truth, scores, threshold=threshold, weights=weights)
        kept = sampled(truth, ratio, manifest.seed)
        at_ratio[NAMES[part]] = evaluate(truth[kept], scores[kept], threshold=threshold)
    last: Part = "test" if "test" in whole else "valid"
    return Quality(threshold, natural, at_ratio, ratio, _gate(trained, whole[last], domain))


def picked_threshold(
    truth: npt.NDArray[np.float32],
    scores: npt.NDArray[np.float64],
    precision: float,
    weights: npt.NDArray[np.float32] | None = None,
) -> float | None:
    """The lowest threshold of four digits, as people write them, that reaches the precision; None where none does.

    To round the best of all would move it over scores that its precision counted, in a flat model over all of them.
    """
    return threshold_for_precision(truth, np.floor(scores * 10_000) / 10_000, precision, weights=weights)


def _scored(
    trained: Trained, examples: Examples, domain: str
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], npt.NDArray[np.float32] | None]:
    labels = examples.labels[domain]
    known = ~np.isnan(labels)
    weights = None if examples.weights is None else examples.weights[known]
    return labels[known], trained.scores(examples)[known], weights


def _gate(trained: Trained, examples: Examples, domain: str) -> dict[str, float]:
    gates = trained.gates(examples)
    if gates is None:
        return {}
    has_image = np.array([getattr(row, "image", None) is not None for row in examples.features], np.float32)
    truth = np.nan_to_num(examples.labels[domain], nan=-1)
    if not all((truth[has_image > 0] == value).any() for value in (0, 1)):
        return {}
    return gate_by_class(truth, gates, has_image)
