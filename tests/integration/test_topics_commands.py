"""`sekisho topics` and what stands behind it, on every broker."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from streams.cli import main
from streams.kafka.topics import catalogue, create, describe
from streams.settings import Settings
from tests.integration.conftest import DOMAINS


async def test_create_makes_every_topic_once(kafka_settings: Settings) -> None:
    specs = catalogue(kafka_settings, DOMAINS)

    first = await create(kafka_settings, specs)
    second = await create(kafka_settings, specs)

    assert [(outcome.topic, outcome.result) for outcome in first] == [
        (spec.name, "created") for spec in specs
    ]
    assert [outcome.result for outcome in second] == ["exists"] * len(specs)
    assert [
        difference for difference in await describe(kafka_settings, specs) if not difference.unknown
    ] == []


async def test_describe_names_a_missing_topic_and_another_partition_count(kafka_settings: Settings) -> None:
    specs = catalogue(kafka_settings, DOMAINS)
    listings, messages, *_ = specs
    await create(kafka_settings, [replace(listings, partitions=2)])

    differences = await describe(kafka_settings, [listings, messages])

    assert [(d.topic, d.aspect, d.expected, d.found) for d in differences] == [
        (listings.name, "partitions", "4", "2"),
        (messages.name, "topic", "exists", "missing"),
    ]


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)
async def test_describe_reads_the_configuration(kafka_settings: Settings) -> None:
    (spec, *_) = catalogue(kafka_settings, DOMAINS)
    await create(kafka_settings, [replace(spec, config={**spec.config, "retention.ms": "60000"})])

    differences = await describe(kafka_settings, [spec])

    assert [(d.aspect, d.expected, d.found) for d in differences] == [
        ("retention.ms", spec.config["retention.ms"], "60000")
    ]


@pytest.mark.parametrize("broker", ["kafka"], indirect=True)
async def test_a_refused_topic_is_reported_and_the_others_are_made(kafka_settings: Settings) -> None:
    listings, messages, *_ = catalogue(kafka_settings, DOMAINS)

    outcomes = await create(kafka_settings, [replace(listings, replication_factor=3), messages])

    assert [outcome.result for outcome in outcomes] == ["failed", "created"]
    assert "InvalidReplicationFactorError" in outcomes[0].detail


def test_the_commands_create_then_agree(command_environment: dict[str, str]) -> None:
    runner = CliRunner(env=command_environment)

    before = runner.invoke(main, ["topics", "describe"])
    created = runner.invoke(main, ["topics", "create", "--json"])
    after = runner.invoke(main, ["topics", "describe", "--json"])

    assert before.exit_code == 1
    assert "missing" in before.stdout
    assert "`sekisho topics create` makes the missing ones" in before.stderr
    assert created.exit_code == 0, created.output
    results = {topic["topic"]: topic["result"] for topic in json.loads(created.stdout)["topics"]}
    prefix = command_environment["SEKISHO_TOPIC_PREFIX"]
    assert results == dict.fromkeys(
        (
            *(f"{prefix}{name}" for name in ("listings", "messages", "reports", "decisions")),
            f"{prefix}alerts.counterfeit",
            f"{prefix}alerts.off_platform_payment",
            f"{prefix}alerts.patrol",
            *(
                f"{prefix}{name}"
                for name in ("predictions", "rescore", "deadletter", "alerted", "statistics", "thresholds")
            ),
            f"{prefix}sekisho-windows-changelog",
        ),
        "created",
    )
    assert after.exit_code == 0, after.output
    assert [d for d in json.loads(after.stdout)["differences"] if not d["unknown"]] == []
