"""Quality as text for a terminal: a table by domain, model and rule, and what stands beside it (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from streams.cli.printable import printable
from streams.review.intake import Taken
from streams.review.quality import Quality, Row, Source
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
    """The table, and one line for everything that the figures leave out or rest on.

    Lines are as long as they must be: a terminal wraps them, and a program or a pager has every column.
    """
    if not quality.rows:
        return Text(f"no alerts {_time_span(quality)}")
    cells = [_HEADINGS, *(tuple(_cells(row)) for row in quality.rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    text = Text(f"alerts {_time_span(quality)}\n", style="")
    text.append(_line(_HEADINGS, widths), style="dim")
    for row, of_row in zip(quality.rows, cells[1:], strict=True):
        whole = row.source.kind in ("domain", "patrol")
        text.append("\n\n" if whole else "\n")
        text.append(_line(of_row, widths), style="bold" if whole else "")
    text.append("\n")
    for note in _notes(quality, taken):
        text.append(f"\n{note}", style="dim")
    return text


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """The first cell to the left, the others to the right; wide characters count as two."""
    first, *others = zip(cells, widths, strict=True)
    padded = [" " * (width - cell_len(cell)) + cell for cell, width in others]
    return "  ".join([set_cell_size(*first), *padded])


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
        estimate = (
            "no verdict yet" if recall.value is None else _interval(recall.value, recall.low, recall.high)
        )
        yield (
            f"recall of {recall.domain}, by the random patrol: {estimate}; {recall.found} violations of it in "
            f"{recall.judged} judged of {recall.drawn} drawn"
        )
    said = (
        (odd.again, "alerts decided more than once (the newest decision counts)"),
        (odd.contradicted, "alerts that one decision calls a violation and another does not"),
        (odd.early, "alerts decided before they were raised, by the clocks"),
        (odd.unknown, "alerts decided and not known here (raised earlier, or never)"),
        (taken.unusable, "decisions that cannot be used (`sekisho deadletter list`)"),
        (taken.unreadable, "records of alerts' facts that cannot be read"),
    )
    yield from (f"{what}: {number}" for number, what in said if number)


def _time_span(quality: Quality) -> str:
    return f"from {_minute(quality.since_us)} to {_minute(quality.until_us)} UTC"


def _minute(at_us: int) -> str:
    return f"{datetime.fromtimestamp(at_us / 1e6, UTC):%Y-%m-%d %H:%M}"
