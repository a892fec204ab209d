"""`sekisho stress` where it cannot run: exit code 2 and what to do, without a broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import main
from streams.cli.stress_events import NotRun, drafts_for
from streams.embedded.process import free_ports
from streams.settings import Settings

RULES = Path(__file__).parents[3] / "rules"
MESSAGE = {"message_id": "m", "transaction_id": "t", "writer": "buyer", "text": "はい"}
LISTING = {"listing_id": "l", "seller_id": "s", "title": "鞄"}


def stress(*arguments: str, **environment: str) -> Result:
    variables = {"SEKISHO_RULES_DIR": str(RULES), "SEKISHO_BROKER": f"127.0.0.1:{free_ports(1)[0]}"}
    return CliRunner(env={**variables, **environment}).invoke(main, ["stress", *arguments])


def test_a_broker_that_is_away_is_not_a_missed_goal() -> None:
    result = stress("--rate", "10", "--seconds", "1")
    assert result.exit_code == 2
    assert "no Kafka broker at 127.0.0.1:" in result.stderr
    assert "Is it running, and is SEKISHO_BROKER right?" in result.stderr


def test_wrong_settings_are_no_missed_goal() -> None:
    result = stress("--rate", "10", SEKISHO_PARTITIONS="many")
    assert result.exit_code == 2
    assert "SEKISHO_PARTITIONS" in result.stderr


def test_less_than_one_event_is_said_before_anything_is_connected() -> None:
    result = stress("--rate", "0.1", "--seconds", "1")
    assert result.exit_code == 2
    assert "0.1 events/s for 1 s are no event at all: raise --rate or --seconds" in result.stderr


def test_a_result_file_that_could_not_be_written_is_said_before_the_run(tmp_path: Path) -> None:
    result = stress("--rate", "10", "--out", str(tmp_path / "nowhere" / "r.json"))
    assert result.exit_code == 2
    assert "is no directory" in result.stderr


def test_without_the_rules_it_says_where_they_are_looked_for(tmp_path: Path) -> None:
    result = stress("--rate", "10", SEKISHO_RULES_DIR=str(tmp_path))
    assert result.exit_code == 2
    assert f"the rules in {tmp_path}, which cannot be read: there is no domains.yaml" in result.stderr
    assert "SEKISHO_RULES_DIR" in result.stderr
    assert "--from" in result.stderr


def test_a_file_of_both_kinds_is_sent_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    conversation = {"transaction_id": "c", "messages": [{"writer": "buyer", "text": text} for text in "ab"]}
    path.write_text("".join(json.dumps(one) + "\n" for one in (MESSAGE, LISTING, conversation)))
    make = drafts_for(Settings(), (str(path),), seed=1, listing_share=0.2)
    for source in (make(), make()):
        lap = [next(source) for _ in range(4)]
        assert [draft.topic for draft in lap].count("listings") == 1
        texts = [(draft.body["text"], draft.conversation) for draft in lap if draft.topic == "messages"]
        assert texts == [("はい", "1.0"), ("a", "1.1"), ("b", "1.1")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("", "there are no events in"),
        (
            json.dumps(MESSAGE) + "\n[1]\nno json\n",
            "2 lines are neither messages nor listings, e.g. .*:2: a JSON list",
        ),
        (json.dumps({**MESSAGE, "text": "\ud800"}) + "\n", "cannot be sent: .*surrogate"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(tmp_path: Path, lines: str, said: str) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(lines)
    with pytest.raises(NotRun, match=said):
        drafts_for(Settings(), (str(path),), seed=1, listing_share=0.2)
