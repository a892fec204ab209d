"""`sekisho models backtest` on predictions and decisions of a real broker."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.kafka.topics import catalogue, create
from streams.replay_files import Outgoing
from streams.settings import Settings
from tests.integration.kafka_records import write
from tests.unit.backtest.predictions import DOMAIN, MODEL, listing_value, predicted, scored, value

pytestmark = pytest.mark.parametrize("broker", ["noida", "kafka"], indirect=True)

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "triton_repo"
POLICY = """\
format: 1
domains:
  harassment:
    title: Insults
    applies_to: message
    severity: high
    champion: {model: message_harassment, version: 1, threshold: 0.8813}
    budget: {alerts_per_day: 300}
  counterfeit:
    title: Imitations
    applies_to: listing
    severity: high
    champion: {model: listing_counterfeit, version: 1, threshold: 0.9}
"""
WORST, KIND = "値切るなんて恥知らずのすることだ", "ご購入ありがとうございます"


@pytest.fixture
def past(kafka_settings: Settings, command_environment: dict[str, str]) -> dict[str, str]:
    """Two messages of which another model had alerted on the wrong one, one repeat, a listing, a foreign record."""
    rules = Path(kafka_settings.rules_dir)
    (rules / "domains.yaml").write_text(POLICY)
    asyncio.run(create(kafka_settings, catalogue(kafka_settings, [DOMAIN, "counterfeit"])))
    wrong = value(2, scored(0.95, version=7), text=KIND)
    records = [value(1, scored(0.1, version=7), text=WORST), wrong, wrong, listing_value(3, "財布", "新品")]
    predictions = [Outgoing(b"k", record) for record in (*records, b"{")]
    asyncio.run(write(kafka_settings, kafka_settings.topic("predictions"), predictions))
    decision = {
        "alert_id": predicted(2, text=KIND).alert_id(DOMAIN),
        "verdict": "no_violation",
        "moderator_id": "mod-7",
        "decided_at": "2026-11-21T11:00:00Z",
    }
    verdicts = [Outgoing(b"a", json.dumps(decision).encode()), Outgoing(b"a", b"[]")]
    asyncio.run(write(kafka_settings, kafka_settings.topic("decisions"), verdicts))
    return command_environment | {"SEKISHO_MODEL_REPOSITORY": str(SHIPPED)}


def backtest(environment: dict[str, str], *arguments: str) -> Result:
    return CliRunner(env=environment).invoke(main, ["models", "backtest", *arguments])


def test_a_version_that_never_ran_is_run_on_masked_input(past: dict[str, str], tmp_path: Path) -> None:
    result = backtest(past, MODEL, "1", "--threshold", "0.8", "--json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert (body["events"], body["repeats"]) == ({"message": 2, "listing": 1}, 1)
    found = body["domains"][DOMAIN]
    assert list(body["domains"]) == [DOMAIN]
    assert (found["events"], found["unscored"], found["budget"]) == (2, 0, 300)
    assert (found["tried"]["alerts"], found["happened"]["alerts"]) == (1, 1)
    assert found["happened"]["precision"] == 0.0
    (new,), (lost,) = found["new"]["examples"], found["lost"]["examples"]
    assert (new["text"], new["violation"]) == (WORST, None)
    assert (lost["text"], lost["violation"]) == (KIND, False)
    assert new["scores"][f"{MODEL}/1"] > 0.8 > lost["scores"][f"{MODEL}/1"]
    assert {reason: one["records"] for reason, one in body["skipped"].items()} == {
        "not_a_prediction": 1,
        "wrong_type": 1,
    }
    directory = tmp_path / "build"
    shutil.copytree(SHIPPED / MODEL / "1", directory)
    text = backtest(past, str(directory))
    assert text.exit_code == 0, text.output
    assert str(directory) in text.stdout
    assert WORST in text.stdout


def test_a_policy_uses_recorded_scores_and_runs_the_rest(past: dict[str, str], tmp_path: Path) -> None:
    policy = tmp_path / "domains.yaml"
    policy.write_text(POLICY.replace("version: 1, threshold: 0.8813", "version: 7, threshold: 0.97"))
    result = backtest(past, "--policy", str(policy), "--json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.stdout)
    assert (body["domains"][DOMAIN]["tried"]["alerts"], body["domains"][DOMAIN]["lost"]["alerts"]) == (0, 1)
    assert body["domains"]["counterfeit"]["unscored"] == 0  # of the repository, run without the picture
    nothing = backtest(past, "--policy", str(policy), "--since", "2099-01-01", "--json")
    assert json.loads(nothing.stdout)["events"] == {}
    earlier = backtest(past, "--policy", str(policy), "--since", "start", "--until", "2020-01-01", "--json")
    assert json.loads(earlier.stdout)["events"] == {}
    cannot = backtest(past, "--policy", str(policy), "--rescore")
    assert cannot.exit_code == 1
    assert "not in the repository" in cannot.stderr
