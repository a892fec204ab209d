"""The report's sections on one model, a function each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.evaluation.findings import Findings, NoiseReading, Options
from models.evaluation.gates import HAS_IMAGE, GateReading
from models.evaluation.quality import Quality
from models.evaluation.rules_cost import RulesCost
from models.evaluation.subject import Examples, Subject
from models.evaluation.wording import cell, count, number, picture, share, signed_share


def review_section(subject: Subject, findings: Findings, plots: Mapping[str, str]) -> list[str]:
    """Precision at the numbers of alerts that moderators read."""
    natural = findings.natural
    lines = [
        "## What moderators would read",
        "",
        "Precision at K: if they read the K highest, how many are violations.",
        "",
        "| K | violations among them | precision | share of all violations |",
        "|---:|---:|---:|---:|",
    ]
    for k, one in natural.precision_at.items():
        found = round((one.value or 0.0) * k)
        lines.append(f"| {k:,} | {found:,} | {share(one)} | {found / natural.positives:.1%} |")
    lines += ["", *picture("precision_at_k", "Precision at K", plots)]
    if any(k > natural.positives for k in natural.precision_at):
        lines += [
            f"With {natural.positives:,} violations among these {subject.kind}s, precision at a larger K cannot reach 100%.",
            "",
        ]
    return lines


def ranking_section(findings: Findings, options: Options, plots: Mapping[str, str]) -> list[str]:
    """The measures of ranking, as in the data and at the stated ratio."""
    natural, at_ratio = findings.natural, findings.at_ratio
    ratio = (at_ratio.examples - at_ratio.positives) / at_ratio.positives
    same = at_ratio.examples == natural.examples
    ks = [k for k in at_ratio.precision_at if k in natural.precision_at]
    return [
        "## How well violations are ranked",
        "",
        f"| | as in the data | 1 : {ratio:.3g} |",
        "|---|---:|---:|",
        *(
            f"| {name} | {one} | {other} |"
            for (name, one), (_, other) in zip(_column(natural, ks), _column(at_ratio, ks), strict=True)
        ),
        "",
        (
            f"The data holds no more than {options.ratio:g} other rows for each violation, so both columns are the same rows."
            if same
            else f"The second column keeps all violations and {options.ratio:g} other rows for each (drawn with seed "
            f"{options.seed}), to compare with figures published at that ratio. Average precision and precision are "
            "never lower there; what moderators will see is the first column."
        ),
        "",
        *picture("precision_recall", "Precision and recall", plots),
    ]


def threshold_section(findings: Findings) -> list[str]:
    """What alerting at the model's threshold gives."""
    at = findings.natural.at_threshold
    if at is None:
        return [
            "## At the threshold",
            "",
            "The model's metadata names no threshold: none reached the precision wanted.",
            "",
        ]
    missed = findings.natural.positives - at.found
    return [
        f"## At the threshold {at.threshold:g}",
        "",
        f"{at.alerts:,} alerts, {at.found:,} right and {at.alerts - at.found:,} wrong; {missed:,} violations score below it.",
        "",
        f"Precision {share(at.precision)}, recall {share(at.recall)}.",
        "",
    ]


def rules_section(subject: Subject, rules: RulesCost | None) -> list[str]:
    """The human cost of matching the rules, and coverage beside them."""
    head = ["## Beside the rules", ""]
    if rules is None:
        return [*head, "Not compared: `--rules DIR` names a rule set.", ""]
    about = f"{subject.active_rules} active rules of the domain in {subject.rules}"
    if not rules.rule_alerts:
        return [*head, f"{about}: none fires on these rows.", ""]
    lines = [
        *head,
        f"{about}: {rules.rule_alerts:,} alerts, {rules.rule_found:,} of them right: precision "
        f"{share(rules.rule_precision)}, recall {share(rules.rule_recall)}.",
        "",
    ]
    if not rules.rule_found:
        return [*lines, "They find no violation here, so there is nothing to match.", ""]
    if rules.alerts_needed.value is not None:
        lines += [
            f"**Human cost.** To find as many violations ({rules.rule_found:,}), a moderator reads the model's "
            f"{count(rules.alerts_needed)} highest: {share(rules.reading)} of the {rules.rule_alerts:,} alerts that the "
            "rules raise.",
            "",
        ]
    return [
        *lines,
        f"**Coverage.** At the same budget, the model's {rules.rule_alerts:,} highest against the rules' "
        f"{rules.rule_alerts:,}:",
        "",
        "| | found by the rules | not by the rules |",
        "|---|---:|---:|",
        f"| found by the model | {rules.both:,} | {rules.only_model:,} |",
        f"| not by the model | {rules.only_rules:,} | {rules.neither:,} |",
        "",
        f"Coverage gain of the model over the rules: {signed_share(rules.coverage_gain)}. Both together raise "
        f"{rules.together:,} alerts and find {signed_share(rules.added)} beyond the rules alone.",
        "",
    ]


