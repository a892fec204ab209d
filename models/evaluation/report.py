"""The report as Markdown, for the person who decides whether a model goes live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from models.evaluation.comparison import Difference
from models.evaluation.findings import Findings, NoiseReading, Options
from models.evaluation.gates import HAS_IMAGE, GateReading
from models.evaluation.intervals import Estimate
from models.evaluation.quality import Quality
from models.evaluation.rules_cost import RulesCost

#: Below so many positives an interval of average precision is a good part of the scale (some ±0.1).
_FEW_POSITIVES = 100


@dataclass(frozen=True, slots=True)
class Shown:
    """A row for a person to look at: where it stands, its score, its words with personal data masked."""

    place: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated, on what. `part_of` is the part of the model's own data that these rows are."""

    model: str
    domain: str
    label: str
    kind: str
    model_sha256: str
    data: str
    files: Mapping[str, str]
    fingerprint: str
    rows: int
    unlabelled: int
    groups: int
    evaluated_at: str
    part_of: str | None = None
    learnt_from: bool = False
    rules: str | None = None
    active_rules: int = 0
    champion: str | None = None
    champion_sha256: str | None = None
    champion_scores: str | None = None
    left_out: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Examples:
    """Rows at which label and score disagree most."""

    high_negatives: tuple[Shown, ...] = ()
    low_positives: tuple[Shown, ...] = ()


def as_markdown(
    subject: Subject, findings: Findings, options: Options, examples: Examples, plots: Mapping[str, str]
) -> str:
    """The whole report; `plots` maps what a picture shows to its file beside the report."""
    parts: list[Iterable[str]] = [
        [f"# {subject.model}: {subject.domain}", ""],
        _in_short(subject, findings),
    ]
    if findings.differences:
        parts.append(_comparison(subject, findings, plots))
    parts += [
        _review(subject, findings, plots),
        _ranking(findings, options, plots),
        _threshold(findings),
        _rules(subject, findings.rules),
    ]
    if findings.gates is not None:
        parts.append(_gates(findings.gates, plots))
    if findings.noise is not None:
        parts.append(_noise(findings, findings.noise))
    parts += [_calibration(findings, plots), _disagreements(examples), _cannot_say(subject, findings)]
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
            f"- Of the {k:,} {things} that the model ranks highest, {_share(natural.precision_at[k])} are violations."
        )
    at = natural.at_threshold
    if at is not None:
        lines.append(
            f"- Alerting from its threshold {at.threshold:g} on gives {at.alerts:,} alerts: {_share(at.precision)} are "
            f"right, and they are {_share(at.recall)} of all violations."
        )
    rules = findings.rules
    if rules is not None and rules.rule_found:
        needed = rules.alerts_needed
        lines.append(
            f"- The rules raise {rules.rule_alerts:,} alerts to find {rules.rule_found:,} violations. "
            + (
                f"Reading the model's {_count(needed)} highest finds as many."
                if needed.value is not None
                else "The model's scores cannot find as many."
            )
        )
    if findings.differences:
        first = findings.differences[0]
        lines.append(
            f"- Against the champion {subject.champion}: **{first.verdict}** in {first.measure} "
            f"({first.challenger:.3f} against {first.champion:.3f}, difference {_signed(first.difference)}, "
            f"margin {first.margin:g})."
        )
    if subject.learnt_from:
        lines.append(
            "- **The model has learnt from these rows, or its threshold and best epoch were chosen on them: the "
            "figures are better than they will be in use.**"
        )
    return [*lines, "", "Figures in brackets are 95% intervals.", ""]


def _comparison(subject: Subject, findings: Findings, plots: Mapping[str, str]) -> list[str]:
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
        f"| {one.measure} | {one.champion:.4f} | {one.challenger:.4f} | {_signed(one.difference)} | "
        f"{one.lower:+.4f}, {one.upper:+.4f} | {_p(one)} | {one.verdict} |"
        for one in differences
    ]
    return [
        *lines,
        "",
        *_picture("differences", "Differences with their intervals", plots),
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
        f"| champion | {theirs.threshold:g} | {theirs.alerts:,} | {found:,} | {_plain_share(theirs.precision)} | "
        f"{theirs.recall:.1%} |",
        f"| challenger | {ours.threshold:g} | {ours.alerts:,} | {ours.found:,} | {_plain_share(ours.precision.value)} | "
        f"{_plain_share(ours.recall.value)} |",
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


def _review(subject: Subject, findings: Findings, plots: Mapping[str, str]) -> list[str]:
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
        lines.append(f"| {k:,} | {found:,} | {_share(one)} | {found / natural.positives:.1%} |")
    lines += ["", *_picture("precision_at_k", "Precision at K", plots)]
    if any(k > natural.positives for k in natural.precision_at):
        lines += [
            f"With {natural.positives:,} violations among these {subject.kind}s, precision at a larger K cannot reach 100%.",
            "",
        ]
    return lines


def _ranking(findings: Findings, options: Options, plots: Mapping[str, str]) -> list[str]:
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
        *_picture("precision_recall", "Precision and recall", plots),
    ]


def _column(quality: Quality, ks: Sequence[int]) -> list[tuple[str, str]]:
    at = quality.at_threshold
    return [
        ("examples", f"{quality.examples:,}"),
        ("violations", f"{quality.positives:,} ({quality.prevalence:.1%})"),
        ("AUROC", _number(quality.auroc)),
        ("average precision", _number(quality.average_precision)),
        *((f"precision@{k}", _share(quality.precision_at[k])) for k in ks),
        ("precision at the threshold", "no threshold" if at is None else _share(at.precision)),
        ("recall at the threshold", "no threshold" if at is None else _share(at.recall)),
    ]


