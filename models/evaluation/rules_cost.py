"""The model beside the rules: the human cost of finding as much, and what each finds that the other does not.

The measure is Mercari's (Ueta et al., OpML 2020): how many alerts a moderator must read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.evaluation.intervals import Counts, Estimate, Floats, Resampling, estimate
from models.evaluation.ranking import Ranking


@dataclass(frozen=True, slots=True)
class RulesCost:
    """Rules raise `rule_alerts` and find `rule_found` positives.

    `alerts_needed`: of the model's highest alerts, how many must be read to find as many; `reading` is that over
    `rule_alerts`. The other fields compare at an equal budget, the model's `rule_alerts` highest: positives that both
    find, one of them, neither. `coverage_gain` is what the model finds over what the rules find, less 1; `added` what
    the model finds beyond the rules, over what the rules find, for `together` alerts of either.
    """

    rule_alerts: int
    rule_found: int
    rule_precision: Estimate
    rule_recall: Estimate
    alerts_needed: Estimate
    reading: Estimate
    both: int
    only_model: int
    only_rules: int
    neither: int
    coverage_gain: Estimate
    added: Estimate
    together: int


def rules_cost(scores: Floats, rule_alerts: npt.NDArray[np.bool_], resampling: Resampling) -> RulesCost:
    """Of scores [N] and of whether an active rule of the domain fires, bool [N], on the rows of `resampling`.

    Every resample has its own number of rule alerts, and so its own budget.
    """
    truth = resampling.truth
    ranking = Ranking.of(truth, scores)
    by_rule = rule_alerts.astype(np.int64)
    right_by_rule = by_rule * truth.astype(np.int64)

    def figures(counts: Counts) -> Floats:
        summed = ranking.summed(counts)
        budget, found = int(counts @ by_rule), int(counts @ right_by_rule)
        by_model = summed.found_within(budget)
        needed = summed.needed_for(found)
        # Those of the model's highest that no rule found: the same ranking, with the rules' own taken off.
        beyond = by_model - _shared(ranking, counts, right_by_rule, budget)
        return np.array([
            found / budget if budget else np.nan,
            found / summed.positives,
            needed if found else np.nan,
            needed / budget if found else np.nan,
            by_model / found - 1 if found else np.nan,
            beyond / found if found else np.nan,
        ])  # fmt: skip

    whole, resampled = figures(resampling.whole()), resampling.figures(figures)
    precision, recall, needed, reading, gain, added = (
        estimate(value, resampled[:, place]) for place, value in enumerate(whole)
    )
    budget = int(by_rule.sum())
    top = np.zeros(len(truth), np.bool_)
    top[ranking.order[:budget]] = True
    positive = truth == 1
    return RulesCost(
        rule_alerts=budget,
        rule_found=int(right_by_rule.sum()),
        rule_precision=precision,
        rule_recall=recall,
        alerts_needed=needed,
        reading=reading,
        both=int((positive & top & rule_alerts).sum()),
        only_model=int((positive & top & ~rule_alerts).sum()),
        only_rules=int((positive & ~top & rule_alerts).sum()),
        neither=int((positive & ~top & ~rule_alerts).sum()),
        coverage_gain=gain,
        added=added,
        together=int((top | rule_alerts).sum()),
    )


def _shared(ranking: Ranking, counts: Counts, right_by_rule: npt.NDArray[np.int64], budget: int) -> int:
    """Positives of the rules among the `budget` highest rows of a resample."""
    weights = counts[ranking.order]
    left = np.clip(budget - (np.cumsum(weights) - weights), 0, weights)
    return int(left @ right_by_rule[ranking.order])