def gates_section(reading: GateReading, plots: Mapping[str, str]) -> list[str]:
    """Weights of text and picture."""
    lines = [
        "## Where the model looked",
        "",
        "The gate weighs text against picture for each listing; the weights of both add up to 1.",
        "",
        "| listings | how many | mean weight of the text | of the picture | middle half, text |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {g.title} | {g.listings:,} | {number(g.mean)} | {1 - (g.mean.value or 0.0):.3f} | "
        f"{g.quartiles[0]:.2f} to {g.quartiles[2]:.2f} |"
        for g in reading.groups
    ]
    lines += ["", *picture("gates", "Weights of text and picture", plots)]
    if reading.without_picture and reading.by != HAS_IMAGE:
        lines += [
            f"{reading.without_picture:,} listings without a picture are left out: all the weight is the text's there.",
            "",
        ]
    if reading.unknown:
        lines += [f"{reading.unknown:,} listings do not say {reading.by} and are in the first rows only.", ""]
    return lines


def noise_section(findings: Findings, noise: NoiseReading) -> list[str]:
    """How far the labels err, where the truth is known."""
    natural = findings.natural
    return [
        "## Labels that err",
        "",
        f"These examples know the truth beside their labels. {noise.missed:,} violations are labelled as none, and "
        f"{noise.falsely:,} of the {natural.positives:,} labelled as violations are none. Average precision is "
        f"{number(natural.average_precision)} against the labels, {number(noise.average_precision)} against the truth.",
        "",
    ]


def calibration_section(findings: Findings, plots: Mapping[str, str]) -> list[str]:
    """Whether scores can be read as probabilities."""
    found = findings.calibration
    of_alerts = "no row scores that high" if found.of_alerts is None else f"{found.of_alerts:.3f}"
    return [
        "## Whether a score is a probability",
        "",
        *picture("reliability", "Reliability", plots),
        f"Expected calibration error {found.expected_error:.4f} over all rows, {of_alerts} among those that score 0.5 or "
        f"more (ten bins of equal width); Brier score {found.brier:.4f}. Points below the diagonal: the score promises "
        "more than it keeps, as a model does that learnt from more violations than traffic holds. Thresholds are chosen "
        "on data and need no calibration; do not read scores as percentages unless the points lie on the diagonal.",
        "",
    ]


def disagreements_section(examples: Examples) -> list[str]:
    """Rows at which label and score disagree most."""
    if not examples.high_negatives and not examples.low_positives:
        return []
    lines = [
        "## Look at these",
        "",
        "Where label and score disagree most: the model's errors, or the labels'.",
        "",
    ]
    for title, shown in (
        ("labelled as no violation, scored highest", examples.high_negatives),
        ("labelled as violations, scored lowest", examples.low_positives),
    ):
        if shown:
            lines += [f"| {title} | score | words |", "|---|---:|---|"]
            lines += [f"| {one.place} | {one.score:.4f} | {cell(one.text)} |" for one in shown]
            lines.append("")
    return lines


def _column(quality: Quality, ks: Sequence[int]) -> list[tuple[str, str]]:
    at = quality.at_threshold
    return [
        ("examples", f"{quality.examples:,}"),
        ("violations", f"{quality.positives:,} ({quality.prevalence:.1%})"),
        ("AUROC", number(quality.auroc)),
        ("average precision", number(quality.average_precision)),
        *((f"precision@{k}", share(quality.precision_at[k])) for k in ks),
        ("precision at the threshold", "no threshold" if at is None else share(at.precision)),
        ("recall at the threshold", "no threshold" if at is None else share(at.recall)),
    ]
