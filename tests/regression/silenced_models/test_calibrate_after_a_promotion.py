"""After a promotion `calibrate --write` gave the new champion the threshold 1.0: it never alerted again.

Its scores were counted as a challenger's and looked for as a champion's; of no scores the threshold is 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest

from streams.budgets.calibration import Calibration, calibrate, whole_days
from streams.cli.calibrate import write_thresholds
from streams.policy import Domain, ModelRef, parse_policy
from streams.statistics.book import StatisticsBook
from tests.unit.budgets.counted import book_of, hours_of

HOUR = 490_000
HOURS = range(HOUR - 48, HOUR)
POLICY = """\
format: 1
domains:
  contact:
    title: Exchanges contacts
    applies_to: message
    severity: medium
    champion: {model: message_contact, version: 3, threshold: 0.9}  # by hand
    challenger: {model: message_contact, version: 4, threshold: 0.8}
    budget: {alerts_per_day: 600}
"""


def domain() -> Domain:
    policy, _ = parse_policy(POLICY.encode(), "domains.yaml")
    assert policy is not None
    return policy.domains["contact"]


def calibrated(domain: Domain, book: StatisticsBook) -> Calibration:
    return calibrate(
        domain,
        book,
        whole_days(HOURS, now_hour=HOUR, since_hour=0),
        roles=("champion", "challenger"),
        cases=[],
        most_share=0.1,
    )


def test_a_versions_scores_follow_it_through_a_promotion() -> None:
    before = domain()
    book = book_of(hours_of(before, HOURS))
    promoted = replace(before, champion=before.challenger, challenger=None)

    (one,) = calibrated(promoted, book).proposals
    assert one.scores == 48 * 10_000
    assert one.per_day == pytest.approx(480, rel=0.01)
    assert one.refusal is None


def test_what_is_made_from_no_scores_is_not_written_and_the_others_are(tmp_path: Path) -> None:
    path = tmp_path / "domains.yaml"
    path.write_text(POLICY)
    found = calibrated(domain(), book_of(hours_of(replace(domain(), challenger=None), HOURS)))
    champion, challenger = found.proposals
    assert challenger.threshold == 1.0

    with pytest.raises(
        click.ClickException, match=r"message_contact/4 \(challenger\) is not written: .* no scores"
    ):
        write_thresholds(path, found)
    written = path.read_text()
    assert written == POLICY.replace("0.9}", f"{champion.threshold:.6f}".rstrip("0") + "}")


def test_what_is_made_from_too_few_alerts_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "domains.yaml"
    path.write_text(POLICY)
    few = replace(domain(), champion=ModelRef("message_contact", 3, 0.9), challenger=None, alerts_per_day=5)
    found = calibrated(few, book_of(hours_of(few, HOURS)))

    with pytest.raises(click.ClickException, match="fewer than 20 alerts"):
        write_thresholds(path, found)
    assert path.read_text() == POLICY


def test_scores_only_where_rules_alert_make_no_threshold() -> None:
    alone = replace(domain(), challenger=None)
    (one,) = calibrated(alone, book_of(hours_of(alone, HOURS, alone={}, by_rules=200_000))).proposals
    assert (one.threshold, one.scores) == (1.0, 0)
    assert one.refusal is not None
