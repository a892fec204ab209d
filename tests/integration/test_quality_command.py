"""`sekisho quality` on every broker: what stands in the topics is what it prints, whoever wrote it."""

from __future__ import annotations

import asyncio
import json
import time

from click.testing import CliRunner, Result

from streams.cli import main
from streams.events import rfc3339
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.review.alerted import Alerted, ByModel, ByRule, RaisedBy, encode
from streams.settings import Settings
from tests.integration.conftest import DOMAINS
from tests.integration.kafka_records import write

DOMAIN = "off_platform_payment"
HOUR_US = 3600 * 1_000_000


def facts(alert_id: str, *raised_by: RaisedBy, hours_ago: float, domain: str = DOMAIN) -> Outgoing:
    moment = rfc3339(time.time_ns() // 1000 - int(hours_ago * HOUR_US))
    value = Alerted(
        alert_id=alert_id,
        domain=domain,
        revision=1,
        raised_at=moment,
        event_at=moment,
        subject={"type": "message", "message_id": f"m-{alert_id}", "transaction_id": "t"},
        raised_by=raised_by,
    )
    return Outgoing(alert_id.encode(), encode(value))


def decision(alert_id: str, verdict: str) -> Outgoing:
    body = {
        "alert_id": alert_id,
        "verdict": verdict,
        "moderator_id": "mod-1",
        "decided_at": rfc3339(time.time_ns() // 1000),
    }
    return Outgoing(alert_id.encode(), json.dumps(body).encode())


def prepared(settings: Settings) -> None:
    model = ByModel("message_off_platform_payment", "1", "champion", 0.95, 0.9)

    async def prepare() -> None:
        await create(settings, catalogue(settings, DOMAINS))
        alerts = [
            facts("a", model, ByRule("pay.line"), hours_ago=1),
            facts("b", model, hours_ago=1),
            facts("old", model, hours_ago=100),
            facts("c", ByRule("fake"), hours_ago=1, domain="counterfeit"),
            Outgoing(b"x", b"no alert"),
        ]
        decisions = [
            decision("a", "violation"),
            decision("b", "no_violation"),
            decision("old", "violation"),
            decision("nobody", "violation"),
            Outgoing(b"y", b"no decision"),
        ]
        await write(settings, settings.topic("alerted"), alerts)
        await write(settings, settings.topic("decisions"), decisions)

    asyncio.run(prepare())


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["quality", *arguments])


def test_what_moderators_decided_is_counted_by_domain_model_and_rule(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    prepared(kafka_settings)

    result = run(command_environment, "--json")

    assert result.exit_code == 0, result.output
    page = json.loads(result.stdout)
    domain = page["domains"][DOMAIN]
    assert (domain["alerts"], domain["violation"], domain["no_violation"]) == (3, 2, 1)
    (model,) = domain["models"]
    assert (model["version"], model["role"], model["precision"]["of"]) == ("1", "champion", 3)
    assert [(rule["rule_id"], rule["violation"]) for rule in domain["rules"]] == [("pay.line", 1)]
    assert page["domains"]["counterfeit"]["pending"] == 1
    assert page["decisions"]["unknown"] == 1
    assert (page["decisions"]["unusable"], page["alerts_unreadable"]) == (1, 1)


def test_one_domain_and_a_shorter_time_as_a_table(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    prepared(kafka_settings)

    result = run(command_environment, "--domain", DOMAIN, "--since", "2h")

    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith(DOMAIN)]
    assert line.split()[1:7] == ["2", "0", "1", "1", "0", "0.50"]
    assert "counterfeit" not in result.stdout
    assert "not known here (raised earlier, or never): 1" in result.stdout


def test_a_missing_topic_is_said_with_the_command_that_makes_it(command_environment: dict[str, str]) -> None:
    result = run(command_environment)

    assert result.exit_code == 1
    assert "`sekisho topics create` makes it" in result.stderr
