"""`sekisho calibrate` on counts, alerts and decisions of a real broker."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.events import rfc3339
from streams.kafka.topics import catalogue, create
from streams.policy import parse_policy
from streams.replay_files import Outgoing
from streams.review.alerted import Alerted, ByModel, encode
from streams.settings import Settings
from streams.statistics.records import HOUR_US, hour_of
from tests.integration.kafka_records import write
from tests.unit.budgets.counted import hours_of, records_of

pytestmark = pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)

POLICY = """\
format: 1
domains:
  contact: # the busiest
    title: Exchanges contacts
    applies_to: message
    severity: medium
    champion: {model: message_contact, version: 3, threshold: 0.9}  # by hand
    budget: {alerts_per_day: 600}
  goods:
    title: Forbidden goods
    applies_to: listing
    severity: high
"""


@pytest.fixture
def past(kafka_settings: Settings, command_environment: dict[str, str]) -> dict[str, str]:
    """Three days of counts of two workers, and three alerts of an hour ago with verdicts."""
    path = Path(kafka_settings.rules_dir) / "domains.yaml"
    path.write_text(POLICY)
    policy, _ = parse_policy(POLICY.encode(), "domains.yaml")
    assert policy is not None
    asyncio.run(create(kafka_settings, catalogue(kafka_settings, policy.domains)))
    now_us = time.time_ns() // 1000
    now = hour_of(now_us)
    counts = [
        record
        for instance in ("one", "two")
        for record in records_of(
            hours_of(policy.domains["contact"], range(now - 74, now + 1), instance=instance)
        )
    ]
    asyncio.run(
        write(kafka_settings, kafka_settings.topic("statistics"), [Outgoing(k, v) for k, v in counts[::-1]])
    )
    for number, verdict in enumerate(("violation", "violation", "no_violation")):
        alert_id = f"a{number}"
        facts = Alerted(
            alert_id=alert_id,
            domain="contact",
            revision=1,
            raised_at=rfc3339(now_us - HOUR_US),
            event_at=rfc3339(now_us - HOUR_US),
            subject={"type": "message", "message_id": alert_id, "transaction_id": "t"},
            raised_by=(ByModel("message_contact", "3", "champion", 0.995, 0.9),),
        )
        decision = {
            "alert_id": alert_id,
            "verdict": verdict,
            "moderator_id": "mod-7",
            "decided_at": rfc3339(now_us),
        }
        for topic, value in (("alerted", encode(facts)), ("decisions", json.dumps(decision).encode())):
            asyncio.run(
                write(kafka_settings, kafka_settings.topic(topic), [Outgoing(alert_id.encode(), value)])
            )
    return command_environment


def _calibrate(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["calibrate", *arguments])


def test_the_proposal_follows_from_everybodys_counts_and_is_written(
    past: dict[str, str], kafka_settings: Settings
) -> None:
    result = _calibrate(past, "--domain", "contact", "--since", "4d", "--json", "--write")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["days"] == 3
    assert found["events_per_day"] == 2 * 24 * 10_005
    assert found["by_rules_per_day"] == 2 * 24 * 5
    (model,) = found["models"]
    # Rules take 240 of 600; of the model's 20 an hour at 0.99, 360 a day are wanted.
    assert model["proposed"]["alerts_per_day"] == pytest.approx(360, rel=0.02)
    assert model["proposed"]["precision"]["verdicts"] == 3
    assert model["proposed"]["precision"]["value"] == pytest.approx(2 / 3)
    written = (Path(kafka_settings.rules_dir) / "domains.yaml").read_text()
    assert written == POLICY.replace("0.9}", f"{model['proposed']['threshold']:.6f}".rstrip("0") + "}")


def test_a_day_asked_for_is_a_day(past: dict[str, str]) -> None:
    result = _calibrate(past, "--domain", "contact", "--since", "1d", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["days"] == 1


def test_what_cannot_be_done_is_said(past: dict[str, str]) -> None:
    for arguments, said in (
        (("--domain", "nothing"), "there is no domain nothing"),
        (("--domain", "goods"), "no budget"),
        (("--domain", "contact", "--since", "5h"), "less than a day ago"),
        (("--domain", "contact", "--role", "challenger"), "no model in that role"),
    ):
        result = _calibrate(past, *arguments)
        assert result.exit_code == 1
        assert said in result.stderr
