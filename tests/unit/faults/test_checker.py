"""The checker finds nothing wrong with topics that are right, and complains of each thing that can be wrong with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults.checker.facts import Facts, Unreadable
from tests.faults.checker.records import TopicRecord
from tests.faults.checker.rule_waits import check_rule_waits, quiet_stretches
from tests.faults.checker.verdict import SHOWN, Verdict
from tests.unit.faults.making import EDITION, START_MS, Topics, good, verdict_on


def test_topics_that_are_right_are_found_right(tmp_path: Path):
    verdict = verdict_on(*good(), tmp_path)
    assert verdict.ok, verdict.examples
    assert verdict.counts["records produced"] == 12
    assert verdict.counts["windows compared"] == 9
    assert verdict.counts["predictions repeated"] == 1
    assert verdict.counts["alerts implied"] == 7
    assert verdict.counts["records below a commit"] == 12
    assert verdict.counts["acknowledged to the sender"] == 12


def _of(topics: Topics, topic: str, place: int) -> int:
    """The position of a topic's record number `place`."""
    return [index for index, record in enumerate(topics.records) if record.topic == topic][place]


def _drop(topic: str, place: int) -> Callable[[Topics], None]:
    def spoil(topics: Topics) -> None:
        del topics.records[_of(topics, topic, place)]

    return spoil


def _change(topic: str, place: int, change: Callable[[dict[str, Any]], object]) -> Callable[[Topics], None]:
    def spoil(topics: Topics) -> None:
        index = _of(topics, topic, place)
        body = json.loads(topics.records[index].value or b"")
        change(body)
        topics.records[index] = topics.records[index]._replace(value=json.dumps(body).encode())

    return spoil


def _again(topic: str, place: int, change: Callable[[dict[str, Any]], object]) -> Callable[[Topics], None]:
    def spoil(topics: Topics) -> None:
        body = json.loads(topics.records[_of(topics, topic, place)].value or b"")
        change(body)
        topics.put(topic, json.dumps(body).encode())

    return spoil


def _letter_of_a_good_record(topics: Topics) -> None:
    del topics.records[_of(topics, "predictions", 0)]
    topics.dead_letter(topics.records[0], "not_json")


def _put_aside_for_good(topics: Topics) -> None:
    del topics.records[_of(topics, "predictions", 0)]
    topics.put("rescore", json.dumps({"topic": "x.messages", "partition": 0, "offset": 0}).encode())


