"""What `sekisho calibrate` prints; the expected text stands beside this file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from streams.budgets.calibration import Calibration, calibrate, whole_days
from streams.cli.calibrate_text import calibration_record, calibration_text
from streams.policy import Domain, ModelRef
from tests.unit.budgets.counted import book_of, hours_of
from tests.unit.budgets.test_calibration import by, cases

HERE = Path(__file__).parent
HOUR = 490_000
ALONE = Domain("contact", "t", "message", "medium", ModelRef("message_contact", 3, 0.9), alerts_per_day=600)
BESIDE = replace(
    ALONE,
    champion=ModelRef("message_contact", 3, 0.95),
    challenger=ModelRef("message_contact", 4, 0.9),
    alerts_per_day=1500,
)


def found(domain: Domain, *, most_share: float = 0.1) -> Calibration:
    hours = range(HOUR - 72, HOUR)
    judged = cases(*[((by(0.97),), "violation")] * 90, *[((by(0.95),), "no_violation")] * 20)
    return calibrate(
        domain,
        book_of(hours_of(domain, hours)),
        whole_days(hours, now_hour=HOUR, since_hour=0),
        roles=("champion", "challenger"),
        cases=judged,
        most_share=most_share,
    )


def shown(calibration: Calibration) -> str:
    console = Console(width=40, force_terminal=False, highlight=False, soft_wrap=True)
    with console.capture() as capture:
        console.print(calibration_text(calibration))
    return "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"


def test_the_text_is_as_approved() -> None:
    texts = (found(ALONE), found(BESIDE), found(replace(ALONE, alerts_per_day=3), most_share=0.000004))
    assert "\n".join(map(shown, texts)) == (HERE / "calibrate_text.approved.txt").read_text(encoding="utf-8")


def test_the_record_has_every_figure_of_the_text() -> None:
    record = json.loads(json.dumps(calibration_record(found(BESIDE))))
    assert record["budget"] == {"alerts_per_day": 1500, "mode": "fixed"}
    assert [model["role"] for model in record["models"]] == ["champion", "challenger"]
    champion = record["models"][0]
    assert champion["threshold"] == 0.95
    assert champion["proposed"]["low"] <= champion["proposed"]["threshold"] <= champion["proposed"]["high"]
    assert champion["proposed"]["unjudged_per_day"] > 0
    assert record["by_both_per_day"] is None