def _threshold(findings: Findings) -> list[str]:
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
        f"Precision {_share(at.precision)}, recall {_share(at.recall)}.",
        "",
    ]


def _rules(subject: Subject, rules: RulesCost | None) -> list[str]:
    head = ["## Beside the rules", ""]
    if rules is None:
        return [*head, "Not compared: `--rules DIR` names a rule set.", ""]
    about = f"{subject.active_rules} active rules of the domain in {subject.rules}"
    if not rules.rule_alerts:
        return [*head, f"{about}: none fires on these rows.", ""]
    lines = [
        *head,
        f"{about}: {rules.rule_alerts:,} alerts, {rules.rule_found:,} of them right: precision "
        f"{_share(rules.rule_precision)}, recall {_share(rules.rule_recall)}.",
        "",
    ]
    if not rules.rule_found:
        return [*lines, "They find no violation here, so there is nothing to match.", ""]
    if rules.alerts_needed.value is not None:
        lines += [
            f"**Human cost.** To find as many violations ({rules.rule_found:,}), a moderator reads the model's "
            f"{_count(rules.alerts_needed)} highest: {_share(rules.reading)} of the {rules.rule_alerts:,} alerts that the "
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
        f"Coverage gain of the model over the rules: {_signed_share(rules.coverage_gain)}. Both together raise "
        f"{rules.together:,} alerts and find {_signed_share(rules.added)} beyond the rules alone.",
        "",
    ]


def _gates(reading: GateReading, plots: Mapping[str, str]) -> list[str]:
    lines = [
        "## Where the model looked",
        "",
        "The gate weighs text against picture for each listing; the weights of both add up to 1.",
        "",
        "| listings | how many | mean weight of the text | of the picture | middle half, text |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {g.title} | {g.listings:,} | {_number(g.mean)} | {1 - (g.mean.value or 0.0):.3f} | "
        f"{g.quartiles[0]:.2f} to {g.quartiles[2]:.2f} |"
        for g in reading.groups
    ]
    lines += ["", *_picture("gates", "Weights of text and picture", plots)]
    if reading.without_picture and reading.by != HAS_IMAGE:
        lines += [
            f"{reading.without_picture:,} listings without a picture are left out: all the weight is the text's there.",
            "",
        ]
    if reading.unknown:
        lines += [f"{reading.unknown:,} listings do not say {reading.by} and are in the first rows only.", ""]
    return lines


def _noise(findings: Findings, noise: NoiseReading) -> list[str]:
    natural = findings.natural
    return [
        "## Labels that err",
        "",
        f"These examples know the truth beside their labels. {noise.missed:,} violations are labelled as none, and "
        f"{noise.falsely:,} of the {natural.positives:,} labelled as violations are none. Average precision is "
        f"{_number(natural.average_precision)} against the labels, {_number(noise.average_precision)} against the truth.",
        "",
    ]


def _calibration(findings: Findings, plots: Mapping[str, str]) -> list[str]:
    found = findings.calibration
    of_alerts = "no row scores that high" if found.of_alerts is None else f"{found.of_alerts:.3f}"
    return [
        "## Whether a score is a probability",
        "",
        *_picture("reliability", "Reliability", plots),
        f"Expected calibration error {found.expected_error:.4f} over all rows, {of_alerts} among those that score 0.5 or "
        f"more (ten bins of equal width); Brier score {found.brier:.4f}. Points below the diagonal: the score promises "
        "more than it keeps, as a model does that learnt from more violations than traffic holds. Thresholds are chosen "
        "on data and need no calibration; do not read scores as percentages unless the points lie on the diagonal.",
        "",
    ]


def _disagreements(examples: Examples) -> list[str]:
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
            lines += [f"| {one.place} | {one.score:.4f} | {_cell(one.text)} |" for one in shown]
            lines.append("")
    return lines


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


def _picture(name: str, title: str, plots: Mapping[str, str]) -> list[str]:
    return [f"![{title}]({plots[name]})", ""] if name in plots else []


def _number(one: Estimate) -> str:
    if one.value is None:
        return "none"
    return f"{one.value:.3f}" + (f" [{one.low:.3f}, {one.high:.3f}]" if one.low is not None else "")


def _share(one: Estimate) -> str:
    if one.value is None:
        return "none"
    return f"{one.value:.1%}" + (f" [{one.low:.1%}, {one.high:.1%}]" if one.low is not None else "")


def _plain_share(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _count(one: Estimate) -> str:
    if one.value is None:
        return "none"
    return f"{one.value:,.0f}" + (f" [{one.low:,.0f}, {one.high:,.0f}]" if one.low is not None else "")


def _signed(one: Estimate) -> str:
    if one.value is None:
        return "none"
    return f"{one.value:+.4f}" + (f" [{one.low:+.4f}, {one.high:+.4f}]" if one.low is not None else "")


def _signed_share(one: Estimate) -> str:
    if one.value is None:
        return "none"
    return f"{one.value:+.1%}" + (f" [{one.low:+.1%}, {one.high:+.1%}]" if one.low is not None else "")


def _cell(text: str) -> str:
    """Words of others within a table: on one line, and nothing in them read as Markdown."""
    plain = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|!#" else letter for letter in plain)
