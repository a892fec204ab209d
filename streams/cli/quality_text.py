"""Quality as text for a terminal: a table by domain, model and rule, and what stands beside it (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.text import Text

from streams.cli.columns import aligned
from streams.cli.printable import printable
from streams.review.intake import Taken
from streams.review.quality import Quality, Row, Source, Tally
from streams.review.recall import Recall
from streams.review.shares import Share

#: Longest name of a rule or model that is shown.
NAME_CHARACTERS = 48
_HEADINGS = (
    "raised by",
    "alerts",
    "pending",
    "violation",
    "no violation",
    "unsure",
    "precision (95 %)",
    "precision@K",
    "K",
    "judged",
)


def quality_text(quality: Quality, taken: Taken) -> Text:
    """The table, and one line for everything that the figures leave out or rest on."""
    if not quality.rows:
        return Text(f"no alerts {_time_span(quality)}")
    headings, *lines = aligned([_HEADINGS, *(tuple(_cells(row)) for row in quality.rows)])
    text = Text(f"alerts {_time_span(quality)}\n", style="")
    text.append(headings, style="dim")
    for row, line in zip(quality.rows, lines, strict=True):
        whole = row.source.kind in ("domain", "patrol")
        text.append("\n\n" if whole else "\n")
        text.append(line, style="bold" if whole else "")
    text.append("\n")
    for note in _notes(quality, taken):
        text.append(f"\n{note}", style="dim")
    return text


def _cells(row: Row) -> Iterator[str]:
    tally = row.tally
    yield _name(row.source)
    for number in (tally.alerts, tally.pending, tally.violation, tally.no_violation, tally.unsure):
        yield str(number)
    yield _share(tally.precision)
    if row.at_k is None:
        yield from ("-", "", "")
    else:
        at_k = row.at_k
        yield _share(at_k.precision)
        yield str(at_k.k)
        yield f"{at_k.precision.of} of {at_k.alerts} in {at_k.days} d"


def _name(source: Source) -> str:
    if source.kind == "domain":
        return printable(source.domain, NAME_CHARACTERS)
    if source.kind == "patrol":
        return "random patrol"
    if source.kind == "report":
        return "  customers' reports"
    name = f"{source.name} v{source.version} ({source.role})" if source.kind == "model" else source.name
    return f"  {printable(name, NAME_CHARACTERS)}"


def _share(share: Share) -> str:
    """With two digits: fewer than three decimals are supported by some hundred verdicts."""
    if share.value is None:
        return "-"
    return _interval(share.value, share.low, share.high)


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f}-{high:.2f})"


def _notes(quality: Quality, taken: Taken) -> Iterator[str]:
    odd = quality.odd
    yield (
        "precision: violations among alerts judged one or the other. precision@K: the mean over whole days of the "
        "same among the day's K highest-scored alerts; judged: how many of those were"
    )
    for recall in quality.recalls:
        yield (
            f"recall of {recall.domain}, by the random patrol: {_estimate(recall, quality)}; {recall.found} violations "
            f"of it in {recall.judged} judged of {recall.drawn} drawn"
        )
    said = (
        (odd.again, "alerts decided more than once (the newest decision counts)"),
        (odd.contradicted, "alerts that one decision calls a violation and another does not"),
        (odd.early, "alerts decided before they were raised, by the clocks"),
        (odd.unknown, "alerts decided and not known here (raised earlier, or never)"),
        (
            odd.patrol_without_domain,
            "the patrol's violations whose decision names no domain of their kind (not judged, for the recall)",
        ),
        (taken.unusable, "decisions that cannot be used (`sekisho deadletter list`)"),
        (taken.unreadable, "records of alerts' facts that cannot be read"),
    )
    yield from (f"{what}: {number}" for number, what in said if number)


def _estimate(recall: Recall, quality: Quality) -> str:
    """The recall, or what is missing for one: a share of no violations at all is none."""
    if recall.value is not None:
        return _interval(recall.value, recall.low, recall.high)
    if not recall.judged:
        return "no verdict yet on what was drawn"
    whole = next((row.tally for row in quality.of("domain") if row.source.domain == recall.domain), Tally())
    if not whole.alerts:
        return "not known, the domain has no alerts"
    return f"not known, {'no violation among the verdicts' if whole.judged else 'no verdict yet'} on the domain's alerts"


def _time_span(quality: Quality) -> str:
    return f"from {_minute(quality.since_us)} to {_minute(quality.until_us)} UTC"


def _minute(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M}"
