"""`sekisho produce` on every broker: what is in the file is what is in the topic."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord
from click.testing import CliRunner, Result

from streams.cli import main
from streams.embedded.broker import EmbeddedBroker
from streams.kafka.feed import GIVE_UP_AFTER, feed
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.kafka_records import everything_in

CONVERSATIONS = [
    {
        "transaction_id": f"t{number}",
        "status": "shipped",
        "messages": [
            {
                "message_id": f"t{number}-m{turn}",
                "writer": ("seller", "buyer")[turn % 2],
                "text": f"発送 {turn}",
            }
            for turn in range(7)
        ],
        "labels": {"off_platform_payment": 0},
    }
    for number in range(30)
]
#: 5 MB: above what is screened, below what a topic takes, so that it arrives and becomes a dead letter.
FIVE_MB = 5_000_000
NINE_MB = 9_000_000


def _write(path: Path, objects: list[object]) -> str:
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in objects))
    return str(path)


def _produce(environment: dict[str, str], *arguments: str, text: str | None = None) -> Result:
    return CliRunner(env=environment).invoke(main, ["produce", *arguments, "--json"], input=text)


def _records(settings: Settings, topic: str) -> list[ConsumerRecord]:
    return asyncio.run(everything_in(settings, settings.topic(topic)))


@pytest.fixture(autouse=True)
def _topics(command_environment: dict[str, str]) -> None:
    result = CliRunner(env=command_environment).invoke(main, ["topics", "create"])
    assert result.exit_code == 0, result.output


def test_conversations_arrive_in_order_under_their_key(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    result = _produce(
        command_environment, _write(tmp_path / "talk.jsonl", CONVERSATIONS), "--topic", "messages"
    )

    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert (summary["sent"], summary["failed"], summary["refused"]) == (210, 0, 0)
    arrived = defaultdict(list)
    for record in _records(kafka_settings, "messages"):
        event = json.loads(record.value)
        assert record.key == event["transaction_id"].encode()
        assert event["status"] == "shipped"
        arrived[event["transaction_id"]].append(event["message_id"])
    assert arrived == {
        talk["transaction_id"]: [message["message_id"] for message in talk["messages"]]
        for talk in CONVERSATIONS
    }


def test_a_listing_takes_its_image_along(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"\xff\xd8 not really a picture")
    example = {
        "listing": {
            "listing_id": "l1",
            "seller_id": "s",
            "title": "鞄",
            "image": "images/a.jpg",
            "price": None,
        },
        "labels": {"counterfeit": None},
    }

    result = _produce(command_environment, _write(tmp_path / "l.jsonl", [example]), "--topic", "listings")

    assert result.exit_code == 0, result.output
    (record,) = _records(kafka_settings, "listings")
    assert record.key == b"l1"
    assert json.loads(record.value) == {
        "listing_id": "l1",
        "seller_id": "s",
        "title": "鞄",
        "images": [{"data": base64.b64encode(b"\xff\xd8 not really a picture").decode()}],
    }


def test_a_loop_sends_new_ids_until_the_count(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    path = _write(tmp_path / "talk.jsonl", CONVERSATIONS[:1])

    result = _produce(
        command_environment, path, "--topic", "messages", "--loop", "--count", "16", "--rate", "1000"
    )

    assert result.exit_code == 0, result.output
    identifiers = [json.loads(record.value)["message_id"] for record in _records(kafka_settings, "messages")]
    once = [f"t0-m{turn}" for turn in range(7)]
    assert sorted(identifiers) == sorted([*once, *(f"{name}~2" for name in once), "t0-m0~3", "t0-m1~3"])


def test_unusable_lines_are_named_and_the_rest_is_sent(
    kafka_settings: Settings, command_environment: dict[str, str]
) -> None:
    lines = '{"alert_id": "a1", "verdict": "violation"}\nnot json\n{"verdict": "unsure"}\n'

    result = _produce(command_environment, "-", "--topic", "decisions", text=lines)

    assert result.exit_code == 1
    assert (json.loads(result.stdout)["sent"], json.loads(result.stdout)["refused"]) == (1, 2)
    assert "-:2: not JSON" in result.stderr
    assert "-:3: no `alert_id`" in result.stderr
    (record,) = _records(kafka_settings, "decisions")
    assert record.value == b'{"alert_id": "a1", "verdict": "violation"}'


def test_as_is_sends_every_line(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'\xff\xfe\n{"transaction_id": "t1"}\n[1]\n')

    result = _produce(command_environment, str(path), "--topic", "messages", "--as-is")

    assert result.exit_code == 0, result.output
    arrived = {(record.key, record.value) for record in _records(kafka_settings, "messages")}
    assert arrived == {(None, b"\xff\xfe"), (b"t1", b'{"transaction_id": "t1"}'), (None, b"[1]")}


@pytest.mark.parametrize("broker", ["kafka", "tansu"], indirect=True)
def test_a_record_too_large_to_be_screened_still_arrives(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    listing = {"listing_id": "big", "seller_id": "s", "title": "x" * FIVE_MB}

    result = _produce(command_environment, _write(tmp_path / "big.jsonl", [listing]), "--topic", "listings")

    assert result.exit_code == 0, result.output
    (record,) = _records(kafka_settings, "listings")
    assert len(record.value) > FIVE_MB


def test_a_record_that_no_topic_takes_fails_the_command(
    command_environment: dict[str, str], tmp_path: Path
) -> None:
    listings = [
        {"listing_id": "huge", "seller_id": "s", "title": "x" * NINE_MB},
        {"listing_id": "small", "seller_id": "s", "title": "x"},
    ]

    result = _produce(command_environment, _write(tmp_path / "huge.jsonl", listings), "--topic", "listings")

    assert result.exit_code == 1
    assert (json.loads(result.stdout)["sent"], json.loads(result.stdout)["failed"]) == (1, 1)
    assert "MessageSizeTooLargeError" in result.stderr


@pytest.mark.parametrize("broker", ["kafka", "noida"], indirect=True)
def test_a_missing_topic_is_said_at_once(command_environment: dict[str, str], tmp_path: Path) -> None:
    path = _write(tmp_path / "talk.jsonl", CONVERSATIONS)

    result = _produce(
        {**command_environment, "SEKISHO_TOPIC_PREFIX": "nowhere."}, path, "--topic", "messages"
    )

    assert result.exit_code == 1
    assert "the topic nowhere.messages does not exist: `sekisho topics create` makes it" in result.stderr


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
def test_a_terminal_sees_the_count_grow(command_environment: dict[str, str], tmp_path: Path) -> None:
    path = _write(tmp_path / "talk.jsonl", CONVERSATIONS)
    outer, inner = pty.openpty()
    program = [sys.executable, "-c", "from streams.cli import main; main()"]
    process = subprocess.Popen(
        [*program, "produce", path, "--topic", "messages", "--rate", "300"],
        env={**os.environ, **command_environment},
        stdout=subprocess.PIPE,
        stderr=inner,
    )
    os.close(inner)
    stdout, _ = process.communicate(timeout=60)
    shown = os.read(outer, 65536).decode()
    os.close(outer)

    assert process.returncode == 0
    assert stdout.startswith(b"210 sent to messages, 0 failed in ")
    assert re.search(r"\r\d+ sent, 0 failed ", shown)


@pytest.mark.parametrize("broker", ["noida"], indirect=True)
def test_a_broker_that_goes_away_fails_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not acknowledged counts as failed, and the feed ends although the file does not."""
    monkeypatch.setattr("streams.kafka.clients.REQUEST_TIMEOUT_MS", 2_000)
    server = EmbeddedBroker("noida", None, tmp_path / "broker").start()
    settings = Settings(broker=server.bootstrap, partitions=2)
    asyncio.run(create(settings, catalogue(settings, ())))
    going = threading.Event()

    def endless() -> Iterator[Outgoing]:
        for number in itertools.count():
            if number == 500:
                going.set()
            yield Outgoing(b"%d" % number, b"{}")

    killer = threading.Thread(target=lambda: (going.wait(30), server.kill()))
    killer.start()
    tally = asyncio.run(feed(settings, "messages", endless(), rate=2_000))
    killer.join()

    assert tally.sent > 0
    assert tally.failed >= GIVE_UP_AFTER
    assert tally.problems[-1] == f"gave up after {GIVE_UP_AFTER} failures in a row"
