"""The outcome of trying models on past predictions: as JSON for programs, as text for people (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from streams.backtest.model_trial import Example, Judgements, ModelTrial, Rescored
from streams.backtest.trial import Judged
from streams.inference.contracts import ModelVersion
from streams.review.shares import Share, share

#: Characters of a text that are shown.
_SHOWN: Final = 60
#: Columns of words; figures stand to the right.
_LEFT: Final = (0, 1, 5)
Labels = Mapping[ModelVersion, str]


def report(trial: ModelTrial, labels: Labels) -> dict[str, object]:
    """Everything, ready for JSON. `labels` name models that were given as a directory."""
    return {
        "events": dict(trial.events),
        "days": round(trial.days, 4),
        "repeats": trial.repeats,
        "domains": {name: _domain(trial, name, labels) for name in trial.by_domain},
        "masked_input": {
            _label(version, labels): _rescored(found) for version, found in trial.rescored.items()
        },
        "skipped": {
            reason: {"records": number, "example": trial.skipped_examples[reason]}
            for reason, number in sorted(trial.skipped.items())
        },
    }


def as_text(trial: ModelTrial, labels: Labels) -> str:
    """Alerts a day and precision beside what happened, new and lost alerts with examples, and what to be careful of."""
    counted = ", ".join(f"{number:,} {kind}s" for kind, number in sorted(trial.events.items())) or "no events"
    lines = [f"{counted} in {trial.days:,.2f} days", ""]
    lines += _table(trial)
    for title, kind in (("new alerts", "new"), ("lost alerts", "lost")):
        for name, found in trial.by_domain.items():
            lines += _differences(f"{title} in {name}", found.new if kind == "new" else found.lost, labels)
    lines += _careful(trial, labels)
    return "\n".join(lines)


def _domain(trial: ModelTrial, name: str, labels: Labels) -> dict[str, object]:
    found = trial.by_domain[name]
    return {
        "events": found.events,
        "unscored": found.unscored,
        "budget": trial.policy.domains[name].alerts_per_day,
        "adaptive": _adaptive(trial, name),
        "tried": _side(trial, found.alerts, found.judged),
        "happened": _side(trial, found.happened, found.judged_then),
        "new": _judgements(found.new, labels),
        "lost": _judgements(found.lost, labels),
    }


def _adaptive(trial: ModelTrial, name: str) -> bool:
    """Whether the engine would move the domain's thresholds; the trial leaves them where they are."""
    return trial.policy.domains[name].budget_mode == "adaptive"


def _side(trial: ModelTrial, alerts: int, judged: Judged) -> dict[str, object]:
    precision = _precision(judged)
    return {
        "alerts": alerts,
        "alerts_per_day": round(alerts / trial.days, 2) if trial.days else None,
        "judged": precision.of,
        "precision": precision.value,
        "precision_interval": [precision.low, precision.high],
        "violations": judged.right,
        "violations_missed": judged.missed,
    }


def _judgements(found: Judgements, labels: Labels) -> dict[str, object]:
    return {
        "alerts": found.alerts,
        "violations": found.violations,
        "no_violations": found.harmless,
        "examples": [
            {
                "scores": {_label(version, labels): round(score, 6) for version, score in one.scores},
                "by_rule": one.by_rule,
                "violation": one.verdict,
                "text": one.text,
            }
            for one in found.examples
        ],
    }


def _rescored(found: Rescored) -> dict[str, object]:
    median, late, most = _quantiles(found)
    return {
        "events": len(found.differences),
        "difference_median": median,
        "difference_p99": late,
        "difference_most": most,
        "decided_otherwise": found.crossed,
    }


def _table(trial: ModelTrial) -> list[str]:
    """Columns two apart whatever they hold: a terminal wraps long lines, and figures must not run together."""
    rows: list[tuple[str, ...]] = [
        ("domain", "", "alerts", "a day", "judged", "precision", "violations found")
    ]
    for name, found in trial.by_domain.items():
        rows.append(_row(trial, "tried", found.alerts, found.judged, name))
        rows.append(_row(trial, "happened", found.happened, found.judged_then, ""))
        budget = trial.policy.domains[name].alerts_per_day
        if budget is not None:
            rows.append(("", "budget", "", f"{budget:,}", "", "", ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if index in _LEFT else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _row(trial: ModelTrial, side: str, alerts: int, judged: Judged, name: str) -> tuple[str, ...]:
    precision = _precision(judged)
    a_day = f"{alerts / trial.days:,.1f}" if trial.days else "-"
    known = judged.right + judged.missed
    found = f"{judged.right:,} of {known:,}" if known else "-"
    return name, side, f"{alerts:,}", a_day, f"{precision.of:,}", _share(precision), found


def _differences(title: str, found: Judgements, labels: Labels) -> list[str]:
    if not found.alerts:
        return []
    unknown = found.alerts - found.violations - found.harmless
    lines = [
        "",
        f"{title}: {found.alerts:,}; judged violation {found.violations:,}, no violation {found.harmless:,}, "
        f"not judged {unknown:,}. For example",
    ]
    return [*lines, *(f"    {_example(one, labels)}" for one in found.examples)]


def _example(one: Example, labels: Labels) -> str:
    by = [f"{_label(version, labels)} {score:.3f}" for version, score in one.scores]
    if one.by_rule:
        by.append("a rule")
    verdict = {True: "violation", False: "no violation", None: "not judged"}[one.verdict]
    text = one.text if len(one.text) <= _SHOWN else one.text[: _SHOWN - 1] + "…"
    return f"{', '.join(by) or 'no score'} ({verdict}): {text}"


def _careful(trial: ModelTrial, labels: Labels) -> list[str]:
    lines = []
    for version, found in sorted(trial.rescored.items()):
        median, late, most = _quantiles(found)
        lines.append(
            f"{_label(version, labels)} on masked input against its recorded scores, {len(found.differences):,} events: "
            f"they differ by {median:.4f} (median), {late:.4f} (99 of 100), {most:.4f} at most; "
            f"{found.crossed:,} would be decided otherwise"
        )
    for name, outcome in trial.by_domain.items():
        if _adaptive(trial, name):
            lines.append(
                f"{name}: adaptive; tried with the written threshold, which the engine would move to keep the budget"
            )
        if outcome.unscored:
            lines.append(
                f"{name}: {outcome.unscored:,} of {outcome.events:,} events have no score of a model that decides"
            )
    if 0 < trial.days < 1:
        lines.append("less than a day of events: alerts a day are drawn out from it")
    lines += [
        f"skipped: {number:,} {reason}, e.g. {trial.skipped_examples[reason]}"
        for reason, number in trial.skipped.most_common()
    ]
    if trial.repeats:
        lines.append(f"{trial.repeats:,} repeated deliveries were counted once")
    return ["", *lines] if lines else []


def _precision(judged: Judged) -> Share:
    return share(judged.right, judged.right + judged.wrong)


def _quantiles(found: Rescored) -> tuple[float, float, float]:
    median, late, most = np.quantile(found.differences, (0.5, 0.99, 1.0))
    return float(median), float(late), float(most)


def _label(version: ModelVersion, labels: Labels) -> str:
    return labels.get(version, str(version))


def _share(found: Share) -> str:
    return "-" if found.value is None else f"{found.value:.1%} ({found.low:.1%} to {found.high:.1%})"
