"""The estimated recall: by hand on a small book, and its interval against many simulated markets."""

from __future__ import annotations

import numpy as np
import pytest

from streams.review.alerted import ByModel, ByPatrol, ByReport, ByRule, RaisedBy
from streams.review.book import Case, Fact
from streams.review.recall import DayRecall, Draw, Recall, Reviewed, day_recall, recalls, without_domain
from streams.review.verdicts import Verdict, VerdictWord
from streams.vocabulary import Kind

RULE, MODEL = ByRule("r"), ByModel("m", "1", "champion", 0.9, 0.5)
KINDS: dict[str, Kind] = {"harassment": "message", "counterfeit": "listing"}


def case(
    domain: str, by: RaisedBy, verdict: VerdictWord | None = None, *, found: str = "", kind: str = "message"
) -> Case:
    judgement = () if verdict is None else (Verdict(1, "mod", verdict, found),)
    return Case(Fact("a", domain, 1, 0, (by,), kind), judgement)


def test_by_hand() -> None:
    """8 of 10 judged alerts are violations, 10 are pending: 16 caught. The patrol draws 1 in 100 and half of what it
    drew was judged: the one that it found stands for 200.
    """
    drawn = ByPatrol(0.01)
    day = day_recall(
        [
            *[case("harassment", RULE, "violation")] * 8,
            *[case("harassment", MODEL, "no_violation")] * 2,
            *[case("harassment", MODEL)] * 9,
            case("harassment", MODEL, "unsure"),
            case("harassment", ByReport("r1"), "violation"),  # slipped through: the patrol stands for it
            *[case("patrol", drawn, "no_violation")] * 9,
            case("patrol", drawn, "violation", found="harassment"),
            *[case("patrol", drawn)] * 10,
            *[case("patrol", ByPatrol(0.5), "violation", found="counterfeit", kind="listing")] * 3,
        ],
        KINDS,
    )
    listings, messages = recalls({5: day}, KINDS)
    assert (messages.domain, messages.caught, messages.missed) == ("harassment", 16.0, 200.0)
    assert messages.value == pytest.approx(16 / 216)
    assert (messages.drawn, messages.judged, messages.found) == (20, 10, 1)
    assert 0 < messages.low < 16 / 216 < messages.high < 1
    assert (listings.caught, listings.missed, listings.drawn, listings.found) == (0.0, 6.0, 3, 3)
    assert (listings.value, listings.low, listings.high) == (0.0, 0.0, 0.0)


def test_of_nothing_judged_nothing_is_known() -> None:
    day = day_recall([case("harassment", RULE, "violation"), case("patrol", ByPatrol(0.01))], KINDS)
    (only,) = recalls({5: day}, KINDS)
    assert only == Recall("harassment", None, 0.0, 1.0, 1.0, 0.0, drawn=1, judged=0, found=0)
    assert recalls({5: day_recall([case("harassment", RULE, "violation")], KINDS)}, KINDS) == ()


def test_none_found_is_no_certainty() -> None:
    drawn = [case("patrol", ByPatrol(0.01), "no_violation")] * 100
    day = day_recall([*drawn, *[case("harassment", RULE, "violation")] * 100], KINDS)
    (only,) = recalls({5: day}, KINDS)
    assert (only.value, only.high) == (1.0, 1.0)
    assert only.low < 0.25, "up to some 400 may have slipped through"


@pytest.mark.parametrize("named", ["", "nothing_we_know", "counterfeit"])
def test_a_violation_without_a_usable_domain_is_not_judged_rather_than_clean(named: str) -> None:
    drawn = ByPatrol(0.01)
    caught = [case("harassment", RULE, "violation")] * 10
    lost = [case("patrol", drawn, "violation", found=named)] * 5
    (alone,) = recalls({5: day_recall([*caught, *lost], KINDS)}, KINDS)
    assert (alone.value, alone.drawn, alone.judged, alone.found) == (None, 5, 0, 0)
    found = case("patrol", drawn, "violation", found="harassment")
    (only,) = recalls({5: day_recall([*caught, *lost, found], KINDS)}, KINDS)
    assert (only.drawn, only.judged, only.found) == (6, 1, 1)
    assert only.missed == pytest.approx(600.0), (
        "one of six judged: it stands for six draws, each for a hundred"
    )
    assert [without_domain(one, KINDS) for one in (lost[0], found, caught[0])] == [True, False, False]


def test_days_before_the_first_draw_say_nothing_of_what_was_missed() -> None:
    before = DayRecall(caught={"harassment": Reviewed(100, 100, 100)})
    draw = Draw("message", 0.5)
    during = DayRecall(
        caught={"harassment": Reviewed(2, 2, 2)},
        drawn={draw: Reviewed(4, 4, 1)},
        found={(draw, "harassment"): 1},
    )
    later = DayRecall(caught={"harassment": Reviewed(2, 2, 2)})
    (only,) = recalls({1: before, 2: during, 3: later}, KINDS)
    assert (only.caught, only.missed, only.value) == (4.0, 2.0, pytest.approx(4 / 6))


@pytest.mark.parametrize(
    ("violations", "caught", "share"), [(400, 0.8, 0.02), (3000, 0.5, 0.005), (40, 0.3, 0.3)]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(
    violations: int, caught: float, share: float
) -> None:
    """300 simulated markets, the truth known. 95 % is promised; the fewest that a true 95 % gives in all but one of
    ten thousand runs is 269 (binomial).
    """
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        ours = int(rng.binomial(violations, caught))
        alerts, judged = ours * 2, ours  # as many false alarms; half of the alerts were looked at
        right = int(rng.hypergeometric(ours, ours, judged))
        missed, others = violations - ours, 20_000
        drawn_bad, drawn_good = int(rng.binomial(missed, share)), int(rng.binomial(others, share))
        draw = Draw("message", share)
        day = DayRecall(
            caught={"harassment": Reviewed(alerts, judged, right)},
            drawn={draw: Reviewed(drawn_bad + drawn_good, drawn_bad + drawn_good, drawn_bad)},
            found={(draw, "harassment"): drawn_bad},
        )
        (only,) = recalls({0: day}, KINDS)
        held += only.low <= ours / violations <= only.high
    assert held >= 269
