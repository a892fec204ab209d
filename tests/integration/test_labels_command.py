"""`sekisho labels export` on real brokers: what stands in the topics, joined into a folder."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from models.data.examples import read_examples
from streams.cli import main
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.kafka_records import write
from tests.unit.models.labels.history import Record, decision, identity, prediction, raised, score

pytestmark = pytest.mark.train

DOMAIN = "off_platform_payment"


def put(settings: Settings, topic: str, records: list[Record]) -> None:
    outgoing = [Outgoing(record.key, record.value) for record in records]
    asyncio.run(write(settings, settings.topic(topic), outgoing))


def run(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, list(arguments))


@pytest.fixture(autouse=True)
def history(kafka_settings: Settings, command_environment: dict[str, str]) -> None:
    """Twelve conversations, four of them alerted on; a report on a fifth; verdicts, one of them late and corrected."""
    assert run(command_environment, "topics", "create").exit_code == 0
    predictions, alerts, decisions = [], [], [decision("of an alert that nobody knows", "violation")]
    for n in range(12):
        text, transaction = f"LINE {n}" if n < 4 else f"ok {n}", f"t{n:02d}"
        scores = [score(DOMAIN, 0.95 if n < 4 else 0.1)]
        value = prediction(text, transaction=transaction, hours=n % 4 + n / 100, offset=n, scores=scores)
        predictions.append(Record(value, transaction.encode()))
        alert = identity(text, DOMAIN, transaction=transaction)
        if n < 5:
            alerts.append(raised(alert, DOMAIN, transaction=transaction))
        if n < 4:
            decisions.append(decision(alert, "no_violation", hours=10))
    for n in (1, 3):
        alert = identity(f"LINE {n}", DOMAIN, transaction=f"t{n:02d}")
        decisions.append(decision(alert, "violation", hours=20, by="mod-2"))
    put(kafka_settings, "predictions", [*predictions, Record(b"no prediction", b"x")])
    put(kafka_settings, "alerted", alerts)
    put(kafka_settings, "decisions", [*decisions, Record(b"{}", b"x")])


def test_verdicts_and_predictions_become_examples(
    kafka_settings: Settings, command_environment: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "labels"
    options = ["--unflagged", "2", "--validation", "0.25", "--test", "0.25"]
    result = run(command_environment, "labels", "export", "--out", str(out), *options, "--json")
    assert result.exit_code == 0, result.output
    manifest = json.loads(result.stdout)
    assert manifest == json.loads((out / "labels.json").read_text())
    offsets = manifest["predictions"]["offsets"]
    assert len(offsets) == kafka_settings.partitions
    assert sum(end - start for start, end in offsets.values()) == 13
    assert manifest["unreadable_predictions"] == 1
    assert manifest["decisions"]["unreadable"] == 1
    assert manifest["decisions"]["of_no_prediction_read"] == 1
    assert manifest["decisions"]["contradicted"] == 2
    assert manifest["kinds"]["messages"]["read"]["left_out"] == {"unjudged": 1}
    examples = [one for path in sorted((out / "messages").iterdir()) for one in read_examples(path)]
    by_label = [(one["labels"][DOMAIN], one["label_sources"][DOMAIN]) for one in examples]
    assert sorted(by_label) == [(0, "alert")] * 2 + [(0, "unflagged")] * 4 + [(1, "alert")] * 2
    assert {one["transaction_id"] for one in examples if one["labels"][DOMAIN] == 1} == {"t01", "t03"}
    assert "1 records of predictions could not be read" in result.stderr

    again = run(command_environment, "labels", "export", "--out", str(out), *options)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    files = {path: path.read_bytes() for path in (out / "messages").iterdir()}
    forced = run(command_environment, "labels", "export", "--out", str(out), *options, "--force")
    assert forced.exit_code == 0, forced.output
    assert DOMAIN in forced.stdout
    assert {path: path.read_bytes() for path in (out / "messages").iterdir()} == files


def test_nothing_in_time_is_a_failure_that_writes_nothing(
    command_environment: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "labels"
    result = run(command_environment, "labels", "export", "--out", str(out), "--since", "2d", "--until", "1d")
    assert result.exit_code == 1
    assert "nothing was written" in result.stdout
    assert not out.exists()
