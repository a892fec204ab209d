"""The report's section on a challenger beside the champion."""

from __future__ import annotations

from collections.abc import Mapping

from models.evaluation.comparison import Difference
from models.evaluation.findings import Findings
from models.evaluation.subject import Subject
from models.evaluation.wording import picture, plain_share, signed


def comparison_section(subject: Subject, findings: Findings, plots: Mapping[str, str]) -> list[str]:
    """Differences, the verdict and its reason, and what the change would mean for the moderators' queue."""
    differences, positives = findings.differences, findings.natural.positives
    first = differences[0]
    lines = [
        f"## Against the champion {subject.champion}",
        "",
        f"Both are judged on the same {subject.rows:,} rows. The champion's scores: {subject.champion_scores}.",
        "",
        "| | champion | challenger | difference | one-sided 95% bounds | p (worse by the margin) | verdict |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {one.measure} | {one.champion:.4f} | {one.challenger:.4f} | {signed(one.difference)} | "
        f"{one.lower:+.4f}, {one.upper:+.4f} | {_p(one)} | {one.verdict} |"
        for one in differences
    ]
    return [
        *lines,
        "",
        *picture("differences", "Differences with their intervals", plots),
        f"**{first.verdict.capitalize()}**, by average precision: {_reason(first, positives)} The test is one of "
        f'non-inferiority, one-sided at 5%, with a margin of {first.margin:g}: "not worse" is said only where a '
        "challenger that is worse by the margin would pass in about one of twenty cases. Precision@K is reported "
        "beside it and does not decide: it moves in steps of 1/K.",
        "",
        *_thresholds(findings),
    ]


def _thresholds(findings: Findings) -> list[str]:
    """What the change would mean for the moderators' queue."""
    ours, theirs = findings.natural.at_threshold, findings.champion_at_threshold
    if ours is None or theirs is None:
        return []
    found = round(theirs.recall * findings.natural.positives)
    return [
        "Each at its own threshold:",
        "",
        "| | threshold | alerts | right | precision | recall |",
        "|---|---:|---:|---:|---:|---:|",
        f"| champion | {theirs.threshold:g} | {theirs.alerts:,} | {found:,} | {plain_share(theirs.precision)} | "
        f"{theirs.recall:.1%} |",
        f"| challenger | {ours.threshold:g} | {ours.alerts:,} | {ours.found:,} | {plain_share(ours.precision.value)} | "
        f"{plain_share(ours.recall.value)} |",
        "",
    ]


def _p(one: Difference) -> str:
    return f"{one.beyond_margin:.3f}" if one.varies else "none"


def _reason(one: Difference, positives: int) -> str:
    if not one.varies:
        return "both find all there is to find in every resample: these rows are too easy to tell them apart."
    if one.verdict == "better":
        return f"the lower bound of the difference, {one.lower:+.4f}, lies above 0."
    if one.verdict == "not worse":
        below = " It may be a little worse: the upper bound lies below 0." if one.upper < 0 else ""
        return f"the lower bound of the difference, {one.lower:+.4f}, lies above -{one.margin:g}.{below}"
    if one.verdict == "worse":
        return (
            f"the upper bound of the difference, {one.upper:+.4f}, lies below 0, and the lower, {one.lower:+.4f}, "
            f"not above -{one.margin:g}."
        )
    # The width of an interval falls with the square root of what it rests on.
    needed = (
        positives * ((one.difference.value or 0.0) - one.lower) ** 2 / one.margin**2 if one.margin else None
    )
    enough = f"; with some {needed:,.0f} violations an equal model could show it" if needed else ""
    return (
        f"the difference may be as low as {one.lower:+.4f}, beyond the margin, and as high as {one.upper:+.4f}. These "
        f"{positives:,} violations are too few to tell{enough}."
    )
