"""The page about the rule engine's speed says what the committed figures say, and which goals are not met."""

from __future__ import annotations

from typing import Any

from benchmarks.rules.__main__ import FILES
from benchmarks.rules.report import page


def test_the_committed_page_is_made_of_the_committed_figures() -> None:
    assert FILES.page.read_text("utf-8") == page(FILES.load())


def _row(engine: str, rules: int, rate: float) -> dict[str, Any]:
    spread = {"median": rate, "least": rate / 2, "most": rate * 2}
    return {
        "rules": rules, "engine": engine, "build_s": 1.0, "texts": 50, "messages_per_s": spread,
        "compared": 50, "judged_otherwise": 0, "fired_share": 0.03,
    }  # fmt: skip


def test_goals_that_are_not_met_are_named() -> None:
    loop = "re, rule by rule"
    rows = [_row("sekisho", 1_000, 60_000), _row("sekisho", 10_000, 44_999), _row(loop, 10_000, 450)]
    waits = {"own_longest_ms": 49.0, "wall_longest_ms": 51.0, "wall_p999_ms": 1.0, "scans": 10}
    chars = {"mean": 25.0, "p10": 8, "p50": 20, "p90": 48}
    made = {
        "name": "chat", "messages": 50, "chars": chars, "words": 9, "coined": 0, "side_by_side": rows, "by_length": [],
    }  # fmt: skip
    written = page(
        {
            "date": "2026-01-01",
            "machine": "m",
            "versions": {"Python": "3"},
            "command": "c",
            "sets": [made],
            "swaps_of": "chat",
            "swaps": [{"took_s": 3.0, "reload": waits, "without": waits}],
        }
    )
    assert "60,000 messages/s with 1,000 rules (goal 60,000: met)" in written
    assert "44,999 messages/s with 10,000 rules (goal 45,000: **not met**)" in written
    assert "100 times the loop over 10,000 rules (goal 100: **not met**)" in written
    assert "| 10,000 | re, rule by rule | 450 | 225 – 900 | 1/100 |" in written
    assert "Own: median 49, longest 49 (met); wall: median 51, longest 51 (**not met**)" in written
