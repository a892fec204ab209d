"""Drift for people: tables, and what to do about what was found (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from streams.drift.assessment import Assessment, SeriesDrift
from streams.drift.book import InputSeries, ScoreSeries
from streams.drift.levels import Level, Measured
from streams.drift.precision import RECENT_DAYS, PrecisionDrift
from streams.drift.words import WordDrift
from streams.events import rfc3339


def as_text(found: Assessment) -> str:
    """Every comparison with what chance and the usual differences allow, and what to do."""
    begin_us, _ = found.periods.span_us(current=True)
    lines = [
        f"{_hours(found.periods.hours)} since {rfc3339(begin_us)[:16]}Z "
        f"against {_hours(found.periods.current - found.periods.reference)} before",
        "",
        f"{'scores':<28}{'model':<40}{'before':>12}{'now':>10}{'psi':>15}{'ks':>15}{'highest':>16}  level",
        *_score_rows(found),
        "",
        f"{'inputs':<28}{'moved most':<40}{'before':>12}{'now':>10}{'psi':>15}{'':>31}  level",
        *_input_rows(found),
    ]
    if found.words:
        lines += ["", f"{'unknown words':<28}{'new':<40}{'before':>12}{'now':>10}{'':>46}  level"]
        lines += [_word_row(drift) for drift in found.words]
    shown = [
        drift
        for drift in found.precision
        if drift.current.judged + drift.reference.judged
        and (drift.source.kind != "rule" or drift.level >= Level.WATCH)
    ]
    if shown:
        title = f"confirmed, last {RECENT_DAYS} days"
        lines += ["", f"{title:<28}{'by':<40}{'before':>15}{'now':>15}{'chance':>10}{'':>28}  level"]
        lines += [_precision_row(drift) for drift in shown]
    lines += ["", "In brackets: how far it may be without meaning anything, by chance or as usual."]
    if todo := advice(found):
        lines += ["", *todo]
    return "\n".join(line.rstrip() for line in lines)


def advice(found: Assessment) -> tuple[str, ...]:
    """What to do about what drifted, most telling first; nothing where nothing did."""
    sentences = [
        f"{_name(drift)}: moderators confirm {_share(drift.current.precision.value)} of the alerts, before it was "
        f"{_share(drift.reference.precision.value)}. {_look(drift)}"
        for drift in found.precision
        if drift.level == Level.DRIFTED
    ]
    causes = ", ".join(
        f"{drift.series.kind} {drift.series.fact}"
        for drift in found.inputs
        if drift.level == Level.DRIFTED and isinstance(drift.series, InputSeries)
    )
    for drift in found.scores:
        if drift.level == Level.DRIFTED and isinstance(drift.series, ScoreSeries):
            because = (
                f"so are the inputs ({causes}): see whether that is meant, e.g. a new market or a broken producer"
                if causes
                else "the inputs are as they were: see `sekisho alerts` for what is new"
            )
            sentences.append(
                f"{drift.series.domain}: the scores of {_model(drift.series)} are not what they were; {because}. "
                "If it lasts, set the threshold anew (`sekisho calibrate`) and retrain."
            )
    if causes and not any(drift.level == Level.DRIFTED for drift in found.scores):
        sentences.append(f"The inputs are not what they were ({causes}), the scores still are: watch them.")
    sentences += [
        f"{_version(drift)}: {_share(drift.current.share)} of the words are unknown to it, before it was "
        f"{_share(drift.reference.share)}. Retrain it with texts of these days."
        for drift in found.words
        if drift.level == Level.DRIFTED
    ]
    return tuple(sentences)


def _score_rows(found: Assessment) -> Iterator[str]:
    for drift in found.scores:
        assert isinstance(drift.series, ScoreSeries)
        yield (
            f"{drift.series.domain:<28}{_model(drift.series):<40}{drift.reference_events:>12,}"
            f"{drift.current_events:>10,}{_of(drift, 'psi'):>15}{_of(drift, 'ks'):>15}"
            f"{_highest(drift):>16}  {drift.level.word}"
        )


def _input_rows(found: Assessment) -> Iterator[str]:
    for drift in found.inputs:
        assert isinstance(drift.series, InputSeries)
        moved = drift.moved
        most = f"{moved.place}: {_share(moved.before)} → {_share(moved.now)}" if moved else ""
        name = f"{drift.series.kind} {drift.series.fact}"
        yield (
            f"{name:<28}{most:<40}{drift.reference_events:>12,}{drift.current_events:>10,}"
            f"{_of(drift, 'psi'):>15}{'':>31}  {drift.level.word}"
        )


def _word_row(drift: WordDrift) -> str:
    new = ", ".join(drift.new_words)
    return (
        f"{_version(drift):<28}{new if len(new) < 40 else new[:38] + '…':<40}{_share(drift.reference.share):>12}"
        f"{_share(drift.current.share):>10}{'':>46}  {drift.level.word}"
    )


def _precision_row(drift: PrecisionDrift) -> str:
    before, now = (
        f"{_share(tally.precision.value)} of {tally.judged:,}" for tally in (drift.reference, drift.current)
    )
    by = f"{drift.source.kind} {drift.source.name}".rstrip()
    if drift.source.kind == "model":
        role = " challenger" if drift.source.role == "challenger" else ""
        by = f"{drift.source.name} v{drift.source.version}{role}"
    elif drift.source.kind == "domain":
        by = "all"
    chance = "-" if drift.chance is None else f"{drift.chance:.2g}"
    return f"{drift.source.domain:<28}{by:<40}{before:>15}{now:>15}{chance:>10}{'':>28}  {drift.level.word}"


def _name(drift: PrecisionDrift) -> str:
    source = drift.source
    version = f" v{source.version}" if source.version else ""
    return (
        source.domain if source.kind == "domain" else f"{source.domain}, {source.kind} {source.name}{version}"
    )


def _look(drift: PrecisionDrift) -> str:
    match drift.source.kind:
        case "rule":
            return "Look at its latest hits (`sekisho rules explain`) and narrow it."
        case "model":
            return "Retrain it with the verdicts, or raise its threshold (`sekisho calibrate`)."
        case _:
            return "`sekisho quality` shows by what they were raised."


def _of(drift: SeriesDrift, name: str) -> str:
    measured = drift.measures.get(name)
    return "-" if measured is None else f"{measured.distance.value:.3f} ({_allowed(measured):.3f})"


def _highest(drift: SeriesDrift) -> str:
    measured = drift.measures.get("top")
    if measured is None or drift.moved is None:
        return "-"
    ratio = math.exp(math.copysign(measured.distance.value, drift.moved.now - drift.moved.before))
    return f"×{ratio:.2f} (×{math.exp(_allowed(measured)):.2f})"


def _allowed(measured: Measured) -> float:
    return max(measured.distance.by_chance, measured.usual or 0.0)


def _version(drift: WordDrift) -> str:
    return f"{drift.model.model} v{drift.model.version}"


def _model(series: ScoreSeries) -> str:
    return f"{series.model} v{series.version}"


def _hours(hours: int) -> str:
    return f"{hours // 24} days" if hours >= 48 and hours % 24 == 0 else f"{hours} hours"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
