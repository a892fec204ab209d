"""A comparison of champion and challenger as text for a terminal, and as JSON (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.text import Text

from streams.events import rfc3339
from streams.review.comparison import Comparison
from streams.review.contest import NO_LIMIT, percent
from streams.review.shares import Share
from streams.review.top import PrecisionAtK, Top


def commands(of: Comparison) -> list[str]:
    """What carries the recommendation out; none while there is nothing to do."""
    chosen = {"promote": of.challenger, "keep": of.champion}.get(of.recommendation.advice)
    if chosen is None:
        return []
    promote = (
        f"sekisho models promote {chosen.model} {chosen.version} --domain {of.domain.name} "
        f"--threshold {chosen.threshold:.6g}"
    )
    if of.domain.alerts_per_day is None or of.domain.trial.mode != "beside":
        return [promote]
    # Its threshold is for half of the budget that it has alone from now on.
    return [promote, f"sekisho calibrate --domain {of.domain.name} --write"]


def comparison_text(of: Comparison, *, unreadable: int = 0) -> Text:
    """A table of the two, what both raised, how sure the difference is, and what to do.

    `unreadable`: records that could not be read and are left out.
    """
    lines = [Text(_head(of), style="bold")]
    if of.since_us is not None:
        lines += map(Text, [*_table(of), *_difference(of), ""])
    advice = of.recommendation
    lines.append(Text.assemble(("recommendation: ", "bold"), (advice.advice, "bold"), f": {advice.reason}"))
    if advice.verdicts_needed is not None:
        lines.append(Text(f"about {advice.verdicts_needed:,} more verdicts are needed"))
    lines += [Text(f"  {command}") for command in commands(of)]
    if unreadable:
        lines.append(Text(f"{unreadable} records could not be read and are left out", style="dim"))
    return Text("\n").join(lines)


def comparison_json(of: Comparison, *, unreadable: int = 0) -> dict[str, Any]:
    """The same for programs."""
    found, known = of.found, of.found.difference
    return {
        "domain": of.domain.name,
        "mode": of.domain.trial.mode,
        "share": of.domain.trial.share if of.domain.trial.mode == "canary" else None,
        "since": None if of.since_us is None else rfc3339(of.since_us),
        "until": rfc3339(of.until_us),
        "champion": {**asdict(of.champion), **_figures(found.champion)},
        "challenger": {**asdict(of.challenger), **_figures(found.challenger)},
        "groups": {**asdict(found.groups), "overlap": _digits(found.groups.overlap)},
        "difference": None if known is None else {name: _digits(v) for name, v in asdict(known).items()},
        "recommendation": asdict(of.recommendation),
        "commands": commands(of),
        "unreadable": unreadable,
    }


def _head(of: Comparison) -> str:
    trial = of.domain.trial
    mode = f"canary of {trial.share:.2%}" if trial.mode == "canary" else trial.mode
    if of.since_us is None:
        return f"{of.domain.name}, {mode}, not begun"
    days = (of.until_us - of.since_us) / 86_400e6
    return (
        f"{of.domain.name}, {mode}, {days:.1f} days since {rfc3339(of.since_us)[:16].replace('T', ' ')} UTC"
    )


def _table(of: Comparison) -> Iterator[str]:
    """In columns as wide as they need to be: a terminal wraps long lines better than rich cuts figures."""
    rows = [("", "alerts", "judged", "violations", "precision (95 %)"), *_rows(of)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *figures in rows:
        cells = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
        yield "  ".join([name.ljust(widths[0]), *cells]).rstrip()


def _rows(of: Comparison) -> Iterator[tuple[str, str, str, str, str]]:
    found, groups = of.found, of.found.groups
    for role, model, figures, own in (
        ("champion", of.champion, found.champion, groups.champion_only),
        ("challenger", of.challenger, found.challenger, groups.challenger_only),
    ):
        both = Top(
            own.alerts + groups.both.alerts,
            own.judged + groups.both.judged,
            own.violations + groups.both.violations,
        )
        name = f"{role} {model.model}/{model.version}, {_depth(figures)}"
        yield name, *_counts(both), _share(figures.precision)
    yield "  raised by both", *_counts(groups.both), ""
    yield "  by the champion alone", *_counts(groups.champion_only), ""
    yield "  by the challenger alone", *_counts(groups.challenger_only), ""


def _depth(of: PrecisionAtK) -> str:
    return "all alerts" if of.k >= NO_LIMIT else f"its first {of.k} of each day"


def _counts(top: Top) -> tuple[str, str, str]:
    return str(top.alerts), str(top.judged), str(top.violations)


def _difference(of: Comparison) -> Iterator[str]:
    overlap, known = of.found.groups.overlap, of.found.difference
    if overlap is not None and of.domain.trial.mode != "canary":
        yield f"{overlap:.0%} of all these alerts were raised by both"
    if known is not None and of.domain.trial.mode != "shadow":
        yield (
            f"challenger less champion: {known.mean:+.3f} (95 %: {known.low:+.3f} to {known.high:+.3f}); the challenger "
            f"is better with a probability of {percent(known.better)}"
        )
        yield "(from Jeffreys' prior, Beta(1/2, 1/2), and the verdicts: docs/champion-challenger.md)"


def _share(share: Share) -> str:
    if share.value is None:
        return "-"
    return f"{share.value:.3f} ({share.low:.3f}-{share.high:.3f})"


def _figures(of: PrecisionAtK) -> dict[str, Any]:
    precision = of.precision
    return {
        "first_of_each_day": None if of.k >= NO_LIMIT else of.k,
        "days": of.days,
        "alerts": of.alerts,
        "judged": precision.of,
        "precision": {
            "value": _digits(precision.value),
            "low": _digits(precision.low),
            "high": _digits(precision.high),
        },
    }


def _digits(value: float | None) -> float | None:
    """Four digits: more than any number of verdicts supports."""
    return None if value is None else round(value, 4)
