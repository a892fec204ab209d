"""Backtests: what the numbers say, counted by hand."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.alerts import alert_id, message_subject
from streams.backtest.history import PastMessage, Skipped, past_of_line, past_of_record, verdict_of
from streams.backtest.trial import Trial
from streams.cli.rules import command
from streams.rule_engine import RuleSet
from streams.rule_engine.rule import Match, Window
from streams.windows import Lifetimes
from tests.unit.rule_engine.making import listing_rule, message_rule

_DAY_S = 86_400


def _message(
    number: int, text: str, *, day: int = 1, transaction: str = "t", **more: object
) -> dict[str, object]:
    return {
        "message_id": f"m{number}",
        "transaction_id": transaction,
        "writer": "seller",
        "text": text,
        "sent_at": f"2026-11-{day:02d}T00:{number:02d}:00Z",
        **more,
    }


def _lines(*bodies: object) -> bytes:
    return b"".join(json.dumps(body, ensure_ascii=False).encode() + b"\n" for body in bodies)


def _feed(trial: Trial, data: bytes) -> Trial:
    for number, line in enumerate(data.splitlines(), start=1):
        for past in past_of_line(line, without_time_us=1_795_000_000_000_000):
            trial.add(past, f"f:{number}")
    return trial


_LINE = message_rule(Match(any=("LINE",)), id="contact.line")
_SHADOW = message_rule(Match(any=("インスタ",)), id="contact.insta", mode="shadow")


def test_hits_alerts_and_days() -> None:
    data = _lines(
        _message(1, "LINEで"),
        _message(2, "ＬＩＮＥで", transaction="u"),
        _message(3, "インスタで", day=2),
        _message(4, "LINEかインスタ", day=2),
    )
    trial = _feed(Trial(RuleSet([_LINE, _SHADOW])), data)
    assert {name: found.hits for name, found in trial.by_rule.items()} == {
        "contact.line": 3,
        "contact.insta": 2,
    }
    assert trial.by_domain["contact_exchange"].alerts_by_day == {"2026-11-01": 2, "2026-11-02": 1}
    assert trial.by_rule["contact.line"].examples == ["LINEで", "ＬＩＮＥで", "LINEかインスタ"]


def test_new_and_lost_alerts_against_the_live_set() -> None:
    data = _lines(
        _message(1, "LINE"), _message(2, "インスタ"), _message(3, "LINEとインスタ"), _message(4, "なし")
    )
    active = message_rule(Match(any=("インスタ",)), id="contact.insta")
    found = _feed(Trial(RuleSet([active]), RuleSet([_LINE])), data).by_domain["contact_exchange"]
    assert (found.alerts, found.live_alerts, found.new, found.lost) == (2, 2, 1, 1)
    assert found.new_examples == ["contact.insta: インスタ"]
    assert found.lost_examples == ["contact.line: LINE"]


def test_precision_and_recall_by_labels_of_examples() -> None:
    examples = [
        ("LINE", 1), ("LINE", 0), ("ライン", 1), ("ok", 0), ("LINE", None),
    ]  # fmt: skip
    data = _lines(
        *(
            {
                "transaction_id": f"t{number}",
                "status": "shipped",
                "messages": [{"writer": "buyer", "text": "LINE before"}, {"writer": "seller", "text": text}],
                "labels": {"contact_exchange": label},
            }
            for number, (text, label) in enumerate(examples)
        )
    )
    trial = _feed(Trial(RuleSet([_LINE])), data)
    judged = trial.by_domain["contact_exchange"].judged
    assert trial.events == {"message": 10}
    assert (judged.right, judged.wrong, judged.missed) == (1, 1, 1)
    assert (judged.precision, judged.recall) == (0.5, 0.5)
    assert trial.by_rule["contact.line"].judged.precision == 0.5
    assert trial.by_rule["contact.line"].hits == 8, "events without a label count as hits"


def test_decisions_of_moderators_are_labels() -> None:
    (past,) = past_of_line(_lines(_message(1, "LINE")), without_time_us=0)
    assert isinstance(past, PastMessage)
    known = alert_id(message_subject(past.decoded.event), "contact_exchange")
    decision = {
        "alert_id": known,
        "verdict": "no_violation",
        "moderator_id": "a",
        "decided_at": "2026-11-02T00:00:00Z",
    }
    assert verdict_of(json.dumps(decision).encode()) == (known, False)
    assert verdict_of(json.dumps(decision | {"verdict": "unsure"}).encode()) is None
    bad = verdict_of(b"{")
    assert isinstance(bad, Skipped)
    assert bad.reason == "not_json"
    trial = Trial(RuleSet([_LINE]), verdicts={known: False})
    trial.add(past)
    assert trial.by_domain["contact_exchange"].judged.wrong == 1


def test_windows_are_those_of_the_worker() -> None:
    rule = message_rule(Match(all=("あああ", "いいい")), window=Window(messages=2, scope="together"))
    data = _lines(
        *(_message(number, text) for number, text in enumerate(["あああ", "x", "いいい", "あああ", "x"]))
    )
    trial = _feed(Trial(RuleSet([rule])), data)
    assert trial.by_rule["test.rule"].hits == 1


def test_a_window_ends_after_the_silences_after_which_the_workers_does() -> None:
    rule = message_rule(Match(all=("あああ", "いいい")), window=Window(messages=2, scope="together"))
    later = [(1, "あああ", "shipped", 1), (2, "いいい", "completed", 3), (3, "あああ", "completed", 6)]
    data = _lines(*(_message(number, text, day=day, status=status) for number, text, status, day in later))
    hits = [
        _feed(Trial(RuleSet([rule]), lifetimes=Lifetimes.of_days(idle=idle, ended=ended)), data)
        .by_rule["test.rule"]
        .hits
        for idle, ended in ((9, 9), (9, 2.5), (1, 9))
    ]
    assert hits == [2, 1, 0]


def test_listings() -> None:
    rules = RuleSet([listing_rule(Match(any=("コピー品",)), id="copy.x")])
    listing = {
        "listing_id": "l",
        "seller_id": "s",
        "title": "財布",
        "description": "コピー品 090-1234-5678",
        "attributes": {"size": None},
    }
    data = _lines(
        {"listing": {**listing, "image": "x.jpg"}, "labels": {"counterfeit": 1}},
        {**listing, "attributes": {}},
    )
    trial = _feed(Trial(rules, RuleSet([])), data)
    assert trial.events == {"listing": 2}
    assert trial.by_domain["counterfeit"].judged.right == 1
    assert trial.by_domain["counterfeit"].new == 2
    assert "1234" not in trial.by_rule["copy.x"].examples[0], "personal data is masked"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not_json"),
        (b'{"messages": [', "not_json"),
        (b"[1]", "wrong_type"),
        (b'{"messages": [5], "transaction_id": "t"}', "wrong_type"),
    ],
)
def test_what_cannot_be_used_is_counted_with_the_reason(line: bytes, reason: str) -> None:
    trial = _feed(Trial(RuleSet([_LINE])), line)
    assert list(trial.skipped) == [reason]
    assert trial.skipped_examples[reason].startswith("f:1: ")
    assert trial.events == {}


def test_records_of_topics() -> None:
    assert isinstance(past_of_record(None, kind="message", timestamp_us=0), Skipped)
    past = past_of_record(_lines(_message(1, "LINE")), kind="message", timestamp_us=1_795_000_000_000_000)
    assert isinstance(past, PastMessage)


class TestCommand:
    @pytest.fixture
    def events(self, tmp_path: Path) -> Path:
        """Three messages and a broken line."""
        path = tmp_path / "events.jsonl"
        path.write_bytes(
            _lines(_message(1, "詐欺師。死ね", status="shipped"), _message(2, "ok"), _message(3, "ok", day=2))
            + b"{\n\n"
        )
        return path

    def _run(self, *arguments: str) -> Result:
        return CliRunner().invoke(command, ["backtest", *arguments])

    def test_json(self, events: Path) -> None:
        result = self._run(
            "--events", str(events), "--rules", str(Path(__file__).parents[3] / "rules"), "--json"
        )
        assert result.exit_code == 0, result.output
        body = json.loads(result.stdout)
        assert body["events"] == {"message": 3}
        assert body["days"] == 2
        assert body["domains"]["harassment"]["alerts_per_day"] == 0.5
        assert body["rules"]["harassment.insult"]["hits"] == 1
        assert body["skipped"]["not_json"]["example"].startswith(f"{events}:4: ")

    def test_text_against_another_set(self, events: Path, tmp_path: Path) -> None:
        mine = tmp_path / "mine"
        mine.mkdir()
        for path in (Path(__file__).parents[3] / "rules").glob("domains.yaml"):
            (mine / path.name).write_bytes(path.read_bytes())
        (mine / "a.yaml").write_text(
            "format: 1\nrules:\n  - {id: harassment.ok, description: x, domain: harassment, mode: active, match: {any: [ok]}, tests: {should_match: [ok]}}\n"
        )
        result = self._run(
            "--events",
            str(events),
            "--rules",
            str(mine),
            "--against",
            str(Path(__file__).parents[3] / "rules"),
        )
        assert result.exit_code == 0, result.output
        row = next(line for line in result.output.splitlines() if line.startswith("harassment "))
        assert row.split() == ["harassment", "2", "1.0", "-", "-", "1", "2", "1"]
        assert "harassment.insult: 詐欺師。死ね" in result.output
        assert "1 not_json, e.g." in result.output

    def test_decisions_from_a_file_and_those_that_cannot_be_used(self, events: Path, tmp_path: Path) -> None:
        (past,) = past_of_line(events.read_bytes().splitlines()[0], without_time_us=0)
        assert isinstance(past, PastMessage)
        known = alert_id(message_subject(past.decoded.event), "harassment")
        decision = {"alert_id": known, "moderator_id": "a", "decided_at": "2026-11-02T00:00:00Z"}
        path = tmp_path / "decisions.jsonl"
        path.write_bytes(
            _lines(*({**decision, "verdict": verdict} for verdict in ("no_violation", "unsure", "violation")))
            + b'\n{"alert_id": "x"}\n'
        )
        shipped = str(Path(__file__).parents[3] / "rules")
        result = self._run("--events", str(events), "--decisions", str(path), "--rules", shipped, "--json")
        assert result.exit_code == 0, result.output
        body = json.loads(result.stdout)
        assert body["rules"]["harassment.insult"]["precision"] == 1.0, "the last decision counts"
        assert body["skipped"]["missing_field"]["example"].startswith(f"{path}:5: no decision: ")

    def test_a_bar_on_a_terminal_and_none_in_a_pipe(self, events: Path) -> None:
        command_line = [sys.executable, "-m", "streams.cli", "rules", "backtest"]
        command_line += ["--events", str(events), "--rules", str(Path(__file__).parents[3] / "rules")]
        piped = subprocess.run(command_line, capture_output=True, timeout=60, check=True)
        assert piped.stderr == b""
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm"}
        with subprocess.Popen(
            command_line, stdout=subprocess.PIPE, stderr=theirs, env=environment
        ) as process:
            os.close(theirs)
            shown = b""
            with contextlib.suppress(OSError):  # Linux: the terminal's other end was closed
                while read := os.read(ours, 4096):
                    shown += read
            assert process.wait(60) == 0
        os.close(ours)
        assert b"100 %" in shown

    def test_usage(self, events: Path, tmp_path: Path) -> None:
        assert self._run().exit_code == 2
        assert self._run("--events", str(events), "--topic", "messages").exit_code == 2
        (tmp_path / "r").mkdir()
        (tmp_path / "r" / "a.yaml").write_text("format: 2")
        result = self._run("--events", str(events), "--rules", str(tmp_path / "r"))
        assert result.exit_code == 1
        assert "policy.missing" in result.output
