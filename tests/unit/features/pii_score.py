"""Scores masking on marked samples: what should be masked and is, and what is masked and should not be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from streams.features.tokens import TextPipeline

_MARK = re.compile(r"\[\[([A-Z]+)\|(.*?)\]\](?!\])")
_PLACEHOLDER = re.compile("〈([A-Z]+)〉")


@dataclass(frozen=True, slots=True)
class Sample:
    """A line without its marks, and the marked places: start, end, kind."""

    text: str
    marks: tuple[tuple[int, int, str], ...]


def read_samples(path: Path) -> Iterator[Sample]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pieces, marks, at = [], [], 0
        for match in _MARK.finditer(line):
            pieces.append(line[at : match.start()])
            start = sum(map(len, pieces))
            pieces.append(match[2])
            marks.append((start, start + len(match[2]), match[1]))
            at = match.end()
        pieces.append(line[at:])
        yield Sample("".join(pieces), tuple(marks))


def masked_places(text: str, masked: str) -> list[tuple[int, int, str]]:
    """Where `masked` has placeholders, in characters of `text`: what stands between them is verbatim."""
    literal = [re.escape(piece) for piece in _PLACEHOLDER.split(masked)[::2]]
    match = re.fullmatch("(.+?)".join(literal), text, re.DOTALL)
    assert match is not None, f"{masked!r} is not {text!r} with placeholders"
    kinds = _PLACEHOLDER.findall(masked)
    return [(*match.span(i + 1), kind) for i, kind in enumerate(kinds)]


def score(samples: list[Sample], pipeline: TextPipeline) -> tuple[str, list[str]]:
    """A table (per kind: marked, caught whole, exact in place and kind, false) and the lines that differ."""
    marked, caught, exact, false = Counter(), Counter(), Counter(), Counter()
    differences = []
    for sample in samples:
        masked = pipeline.prepare(sample.text).masked
        places = masked_places(sample.text, masked)
        for mark in sample.marks:
            marked[mark[2]] += 1
            caught[mark[2]] += any(start <= mark[0] and mark[1] <= end for start, end, _ in places)
            exact[mark[2]] += mark in places
        for start, end, kind in places:
            false[kind] += all(end <= mark[0] or mark[1] <= start for mark in sample.marks)
        if set(places) != set(sample.marks):
            differences.append(f"{sample.text}  ->  {masked}")
    rows = [f"{'kind':10}{'marked':>8}{'caught':>8}{'exact':>8}{'false':>8}"]
    rows += [
        f"{kind:10}{marked[kind]:8}{caught[kind]:8}{exact[kind]:8}{false[kind]:8}"
        for kind in sorted(set(marked) | set(false))
    ]
    total = [sum(c.values()) for c in (marked, caught, exact, false)]
    rows.append(f"{'all':10}" + "".join(f"{n:8}" for n in total))
    clean = sum(not s.marks for s in samples)
    rows.append(f"{clean} of {len(samples)} lines have nothing personal in them")
    return "\n".join(rows), differences
