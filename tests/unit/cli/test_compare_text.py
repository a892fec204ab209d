"""The comparison as people read it, and as programs do; the expected text stands beside this file."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from streams.cli.compare_text import commands, comparison_json, comparison_text
from streams.policy import Trial
from streams.review.comparison import Comparison
from tests.unit.review.test_contest import Market, domain

HERE = Path(__file__).parent


def shown(found: Comparison, *, unreadable: int = 0) -> str:
    console = Console(file=io.StringIO(), width=80, soft_wrap=True, highlight=False)
    console.print(comparison_text(found, unreadable=unreadable))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"


def better() -> Comparison:
    market = Market().add("B", "v", times=60).add("C", "n", times=30).add("C", "v", times=10)
    return market.add("N", "v", times=30).add("N", "-", times=10).compare(domain(a_day=300))


def test_the_texts() -> None:
    open_market = Market().add("B", "v", times=30).add("C", "v", times=20).add("C", "n", times=20)
    still_open = open_market.add("N", "v", times=24).add("N", "n", times=16).compare(domain(a_day=None))
    canary = (
        Market()
        .add("C", "v", times=900)
        .add("N", "n", times=95)
        .compare(domain(Trial("canary", 0.1), a_day=1000))
    )
    nothing = Market().compare(domain(Trial("shadow")))
    pages = [shown(better(), unreadable=2), shown(still_open), shown(canary), shown(nothing)]
    assert "\n".join(pages) == (HERE / "compare_text.approved.txt").read_text("utf-8")


def test_what_carries_it_out() -> None:
    found = better()
    assert commands(found) == [
        "sekisho models promote message_contact 4 --domain contact --threshold 0.6",
        "sekisho calibrate --domain contact --write",
    ]
    canary = replace(found, domain=domain(Trial("canary", 0.1)))
    assert commands(canary) == ["sekisho models promote message_contact 4 --domain contact --threshold 0.6"]
    waiting = replace(found, recommendation=replace(found.recommendation, advice="wait"))
    assert commands(waiting) == []
    keeping = replace(canary, recommendation=replace(found.recommendation, advice="keep"))
    assert commands(keeping) == ["sekisho models promote message_contact 3 --domain contact --threshold 0.5"]


def test_the_json() -> None:
    begun_by_nobody = comparison_json(Market().compare(domain()))
    assert (begun_by_nobody["since"], begun_by_nobody["difference"]) == (None, None)
    page = json.loads(json.dumps(comparison_json(better(), unreadable=1)))
    assert page["since"]
    assert page["champion"] == {
        "model": "message_contact",
        "version": 3,
        "threshold": 0.5,
        "first_of_each_day": 150,
        "days": 1,
        "alerts": 100,
        "judged": 100,
        "precision": {"value": 0.7, "low": 0.6042, "high": 0.7811},
    }
    assert page["groups"]["challenger_only"] == {"alerts": 40, "judged": 30, "violations": 30}
    assert page["groups"]["overlap"] == round(60 / 140, 4)
    assert page["difference"]["better"] > 0.999
    assert page["recommendation"]["advice"] == "promote"
    assert (page["mode"], page["share"], page["unreadable"]) == ("beside", None, 1)
    assert page["commands"] == commands(better())
