"""What `sekisho drift` prints, as people and programs read it; the expected texts stand beside this file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from streams.drift.assessment import Assessment, assess
from streams.drift.book import DriftBook
from streams.drift.levels import Level
from streams.drift.periods import Periods
from streams.drift.precision import comparison
from streams.drift.report import report
from streams.drift.wording import advice, as_text
from streams.drift.words import WordCounts, WordDrift
from streams.inference.contracts import ModelVersion
from streams.review.quality import Source, Tally
from streams.statistics.records import InputCounts, ScoreCounts, hour_of

HERE = Path(__file__).parent
#: 2026-11-20T21:00Z
NOW = hour_of(1_795_208_400_000_000)
PERIODS = Periods(NOW - 29 * 24, NOW - 24, NOW)


def scores(domain: str, version: int, hour: int, logit: float, events: int) -> ScoreCounts:
    """Scores spread evenly over eight units of the logit around one."""
    places = np.linspace(32 * (logit - 4), 32 * (logit + 4), 64, dtype=int).tolist()
    return ScoreCounts(
        instance="a", hour=hour, domain=domain, model=f"message_{domain}", version=version, role="champion",
        alone=dict.fromkeys(places, events // 64),
    )  # fmt: skip


def inputs(hour: int, **facts: dict[str, int]) -> InputCounts:
    named = {f"{fact}={name}": n for fact, counts in facts.items() for name, n in counts.items()}
    return InputCounts(instance="a", hour=hour, kind="message", facts=named)


def words(known: int, new: int) -> WordCounts:
    counts = WordCounts()
    for number in range(1_000):
        surfaces = ["は"] * known + ["モノペイ", "ﾃﾚｸﾞﾗ"][: 1 + number % 2] * new
        counts.add(surfaces, np.array([False] * known + [True] * (len(surfaces) - known)))
    return counts


def drifted() -> Assessment:
    book = DriftBook()
    for hour in range(PERIODS.reference, NOW):
        now = hour >= PERIODS.current
        book.add(scores("harassment", 3, hour, -1.0 if now else -4.0, 640))
        book.add(scores("contact_exchange", 1, hour, -4.0, 640))
        if now:
            book.add(scores("contact_exchange", 2, hour, -4.0, 640))
        latin = 300 if now else 40
        book.add(
            inputs(hour, script={"japanese": 640 - latin, "latin": latin}, masked={"no": 630, "yes": 10})
        )
    model = Source("harassment", "model", "message_harassment", "3", "champion")
    return assess(
        book,
        PERIODS,
        precision=[
            comparison(
                Source("harassment"),
                Tally(violation=90, no_violation=10),
                Tally(violation=60, no_violation=40),
            ),
            comparison(model, Tally(violation=80, no_violation=10), Tally(violation=50, no_violation=40)),
            comparison(Source("harassment", "rule", "har.insults"), Tally(violation=9), Tally(violation=9)),
            comparison(Source("harassment", "report"), Tally(), Tally(pending=3)),
        ],
        words=[WordDrift(ModelVersion("message_harassment", 3), words(20, 0), words(10, 1))],
    )


def compared_to(name: str, found: str) -> None:
    assert found == (HERE / name).read_text(encoding="utf-8")


def test_what_people_read() -> None:
    compared_to("drift.approved.txt", as_text(drifted()) + "\n")


def test_what_programs_read() -> None:
    compared_to("drift.approved.json", json.dumps(report(drifted()), ensure_ascii=False, indent=1) + "\n")


def test_nothing_at_all() -> None:
    nothing = Assessment(PERIODS, (), ())
    assert nothing.level == Level.TOO_FEW
    assert advice(nothing) == ()
    assert "scores" in as_text(nothing)
    assert report(nothing)["level"] == "too few"


def test_inputs_that_changed_while_the_scores_did_not() -> None:
    found = drifted()
    assert advice(Assessment(PERIODS, (), found.inputs)) == (
        "The inputs are not what they were (message script), the scores still are: watch them.",
    )
    (sentence,) = advice(Assessment(PERIODS, found.scores, ()))
    assert "the inputs are as they were" in sentence


def test_without_a_reference_the_share_before_is_a_dash() -> None:
    found = replace(drifted(), words=(WordDrift(ModelVersion("message_new", 2), WordCounts(), words(9, 1)),))
    (row,) = [line for line in as_text(found).splitlines() if line.startswith("message_new v2")]
    assert row.split()[2:4] == ["-", "14.3%"], "3 words of 21"
    assert report(found)["words"][0]["before"] is None
