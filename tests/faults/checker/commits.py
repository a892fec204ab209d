"""Was anything committed before its outputs? Each sample of the run is held against the places of the outputs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tests.faults.checker.facts import INPUTS, Facts
from tests.faults.checker.verdict import Verdict

_OUTPUTS = """
select s.off, o.out_topic, o.out_part, o.out_off from source s left join output o
  on o.topic = s.topic and o.part = s.part and o.off = s.off
  where s.topic = ? and s.part = ? and s.off >= ? and s.off < ? order by s.off
"""


def check_commits(
    facts: Facts, samples: Iterable[Mapping[str, Any]], verdict: Verdict, *, prefix: str = ""
) -> None:
    """A sample asks for the committed offsets first and for the ends of the outputs later: whatever is below a committed
    offset must have an output below those ends. Each record is checked with the first sample that covers it.
    """
    checked: defaultdict[tuple[str, int], int] = defaultdict(int)
    for sample in samples:
        verdict.counts["samples of offsets"] += 1
        ends = {_place(name, prefix): end for name, end in sample["ends"].items()}
        for name, committed in sample["committed"].items():
            topic, part = _place(name, prefix)
            if topic not in INPUTS or committed <= checked[topic, part]:
                continue
            _check_stretch(facts, topic, part, checked[topic, part], committed, ends, verdict)
            checked[topic, part] = committed


def _check_stretch(
    facts: Facts, topic: str, part: int, start: int, committed: int, ends: Mapping[tuple[str, int], int],
    verdict: Verdict,
) -> None:  # fmt: skip
    covered: dict[int, bool] = {}
    for off, out_topic, out_part, out_off in facts.database.execute(
        _OUTPUTS, (topic, part, start, committed)
    ):
        there = out_topic is not None and out_off < ends.get((out_topic, out_part), 0)
        covered[off] = covered.get(off, False) or there
    verdict.counts["records below a commit"] += len(covered)
    for off, there in covered.items():
        if not there:
            verdict.complain(
                "committed too early",
                f"{topic}-{part}@{off} was below {committed} before its output was there",
            )


def _place(name: str, prefix: str) -> tuple[str, int]:
    topic, _, part = name.rpartition("/")
    return topic.removeprefix(prefix), int(part)
