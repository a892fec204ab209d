"""`sekisho alerts` on every broker."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterable

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.kafka.topics import alerts_topic
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.conftest import DOMAINS
from tests.integration.kafka_records import write


def _alert(domain: str, number: int) -> dict[str, object]:
    return {
        "alert_id": f"{domain}-{number}",
        "revision": 1,
        "domain": domain,
        "severity": "high",
        "subject": {"type": "message", "message_id": f"m{number}", "transaction_id": "t1"},
        "raised_at": "2026-11-21T10:00:00.000Z",
        "evidence": [
            {"by": "rule", "rule_id": "pay.line", "spans": [{"message_id": f"m{number}", "text": "LINE"}]}
        ],
        "context": [{"message_id": f"m{number}", "writer": "seller", "text": "LINEで話そう"}],
    }


def _put(settings: Settings, domain: str, numbers: Iterable[int]) -> None:
    records = [Outgoing(b"t1", json.dumps(_alert(domain, number)).encode()) for number in numbers]
    asyncio.run(write(settings, alerts_topic(settings, domain), records))


def _run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["alerts", *arguments])


@pytest.fixture(autouse=True)
def _topics(command_environment: dict[str, str]) -> None:
    result = CliRunner(env=command_environment).invoke(main, ["topics", "create"])
    assert result.exit_code == 0, result.output


def test_all_that_is_kept_of_all_domains_or_of_one(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    for domain in DOMAINS:
        _put(kafka_settings, domain, range(3))

    every = _run(command_environment, "--since", "start", "--no-follow", "--json")
    one = _run(command_environment, "--since", "1h", "--no-follow", "--json", "--domain", DOMAINS[0])
    two = _run(command_environment, "--since", "start", "--count", "2", "--json")

    assert every.exit_code == 0, every.output
    identifiers = sorted(json.loads(line)["alert_id"] for line in every.stdout.splitlines())
    assert identifiers == sorted(f"{domain}-{number}" for domain in DOMAINS for number in range(3))
    assert [json.loads(line)["alert_id"] for line in one.stdout.splitlines()] == [
        f"{DOMAINS[0]}-{n}" for n in range(3)
    ]
    assert len(two.stdout.splitlines()) == 2


def test_readable_lines_name_domain_rule_and_words(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    _put(kafka_settings, DOMAINS[0], [7])

    result = _run(command_environment, "--since", "start", "--no-follow")

    assert result.stdout.splitlines() == [
        "2026-11-21T10:00:00.000Z high off_platform_payment  message_id m7, transaction_id t1",
        "  rule  pay.line  “LINE”",
        "  seller: LINEで話そう",
    ]


def test_without_since_only_what_comes_from_now_on(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    """Earlier records stay unseen on every broker, on Tansu too, whose `latest` offset is too low."""
    _put(kafka_settings, DOMAINS[0], range(10))
    enough = threading.Event()

    def put_until_seen() -> None:
        number = 100
        while not enough.is_set():
            _put(kafka_settings, DOMAINS[0], [number])
            number += 1
            time.sleep(0.05)

    writer = threading.Thread(target=put_until_seen)
    writer.start()
    try:
        result = _run(command_environment, "--count", "2", "--json")
    finally:
        enough.set()
        writer.join()

    numbers = [int(json.loads(line)["alert_id"].rpartition("-")[2]) for line in result.stdout.splitlines()]
    assert len(numbers) == 2
    assert min(numbers) >= 100


def test_an_unknown_domain_is_answered_with_the_known_ones(command_environment: dict[str, str]) -> None:
    result = _run(command_environment, "--domain", "counterfiet")

    assert result.exit_code == 1
    assert "domains with a topic: counterfeit, off_platform_payment" in result.stderr
