"""The report's pictures, drawn without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.evaluation.findings import Findings
from models.evaluation.gates import GateGroup, GateReading

_MODEL: Final = "#1f5fa8"
_OTHER: Final = "#c4622d"
_QUIET: Final = "#8a8a8a"
_SIZE: Final = (6.4, 4.4)
_DPI: Final = 120


def draw(findings: Findings, directory: Path) -> dict[str, str]:
    """Write the pictures as PNG files; their names by what they show."""
    files = {
        "precision_recall": "precision_recall.png",
        "precision_at_k": "precision_at_k.png",
        "reliability": "reliability.png",
    }
    _write(_precision_recall(findings), directory / files["precision_recall"])
    _write(_precision_at_k(findings), directory / files["precision_at_k"])
    _write(_reliability(findings), directory / files["reliability"])
    if findings.gates is not None and findings.gates.groups:
        files["gates"] = "gates.png"
        _write(_gates(findings.gates), directory / files["gates"])
    if findings.differences:
        files["differences"] = "differences.png"
        _write(_differences(findings), directory / files["differences"])
    return files


def _precision_recall(findings: Findings) -> Figure:
    figure, axes = _new(
        "share of all violations that are found (recall)", "share of alerts that are right (precision)"
    )
    if findings.champion_pr_curve:
        axes.plot(
            *zip(*findings.champion_pr_curve, strict=True), color=_OTHER, lw=1.8, ls="--", label="champion"
        )
    name = "challenger" if findings.champion_pr_curve else "model"
    axes.plot(*zip(*findings.pr_curve, strict=True), color=_MODEL, lw=1.8, label=name)
    at = findings.natural.at_threshold
    if at is not None and at.precision.value is not None:
        axes.plot(
            _drawn(at.recall.value),
            _drawn(at.precision.value),
            "o",
            color=_MODEL,
            ms=8,
            label=f"at its threshold, {at.threshold:g}",
        )
    rules = findings.rules
    if rules is not None and rules.rule_precision.value is not None:
        axes.plot(
            _drawn(rules.rule_recall.value),
            _drawn(rules.rule_precision.value),
            "D",
            color="black",
            ms=7,
            label="rules",
        )
    axes.axhline(findings.natural.prevalence, color=_QUIET, lw=1, ls=":", label="without any knowledge")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
    axes.legend(loc="lower left", frameon=False)
    return figure


def _precision_at_k(findings: Findings) -> Figure:
    figure, axes = _new("alerts read, from the highest score down (K)", "share of them that are violations")
    curve = findings.natural.curve
    ks = [k for k, _ in curve]
    axes.fill_between(
        ks, [_drawn(one.low) for _, one in curve], [_drawn(one.high) for _, one in curve], color=_MODEL, alpha=0.2, lw=0,
        label="95% interval",
    )  # fmt: skip
    axes.plot(ks, [_drawn(one.value) for _, one in curve], color=_MODEL, lw=1.8, label="model")
    positives = findings.natural.positives
    axes.axvline(positives, color=_QUIET, lw=1, ls=":", label=f"as many alerts as violations ({positives:,})")
    rules = findings.rules
    if rules is not None and rules.rule_precision.value is not None:
        axes.plot(
            rules.rule_alerts, _drawn(rules.rule_precision.value), "D", color="black", ms=7, label="rules"
        )
    axes.set(xscale="log", ylim=(0, 1.04))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(loc="lower left", frameon=False)
    return figure


def _reliability(findings: Findings) -> Figure:
    figure, axes = _new("score", "share that are violations")
    axes.plot([0, 1], [0, 1], color=_QUIET, lw=1, ls=":", label="a score that is a probability")
    bins = findings.calibration.bins
    shares = [one.violations.value or 0.0 for one in bins]
    # Not below 0: Wilson's end and the share itself may differ in the last bit.
    below = [max(0.0, share - (one.violations.low or 0.0)) for share, one in zip(shares, bins, strict=True)]
    above = [max(0.0, (one.violations.high or 0.0) - share) for share, one in zip(shares, bins, strict=True)]
    axes.errorbar(
        [one.mean_score for one in bins], shares, yerr=[below, above], fmt="o-", color=_MODEL, capsize=3, lw=1.5,
        label="model, 95% interval",
    )  # fmt: skip
    for one, share in zip(bins, shares, strict=True):
        axes.annotate(
            f"{one.examples:,}",
            (one.mean_score, share),
            (5, -11),
            textcoords="offset points",
            fontsize=7.5,
            color="#555555",
        )
    axes.set(xlim=(-0.02, 1.04), ylim=(-0.04, 1.04))
    axes.legend(
        loc="upper left",
        frameon=False,
        title="numbers: rows of that score",
        title_fontsize=8,
        alignment="left",
    )
    return figure


def _gates(reading: GateReading) -> Figure:
    figure, axes = _new("weight of the text", "")
    figure.set_size_inches(_SIZE[0], 1.6 + 0.5 * len(reading.groups))
    boxes = [
        {"med": g.quartiles[1], "q1": g.quartiles[0], "q3": g.quartiles[2], "whislo": g.quartiles[0], "whishi": g.quartiles[2], "fliers": []}
        for g in reading.groups
    ]  # fmt: skip
    places = list(range(len(boxes), 0, -1))
    drawn: dict[str, Any] = axes.bxp(
        boxes,
        positions=places,
        orientation="horizontal",
        widths=0.5,
        patch_artist=True,
        showfliers=False,
        showcaps=False,
    )
    for box, group in zip(drawn["boxes"], reading.groups, strict=True):
        box.set(facecolor=_OTHER if group.positive else _MODEL, alpha=0.45)
    for median in drawn["medians"]:
        median.set_color("black")
    axes.plot([_drawn(g.mean.value) for g in reading.groups], places, "D", color="black", ms=4)
    axes.set_yticks(places, [_printable(_two_lines(g)) for g in reading.groups])
    axes.set(xlim=(0, 1))
    figure.suptitle(
        "box: middle half of the listings; line: median; diamond: mean", fontsize=8.5, color="#555555"
    )
    return figure


def _two_lines(group: GateGroup) -> str:
    words, comma, attribute = group.title.partition(", ")
    return f"{words}\n{attribute} ({group.listings:,})" if comma else f"{words} ({group.listings:,})"


def _differences(findings: Findings) -> Figure:
    figure, axes = _new("challenger less champion", "")
    figure.set_size_inches(_SIZE[0], 1.4 + 0.5 * len(findings.differences))
    places = list(range(len(findings.differences), 0, -1))
    for place, one in zip(places, findings.differences, strict=True):
        value = one.difference.value or 0.0
        low, high = one.difference.low, one.difference.high
        if low is not None and high is not None:
            axes.plot([low, high], [place, place], color=_MODEL, lw=2)
        axes.plot([one.lower, one.lower], [place - 0.12, place + 0.12], color=_MODEL, lw=2)
        axes.plot(value, place, "o", color=_MODEL)
    axes.axvline(0, color=_QUIET, lw=1)
    margin = findings.differences[0].margin
    axes.axvline(-margin, color=_OTHER, lw=1.2, ls="--")
    axes.set_yticks(places, [f"{one.measure}\n{one.verdict}" for one in findings.differences])
    axes.set(ylim=(0.4, len(places) + 0.6))
    axes.locator_params(axis="x", nbins=6)
    figure.suptitle(
        f"line: two-sided 95% interval; tick: one-sided 95% bound; dashed: the margin, {-margin:g}", fontsize=8.5,
        color="#555555",
    )  # fmt: skip
    return figure


def _new(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color="#e6e6e6", lw=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _drawn(value: float | None) -> float:
    """What is not defined leaves a gap."""
    return float("nan") if value is None else value


def _printable(text: str) -> str:
    """The plots' font has no Japanese: the value is left to the table in the report."""
    return text if text.isascii() else "".join(letter if letter.isascii() else "·" for letter in text)


def _write(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=_DPI, metadata={"Software": None})
