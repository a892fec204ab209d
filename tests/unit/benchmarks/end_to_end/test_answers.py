"""Two systems do the same work only if they say the same."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from benchmarks.end_to_end.answers import Answers, answers_of, differences, missing, shown


def prediction(
    message_id: str, score: float = 0.5, *, rules: tuple[str, ...] = (), alerts: tuple[str, ...] = ()
) -> bytes:
    return orjson.dumps(
        {
            "subject": {"type": "message", "message_id": message_id},
            "scores": [{"domain": "harassment", "score": score}],
            "rules": [{"rule_id": rule} for rule in rules],
            "alerts": list(alerts),
        }
    )


def alert(alert_id: str, *evidence: dict[str, Any], revision: int = 1) -> bytes:
    return orjson.dumps({"alert_id": alert_id, "revision": revision, "evidence": list(evidence)})


RULE: dict[str, Any] = {"by": "rule", "rule_id": "r1"}
MODEL: dict[str, Any] = {"by": "model", "model": "message_harassment", "score": 0.99}


def answers(*predictions: bytes, alerts: tuple[bytes, ...] = ()) -> Answers:
    return answers_of(predictions, alerts)


def test_the_same_answers_in_any_order() -> None:
    one = answers(prediction("m1"), prediction("m2", alerts=("a",)), alerts=(alert("a", RULE, MODEL),))
    other = answers(prediction("m2", alerts=("a",)), prediction("m1"), alerts=(alert("a", MODEL, RULE),))
    assert differences(one, other) == []
    assert missing(one, other) == 0
    assert one.alerted == 1


def test_scores_may_differ_in_the_sixth_decimal_and_no_more() -> None:
    expected = answers(prediction("m1", 0.5))
    assert differences(expected, answers(prediction("m1", 0.500009))) == []
    (told,) = differences(expected, answers(prediction("m1", 0.50002)))
    assert "m1: scores" in told
    assert "0.50002" in told


@pytest.mark.parametrize(
    "found",
    [
        answers(prediction("m1", rules=("r1",))),
        answers(prediction("m1", alerts=("a",)), alerts=(alert("a", RULE),)),
        answers(prediction("m2")),
    ],
    ids=["a rule more", "an alert more", "a message nobody sent"],
)
def test_other_answers_are_told(found: Answers) -> None:
    assert len(differences(answers(prediction("m1")), found)) == 1


def test_an_alert_that_is_named_and_not_sent_is_told() -> None:
    expected = answers(prediction("m1", alerts=("a",)), alerts=(alert("a", RULE),))
    assert differences(expected, answers(prediction("m1", alerts=("a",)))) == [
        "alert a is named by a prediction and was not sent"
    ]


def test_the_last_revision_of_an_alert_counts_whatever_comes_first() -> None:
    expected = answers(prediction("m1", alerts=("a",)), alerts=(alert("a", RULE, MODEL),))
    first, second = alert("a", RULE), alert("a", RULE, MODEL, revision=2)
    for both in ((first, second), (second, first)):
        assert differences(expected, answers(prediction("m1", alerts=("a",)), alerts=both)) == []
    (told,) = differences(expected, answers(prediction("m1", alerts=("a",)), alerts=(first,)))
    assert told == "alert a rests on ['r1'], expected ['message_harassment', 'r1']"


def test_messages_without_an_answer_are_counted_apart() -> None:
    expected = answers(prediction("m1"), prediction("m2"))
    found = answers(prediction("m1"))
    assert missing(expected, found) == 1
    assert differences(expected, found) == []


def test_a_long_list_is_cut() -> None:
    assert shown([f"d{number}" for number in range(8)]) == "d0\nd1\nd2\nd3\nd4\n… and 3 more"
