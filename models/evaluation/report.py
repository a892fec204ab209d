"""The report as Markdown, for the person who decides whether a model goes live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.evaluation.champion import comparison_section
from models.evaluation.findings import Findings, Options
from models.evaluation.sections import (
    calibration_section,
    disagreements_section,
    gates_section,
    noise_section,
    ranking_section,
    review_section,
    rules_section,
    threshold_section,
)
from models.evaluation.subject import Examples, Subject
from models.evaluation.wording import count, share, signed

#: Below so many positives an interval of average precision is a good part of the scale (some ±0.1).
_FEW_POSITIVES = 100


def as_markdown(
    subject: Subject, findings: Findings, options: Options, examples: Examples, plots: Mapping[str, str]
) -> str:
    """The whole report; `plots` maps what a picture shows to its file beside the report."""
    parts: list[Iterable[str]] = [
        [f"# {subject.model}: {subject.domain}", ""],
        _in_short(subject, findings),
    ]
    if findings.differences:
        parts.append(comparison_section(subject, findings, plots))
    parts += [
        review_section(subject, findings, plots),
        ranking_section(findings, options, plots),
        threshold_section(findings),
        rules_section(subject, findings.rules),
    ]
    if findings.gates is not None:
        parts.append(gates_section(findings.gates, plots))
    if findings.noise is not None:
        parts.append(noise_section(findings, findings.noise))
    parts += [
        calibration_section(findings, plots),
        disagreements_section(examples),
        _cannot_say(subject, findings),
    ]
    parts.append(_made_with(subject, options))
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def summary(subject: Subject, findings: Findings) -> list[str]:
    """The few sentences that the terminal shows."""
    return [
        line.removeprefix("- ").replace("**", "")
        for line in _in_short(subject, findings)
        if line.startswith("-")
    ]


def _in_short(subject: Subject, findings: Findings) -> list[str]:
    natural = findings.natural
    things = f"{subject.kind}s"
    lines = [
        f"- {natural.examples:,} {things} of {subject.data}, of which {natural.positives:,} "
        f"({natural.prevalence:.1%}) are labelled as violations."
    ]
    if natural.precision_at:
        k = max(
            (k for k in natural.precision_at if k <= natural.positives), default=min(natural.precision_at)
        )
        lines.append(
            f"- Of the {k:,} {things} that the model ranks highest, {share(natural.precision_at[k])} are violations."
        )
    at = natural.at_threshold
    if at is not None:
        lines.append(
            f"- Alerting from its threshold {at.threshold:g} on gives {at.alerts:,} alerts: {share(at.precision)} are "
            f"right, and they are {share(at.recall)} of all violations."
        )
    rules = findings.rules
    if rules is not None and rules.rule_found:
        needed = rules.alerts_needed
        lines.append(
            f"- The rules raise {rules.rule_alerts:,} alerts to find {rules.rule_found:,} violations. "
            + (
                f"Reading the model's {count(needed)} highest finds as many."
                if needed.value is not None
                else "The model's scores cannot find as many."
            )
        )
    if findings.differences:
        first = findings.differences[0]
        lines.append(
            f"- Against the champion {subject.champion}: **{first.verdict}** in {first.measure} "
            f"({first.challenger:.3f} against {first.champion:.3f}, difference {signed(first.difference)}, "
            f"margin {first.margin:g})."
        )
    if subject.learnt_from:
        lines.append(
            "- **The model has learnt from these rows or from some of them, or its threshold and best epoch were chosen on them: the "
            "figures are better than they will be in use.**"
        )
    return [*lines, "", "Figures in brackets are 95% intervals.", ""]


def _cannot_say(subject: Subject, findings: Findings) -> list[str]:
    natural = findings.natural
    width = (natural.average_precision.high or 0.0) - (natural.average_precision.low or 0.0)
    lines = ["## What this cannot say", ""]
    if natural.positives < _FEW_POSITIVES:
        lines.append(
            f"- There are only {natural.positives:,} violations. The interval of average precision is {width:.2f} wide, and "
            "percentile intervals of so few are rather too narrow than too wide."
        )
    lines.append(
        "- Labels are taken as the truth. Violations that nobody labelled count as wrong alerts, so precision may be "
        "better than stated, and recall worse where labels come from what rules or an older model alerted on."
    )
    if natural.prevalence > 0.1:
        lines.append(
            f"- {natural.prevalence:.0%} of these rows are violations, far more than in traffic: precision will be lower "
            "there. AUROC and recall carry over, precision and average precision do not."
        )
    if subject.groups < subject.rows:
        lines.append(
            f"- The {subject.rows:,} rows come from {subject.groups:,} {'conversations' if subject.kind == 'message' else 'listings'}; whole ones are resampled, "
            "since their rows are no independent witnesses."
        )
    if subject.unlabelled:
        lines.append(f"- {subject.unlabelled:,} rows without a label for {subject.label} were left out.")
    if subject.left_out:
        lines.append(
            f"- {subject.left_out:,} labelled rows carry no recorded score of {subject.champion} and were left out: the "
            "verdict speaks of what the champion has seen."
        )
    if findings.rules is not None:
        lines.append(
            "- Rules were tried as they are now, also on rows older than they are; rules in mode shadow or off were not."
        )
    lines.append(
        "- Intervals say how far the figures vary on other rows of this kind. They know nothing of drift, of new tricks, or "
        "of a marketplace unlike this data."
    )
    return [*lines, ""]


def _made_with(subject: Subject, options: Options) -> list[str]:
    lines = [
        "## How this was made",
        "",
        f"- model: {subject.model}, model.onnx `{subject.model_sha256}`, scored with ONNX Runtime as exported",
    ]
    if subject.champion:
        lines.append(f"- champion: {subject.champion}, model.onnx `{subject.champion_sha256}`")
    lines.append(
        f"- data: {subject.data}; {subject.rows:,} labelled rows, fingerprint `{subject.fingerprint}`"
    )
    lines += [f"    - {name} `{digest}`" for name, digest in subject.files.items()]
    if subject.part_of:
        lines.append(f"- these are the rows that the model's metadata calls `{subject.part_of}`")
    lines += [
        f"- label: `{subject.label}`",
        f"- intervals: percentile bootstrap, 95%, {options.resamples:,} resamples, stratified by class, seed "
        f"{options.seed}; Wilson's where all or none of the rows count",
        f"- made {subject.evaluated_at} with "
        + ", ".join(f"{name} {number}" for name, number in subject.versions.items()),
    ]
    return lines
