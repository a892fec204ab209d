"""`sekisho rules backtest --topic` on a real broker."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.alerts import alert_id, message_subject
from streams.cli import main
from streams.events import decode_message
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.kafka_records import write

pytestmark = pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)

RULE = """\
format: 1
rules:
  - id: pay.word
    description: A word.
    domain: off_platform_payment
    mode: active
    match: {any: [モノペイ]}
    tests: {should_match: [モノペイで]}
"""


def test_a_topic_with_decisions(kafka_settings: Settings, command_environment: dict[str, str]) -> None:
    runner = CliRunner(env=command_environment)
    assert runner.invoke(main, ["topics", "create"]).exit_code == 0
    (Path(kafka_settings.rules_dir) / "a.yaml").write_text(RULE, "utf-8")
    texts = ["モノペイで払えますか", "ok", "モノペイのぬいぐるみ"]
    values = [
        json.dumps(
            {"message_id": f"m{n}", "transaction_id": f"t{n}", "writer": "buyer", "text": text}
        ).encode()
        for n, text in enumerate(texts)
    ]
    records = [Outgoing(f"t{n}".encode(), value) for n, value in enumerate(values)]
    asyncio.run(write(kafka_settings, kafka_settings.topic("messages"), [*records, Outgoing(b"x", b"{")]))
    decisions = []
    for value, verdict in ((values[0], "violation"), (values[2], "no_violation")):
        known = alert_id(
            message_subject(decode_message(value, key=None, timestamp_us=1).event), "off_platform_payment"
        )
        body = {
            "alert_id": known,
            "verdict": verdict,
            "moderator_id": "a",
            "decided_at": "2026-11-21T00:00:00Z",
        }
        decisions.append(Outgoing(known.encode(), json.dumps(body).encode()))
    asyncio.run(write(kafka_settings, kafka_settings.topic("decisions"), decisions))
    result = runner.invoke(main, ["rules", "backtest", "--topic", "messages", "--since", "1h", "--json"])
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert body["events"] == {"message": 3}
    assert body["rules"]["pay.word"]["hits"] == 2
    assert body["domains"]["off_platform_payment"]["precision"] == 0.5
    assert body["skipped"]["not_json"]["records"] == 1
    result = runner.invoke(
        main, ["rules", "backtest", "--topic", "messages", "--since", "2099-01-01", "--json"]
    )
    assert json.loads(result.stdout)["events"] == {}
