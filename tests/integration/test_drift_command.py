"""`sekisho drift` on every broker: what workers counted and moderators decided, compared."""

from __future__ import annotations

import asyncio
import json
import time

from click.testing import CliRunner, Result

from streams.cli import main
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.settings import Settings
from streams.statistics.records import Counts, InputCounts, ScoreCounts, encode, hour_of, key_of
from tests.integration.conftest import DOMAINS
from tests.integration.kafka_records import write

DOMAIN = DOMAINS[0]


def written() -> list[Counts]:
    """A record a day of two workers over four weeks and a day; on the last one other scores and a language more."""
    now = hour_of(time.time_ns() // 1000)
    counts: list[Counts] = []
    for instance in ("a", "b"):
        for day in range(29):
            hour, moved = now - 24 * day, 200 if day == 0 else 0
            counts.append(
                ScoreCounts(
                    instance=instance, hour=hour, domain=DOMAIN, model="m", version=2, role="champion",
                    alone={-160 + moved + 16 * step: 50 for step in range(10)},
                )
            )  # fmt: skip
            script = {"script=japanese": 250, "script=latin": 250} if day == 0 else {"script=japanese": 500}
            counts.append(
                InputCounts(instance=instance, hour=hour, kind="message", facts={"events": 500, **script})
            )
    return counts


def prepare(settings: Settings, *, counts: list[Counts]) -> None:
    async def prepared() -> None:
        await create(settings, catalogue(settings, DOMAINS))
        records = [Outgoing(key_of(each), encode(each)) for each in counts]
        if counts:  # the same again, and bytes that nobody of ours wrote
            records += [records[0], Outgoing(b"x", b"{"), Outgoing(records[0].key, None)]
        await write(settings, settings.topic("statistics"), records)

    asyncio.run(prepared())


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["drift", *arguments])


def test_a_day_that_is_otherwise(kafka_settings: Settings, command_environment: dict[str, str]) -> None:
    prepare(kafka_settings, counts=written())

    result = run(command_environment, "--json")
    printed = run(command_environment, "--domain", DOMAIN)

    assert result.exit_code == printed.exit_code == 0, result.output + printed.output
    found = json.loads(result.stdout)
    (scores,) = found["scores"]
    assert (scores["domain"], scores["model"], scores["version"]) == (DOMAIN, "m", 2)
    assert (scores["reference_events"], scores["events"]) == (28 * 1_000, 1_000)
    assert scores["level"] == found["level"] == "drifted"
    script = next(one for one in found["inputs"] if one["fact"] == "script")
    assert script["moved"] == {"bin": "latin", "before": 0.0, "now": 0.5}
    assert "records of statistics that could not be read: 1" in result.stderr
    assert f"{DOMAIN}: the scores of m v2 are not what they were" in printed.stdout


def test_before_anything_was_counted(kafka_settings: Settings, command_environment: dict[str, str]) -> None:
    prepare(kafka_settings, counts=[])

    result = run(command_environment, "--json", "--words")

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert (found["level"], found["scores"], found["advice"]) == ("too few", [], [])
    assert {word["level"] for word in found["words"]} == {"too few"}


def test_a_missing_topic_is_said_with_the_command_that_makes_it(command_environment: dict[str, str]) -> None:
    result = run(command_environment)

    assert result.exit_code == 1
    assert "`sekisho topics create` makes it" in result.stderr