SPOILT: dict[str, tuple[str, Callable[[Topics], None]]] = {
    "a lost event": ("lost", _drop("predictions", 0)),
    "a lost poisoned record": ("lost", _drop("deadletter", 0)),
    "an event put aside and forgotten": ("never scored", _put_aside_for_good),
    "a prediction of nothing": (
        "invented", _again("predictions", 0, lambda b: b["source"].update(offset=77)),
    ),
    "a dead letter beside a prediction": (
        "two fates", lambda topics: topics.dead_letter(topics.records[0], "not_json"),
    ),
    "a good record refused": ("refused", _letter_of_a_good_record),
    "a poisoned record predicted": (
        "two fates", _again("predictions", 0, lambda b: b["source"].update(offset=9)),
    ),
    "another reason": (
        "wrong reason",
        lambda topics: topics.records.append(topics.records.pop(_of(topics, "deadletter", 0))._replace(headers=tuple(
            {"sekisho.topic": b"messages", "sekisho.partition": b"0", "sekisho.offset": b"9",
             "sekisho.reason": b"too_large"}.items()
        ))),
    ),
    "lost before the engine": ("lost by Kafka", _drop("messages", 8)),
    "another record at its place": (
        "lost by Kafka", lambda topics: topics.ledger.append(topics.ledger[0]._replace(number=99)),
    ),
    "a window that lacks a message": ("wrong window", _change("predictions", 4, lambda b: b["input"]["messages"].pop(0))),
    "a window in another order": ("wrong window", _change("predictions", 4, lambda b: b["input"]["messages"].reverse())),
    "a window of the next conversation": (
        "wrong window", _change("predictions", 8, lambda b: b["input"]["messages"].insert(0, {"message_id": "m6"})),
    ),
    "a rule that did not fire": ("wrong rules", _change("predictions", 1, lambda b: b["rules"].clear())),
    "a rule that fired for nothing": (
        "wrong rules", _change("predictions", 0, lambda b: b["rules"].append({"rule_id": "r.one", "mode": "active"})),
    ),
    "a shadow rule taken for active": (
        "wrong rules", _change("predictions", 2, lambda b: b["rules"][0].update(mode="active")),
    ),
    "another score": ("wrong score", _change("predictions", 0, lambda b: b["scores"][0].update(score=0.5))),
    "another version": ("wrong models", _change("predictions", 0, lambda b: b["scores"][0].update(version="2"))),
    "another threshold": ("wrong models", _change("predictions", 0, lambda b: b["scores"][0].update(threshold=0.1))),
    "a model left out": ("wrong models", _change("predictions", 0, lambda b: b["scores"].clear())),
    "no score": ("no score", _change("predictions", 0, lambda b: b["scores"][0].update(score=None, failure="internal"))),
    "rules that nobody wrote": ("unknown edition", _change("predictions", 0, lambda b: b.update(ruleset="?"))),
    "an alert by rules that nobody wrote": ("unknown edition", _change("alerts.words", 0, lambda b: b.update(policy="?"))),
    "a missing alert": ("missing alert", _drop("alerts.words", 0)),
    "a missing alert by a model": ("missing alert", _drop("alerts.words", 3)),
    "an alert that no prediction states": (
        "alert not implied", _again("alerts.words", 0, lambda b: b.update(alert_id="zz", subject={"message_id": "m1"})),
    ),
    "a prediction that states no alert": ("wrong alerts", _change("predictions", 1, lambda b: b["alerts"].clear())),
    "a prediction that states one too many": ("wrong alerts", _change("predictions", 0, lambda b: b["alerts"].append("a2"))),
    "the model's evidence never followed": ("missing evidence", _drop("alerts.goods", 2)),
    "an alert on a score below the threshold": (
        "alert not implied", _change("alerts.words", 3, lambda b: b["evidence"][0].update(score=0.2)),
    ),
    "an alert by a rule that did not fire": (
        "alert not implied",
        _change("alerts.words", 0, lambda b: b["evidence"].append({"by": "rule", "rule_id": "r.one"})),
    ),
    "an alert without evidence": ("alert not implied", _change("alerts.words", 0, lambda b: b["evidence"].clear())),
    "a repetition with another window": (
        "repeated otherwise", _again("predictions", 1, lambda b: b["input"]["messages"].pop(0)),
    ),
    "a repetition with other notes": ("repeated otherwise", _again("predictions", 1, lambda b: b["notes"].append("odd"))),
    "a repeated alert with other content": (
        "one id, two alerts", _again("alerts.words", 0, lambda b: b.update(context=["something else"])),
    ),
    "a repeated alert of another severity": (
        "repeated otherwise", _again("alerts.words", 0, lambda b: b.update(severity="low")),
    ),
    "a replay with another alert id": (
        "one alert, two ids",
        lambda topics: (
            _again("predictions", 1, lambda b: b.update(alerts=["new"]))(topics),
            _again("alerts.words", 0, lambda b: b.update(alert_id="new"))(topics),
        ),
    ),
    "an alert id of two events": (
        "one id, two alerts", _change("predictions", 2, lambda b: b.update(alerts=["a2"])),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_each_thing_that_is_wrong_is_complained_of(tmp_path: Path, what: str):
    promise, spoil = SPOILT[what]
    topics, samples = good()
    spoil(topics)
    verdict = verdict_on(topics, samples, tmp_path)
    assert verdict.complaints[promise] >= 1, verdict.examples
    assert not verdict.ok


def test_an_offset_committed_before_its_output_is_seen(tmp_path: Path):
    topics, samples = good()
    # the first sample saw one prediction; had two messages been committed then, one would be without output
    samples[0]["committed"]["x.messages/0"] = 2
    verdict = verdict_on(topics, samples, tmp_path)
    assert verdict.complaints == {"committed too early": 1}
    assert verdict.examples["committed too early"] == ["messages-0@1 was below 2 before its output was there"]


@pytest.mark.parametrize("noted", [True, False])
def test_a_late_picture_is_no_wrong_score_if_the_prediction_says_so(tmp_path: Path, noted: bool):
    topics, samples = good()

    def without_its_picture(body: dict[str, Any]) -> None:
        body["scores"][0]["score"] -= 0.297
        body["notes"] = ["image_timeout"] if noted else []

    _again("predictions", -1, without_its_picture)(topics)
    verdict = verdict_on(topics, samples, tmp_path)
    assert verdict.ok == noted
    assert verdict.counts["listings whose picture came too late"] == int(noted)
    assert ("wrong score" in verdict.complaints) == (not noted)


def test_pictures_that_are_late_again_and_again_are_complained_of(tmp_path: Path):
    topics, samples = good()

    def without_its_picture(body: dict[str, Any]) -> None:
        body["scores"][0]["score"] -= 0.297
        body["notes"] = ["image_timeout"]

    _change("predictions", -1, without_its_picture)(topics)
    _again("predictions", -1, lambda _: None)(topics)
    assert "pictures that were there came too late" in verdict_on(topics, samples, tmp_path).complaints


def test_of_many_complaints_all_are_counted_and_some_shown():
    verdict = Verdict()
    for number in range(SHOWN + 5):
        verdict.complain("lost", str(number))
    assert verdict.complaints["lost"] == SHOWN + 5
    assert len(verdict.examples["lost"]) == SHOWN


def test_rules_that_waited_are_told_from_those_that_did_not(tmp_path: Path):
    topics, _ = good()
    facts = Facts(tmp_path / "facts", [rule["word"] for rule in EDITION["rules"]])
    late = topics.message("m8", "oneword", 40.0)
    topics.alert(late, "a8", rules=["r.one"], at_s=47.0)
    soon = topics.message("m9", "oneword", 41.0)
    topics.alert(soon, "a9", rules=["r.one"], at_s=41.2)
    facts.take(topics.records)
    stretches = quiet_stretches([(START_MS / 1000 + 39, START_MS / 1000 + 60)], [], margin_s=1.0)
    verdict = Verdict()
    check_rule_waits(facts, stretches, verdict, limit_s=5.0)
    assert verdict.complaints == {"rules waited": 1}
    assert verdict.counts["rule alerts while Triton was away"] == 2
    assert verdict.measured["rule alert while Triton was away, max s"] == 7.0
    facts.close()


def test_a_promise_about_rules_that_was_held_to_no_alert_is_not_shown(tmp_path: Path):
    facts = Facts(tmp_path / "facts", [])
    verdict = Verdict()
    check_rule_waits(facts, [], verdict, limit_s=5.0)
    assert verdict.complaints == {"rules not shown": 1}
    facts.close()


def test_a_stretch_in_which_something_else_was_broken_proves_nothing():
    quiet = quiet_stretches([(10.0, 20.0), (50.0, 60.0), (70.0, 70.5)], [(5.0, 11.0)], margin_s=1.0)
    assert [(s.from_ms, s.to_ms) for s in quiet] == [(50_000, 59_000)]


def test_a_record_that_is_not_as_the_contract_says_is_named(tmp_path: Path):
    facts = Facts(tmp_path / "facts", [])
    with pytest.raises(Unreadable, match=r"predictions-3@7: KeyError\('source'\)"):
        facts.take([TopicRecord("predictions", 3, 7, 0, None, b"{}")])
    facts.close()


def test_the_checker_shares_no_code_with_the_engine():
    modules = (
        "accounting commits expected facts judgements oracle records reading repetitions rule_waits verdict"
    )
    imports = "; ".join(f"import tests.faults.checker.{name}" for name in modules.split())
    found = subprocess.run(
        [sys.executable, "-c", f"{imports}; import sys; print([m for m in sys.modules if m.startswith('streams')])"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.strip() == "[]"
