"""`sekisho deadletter` on every broker: what was put aside is listed, and goes back byte for byte."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.events import FORMAT_HEADER
from streams.kafka.dead_letters import DeadLetter, fit, headers_of
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.kafka_records import everything_in, write

AT_US = 1_795_000_000_000_000


def _letter(settings: Settings, offset: int, **changes: object) -> DeadLetter:
    fields: dict[str, object] = {
        "reason": "missing_field",
        "detail": "Object missing required field `text`",
        "topic": settings.topic("messages"),
        "partition": 2,
        "offset": offset,
        "at_us": AT_US + offset * 1_000_000,
        "key": b"t1",
        "value": b'{"transaction_id": "t1"}',
        "headers": ((FORMAT_HEADER, b"1"), ("trace", b"\x00\xff")),
    }
    return DeadLetter(**(fields | changes))  # type: ignore[arg-type]


def _put(settings: Settings, letters: Iterable[DeadLetter]) -> None:
    records = [Outgoing(letter.key, letter.value, tuple(headers_of(letter))) for letter in letters]
    asyncio.run(write(settings, settings.topic("deadletter"), records))


def _run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["deadletter", *arguments])


@pytest.fixture(autouse=True)
def _topics(command_environment: dict[str, str]) -> None:
    result = CliRunner(env=command_environment).invoke(main, ["topics", "create"])
    assert result.exit_code == 0, result.output


def test_list_shows_reason_and_origin_oldest_first(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    letters = [
        _letter(kafka_settings, 3),
        _letter(kafka_settings, 1, reason="not_utf8", value=b"\xff\x1b[2J", key=None),
    ]
    _put(kafka_settings, letters)

    listed = _run(command_environment, "list", "--json")
    readable = _run(command_environment, "list", "--values")

    assert listed.exit_code == 0, listed.output
    first, second = (json.loads(line) for line in listed.stdout.splitlines())
    assert (first["reason"], first["key"], base64.b64decode(first["value"])) == (
        "not_utf8",
        None,
        b"\xff\x1b[2J",
    )
    assert second["source"] == {"topic": kafka_settings.topic("messages"), "partition": 2, "offset": 3}
    assert second["at"] == "2026-11-18T11:06:43.000Z"
    assert "2 dead letters: 1 not_utf8, 1 missing_field" in readable.stdout
    assert "\x1b" not in readable.stdout


def test_list_selects_by_reason_topic_and_time(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    letters = [
        _letter(kafka_settings, 1, reason="not_json"),
        _letter(kafka_settings, 2, topic=kafka_settings.topic("listings")),
        _letter(kafka_settings, 3),
        _letter(kafka_settings, 4),
    ]
    _put(kafka_settings, letters)

    def offsets(*options: str) -> list[int]:
        result = _run(command_environment, "list", "--json", *options)
        assert result.exit_code == 0, result.output
        return [json.loads(line)["source"]["offset"] for line in result.stdout.splitlines()]

    assert offsets("--reason", "missing_field") == [2, 3, 4]
    assert offsets("--topic", "messages") == [1, 3, 4]
    assert offsets("--topic", kafka_settings.topic("listings")) == [2]
    assert offsets("--since", "2026-11-18T11:06:43Z") == [3, 4]
    assert offsets("--limit", "1") == [4]


def test_replay_sends_the_original_record(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    letters = [_letter(kafka_settings, 1), _letter(kafka_settings, 2, value=b"\xff\xfe", key=b"\x80")]
    _put(kafka_settings, [*letters, _letter(kafka_settings, 3, reason="not_json")])

    dry = _run(command_environment, "replay", "--reason", "missing_field", "--dry-run")
    result = _run(command_environment, "replay", "--reason", "missing_field", "--json")

    assert dry.stdout == "2 would be sent\n"
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"selected": 2, "sent": 2, "failed": 0, "truncated": 0}
    arrived = asyncio.run(everything_in(kafka_settings, kafka_settings.topic("messages")))
    assert {(record.key, record.value, tuple(record.headers)) for record in arrived} == {
        (letter.key, letter.value, letter.headers) for letter in letters
    }


def test_replay_does_not_send_the_beginning_of_a_record(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    _put(
        kafka_settings,
        [fit(_letter(kafka_settings, 1, value=b"x" * 5_000), 1_000), _letter(kafka_settings, 2)],
    )

    result = _run(command_environment, "replay", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"selected": 2, "sent": 1, "failed": 0, "truncated": 1}
    assert "holds only the beginning of a record of 5,000 bytes" in result.stderr
    assert len(asyncio.run(everything_in(kafka_settings, kafka_settings.topic("messages")))) == 1


def test_records_of_others_are_counted_not_shown(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    foreign = [Outgoing(b"k", b"something else")]
    asyncio.run(write(kafka_settings, kafka_settings.topic("deadletter"), foreign))

    result = _run(command_environment, "list")

    assert result.exit_code == 0, result.output
    assert result.stdout == "no dead letters\n"
    assert "1 records in the topic are no dead letters of Sekisho's" in result.stderr
