"""The hours' counts as drift needs them: small enough that every worker can keep four weeks of them (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.drift.measures import grouped
from streams.drift.periods import Periods
from streams.statistics.bins import BINS_PER_LOGIT
from streams.statistics.inputs import FACTS, counted_of
from streams.statistics.records import AlertCounts, Counts, InputCounts, ScoreCounts
from streams.vocabulary import Kind

#: Bins of scores are counted four to the unit of the logit here, an eighth as many as in the records: drift compares
#: tenths of the events. 29 days of 20 series on 4 workers are 55,680 rows of some 60 numbers: 27 MiB, and 4.5 ms to
#: add one series up (measured, docs/drift.md).
PER_LOGIT: Final = 4
_COARSER: Final = BINS_PER_LOGIT // PER_LOGIT


@dataclass(frozen=True, slots=True, order=True)
class ScoreSeries:
    """The scores of one model version in one domain, in whatever role: promoted, it keeps its reference."""

    domain: str
    model: str
    version: int


@dataclass(frozen=True, slots=True, order=True)
class InputSeries:
    """One fact of the inputs of a kind. Its bins are counted by their number in `inputs.FACTS`."""

    kind: Kind
    fact: str

    def bin_name(self, number: int) -> str:
        """What a bin is called."""
        return FACTS[self.kind][self.fact][number]


Series = ScoreSeries | InputSeries


@dataclass(slots=True)
class _Rows:
    """The counts of one series by (instance, hour); columns are bins in the order in which they were first seen."""

    columns: dict[int, int] = field(default_factory=dict)
    rows: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def put(self, key: tuple[str, int], counts: Mapping[int, int]) -> None:
        for place in counts:
            self.columns.setdefault(place, len(self.columns))
        row = np.zeros(len(self.columns), np.uint32)
        for place, count in counts.items():
            row[self.columns[place]] = count
        # Counts of a process only grow: of two records the one with more events is the later one.
        known = self.rows.get(key)
        if known is None or _total(known) < int(row.sum(dtype=np.int64)):
            self.rows[key] = row.tobytes()

    def sums(self, part_of: Callable[[int], int | None]) -> dict[int, npt.NDArray[np.int64]]:
        sums: dict[int, npt.NDArray[np.int64]] = {}
        for (_, hour), row in self.rows.items():
            part = part_of(hour)
            if part is None:
                continue
            total = sums.get(part)
            if total is None:
                total = sums[part] = np.zeros(len(self.columns), np.int64)
            counts = np.frombuffer(row, np.uint32)
            total[: len(counts)] += counts
        return sums


@dataclass(frozen=True, slots=True)
class Compared:
    """Events by bin in the current period, in each part of the reference (newest first), and in the whole of it."""

    current: Mapping[int, float]
    parts: tuple[Mapping[int, float], ...]
    reference: Mapping[int, float]

    def grouped(self, cuts: Sequence[int]) -> Compared:
        """The same events by group instead of by bin, cut at these ascending lower edges."""
        return Compared(
            grouped(self.current, cuts),
            tuple(grouped(part, cuts) for part in self.parts),
            grouped(self.reference, cuts),
        )


class DriftBook:
    """Takes records of `statistics` in any order, any number of times; the same records make the same book."""

    def __init__(self) -> None:
        self._series: dict[Series, _Rows] = {}

    def add(self, counts: Counts) -> None:
        """Take one record."""
        key = (counts.instance, counts.hour)
        match counts:
            case ScoreCounts():
                series = ScoreSeries(counts.domain, counts.model, counts.version)
                # In the hour of a promotion an instance writes one record for each role.
                self._put(series, (f"{counts.instance} {counts.role}", counts.hour), _coarse(counts))
            case InputCounts():
                for fact, bins in FACTS[counts.kind].items():
                    named = counted_of(counts.facts, fact)
                    numbered = {number: named[name] for number, name in enumerate(bins) if name in named}
                    self._put(InputSeries(counts.kind, fact), key, numbered)
            case AlertCounts():
                pass

    def forget_before(self, hour: int) -> None:
        """Drop what is older; series without anything left go, too."""
        for series, rows in list(self._series.items()):
            for key in [key for key in rows.rows if key[1] < hour]:
                del rows.rows[key]
            if not rows.rows:
                del self._series[series]

    def __iter__(self) -> Iterator[Series]:
        """The series that are known: scores, then inputs, each in order."""
        yield from sorted(s for s in self._series if isinstance(s, ScoreSeries))
        yield from sorted(s for s in self._series if isinstance(s, InputSeries))

    def compared(self, series: Series, periods: Periods) -> Compared:
        """The counts of a series in the periods, summed over hours and instances. Raises `KeyError`."""
        rows = self._series[series]
        sums = rows.sums(periods.part_of)
        empty = np.zeros(len(rows.columns), np.int64)
        parts = [sums.get(part, empty) for part in range(1, periods.parts + 1)]
        named = list(rows.columns)

        def by_bin(counts: npt.NDArray[np.int64]) -> dict[int, float]:
            return {place: float(count) for place, count in zip(named, counts, strict=True) if count}

        return Compared(
            current=by_bin(sums.get(0, empty)),
            parts=tuple(by_bin(part) for part in parts),
            reference=by_bin(np.sum(parts, axis=0)),
        )

    def _put(self, series: Series, key: tuple[str, int], counts: Mapping[int, int]) -> None:
        self._series.setdefault(series, _Rows()).put(key, counts)


def _coarse(counts: ScoreCounts) -> dict[int, int]:
    coarse: dict[int, int] = {}
    for histogram in (counts.alone, counts.with_rule):
        for place, count in histogram.items():
            wide = place // _COARSER
            coarse[wide] = coarse.get(wide, 0) + count
    return coarse


def _total(row: bytes) -> int:
    return int(np.frombuffer(row, np.uint32).sum(dtype=np.int64))
