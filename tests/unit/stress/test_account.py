from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.stress.account import Account, Arrival

EVENTS = 6


def account(count: int = EVENTS, *, measured_from_s: float = 0.0) -> Account:
    """Events due at 0, 1, 2, … s."""
    return Account(np.arange(count, dtype=float), measured_from_s=measured_from_s)


def at(seconds: float) -> Arrival:
    return Arrival(seconds, seconds - 0.001)


def test_latency_counts_from_when_an_event_was_due_and_not_from_when_it_was_sent() -> None:
    """The sender stood still for two seconds: what waited with it is told, and that it was late is told apart."""
    taken = account(3)
    for number, sent_s in enumerate((0.0, 3.0, 3.0)):
        taken.note_sent(number, sent_s)
        taken.note_acknowledged(number, sent_s + 0.01)
        taken.note_prediction(number, at(sent_s + 0.02), ())
    assert taken.prediction().received_s.tolist() == pytest.approx([0.02, 2.02, 1.02])
    assert taken.prediction().stamped_s.tolist() == pytest.approx([0.019, 2.019, 1.019])
    assert taken.acknowledgement_s().tolist() == pytest.approx([0.01, 2.01, 1.01])
    assert taken.sent_late_s().tolist() == pytest.approx([0, 2, 1])


def test_the_first_revision_with_a_kind_of_evidence_counts_for_it() -> None:
    taken = account(1)
    taken.note_sent(0, 0)
    taken.note_acknowledged(0, 0.01)
    taken.note_alert(0, "harassment", {"rule"}, at(0.1))
    taken.note_alert(0, "harassment", {"rule", "model"}, at(0.7))
    taken.note_alert(0, "contact", {"model"}, at(0.3))
    assert taken.alerts("rule").received_s.tolist() == pytest.approx([0.1])
    assert taken.alerts("model").received_s.tolist() == pytest.approx([0.7, 0.3])


def test_events_of_the_warm_up_count_for_losses_and_not_for_latencies() -> None:
    taken = account(2, measured_from_s=0.5)
    for number in range(2):
        taken.note_sent(number, number)
        taken.note_acknowledged(number, number + 0.1)
        taken.note_alert(number, "d", {"rule"}, at(number + 0.2))
    taken.note_prediction(1, at(1.3), {("d", "rule")})
    assert taken.lost_numbers() == [0]
    assert taken.alerts("rule").received_s.tolist() == pytest.approx([0.2])
    assert taken.prediction().received_s.tolist() == pytest.approx([0.3])
    assert taken.sent_late_s().tolist() == [0]


def test_an_alert_that_a_prediction_tells_of_is_waited_for() -> None:
    taken = account(1)
    taken.note_sent(0, 0)
    taken.note_acknowledged(0, 0.1)
    taken.note_prediction(0, at(0.2), {("d", "rule"), ("d", "model")})
    taken.note_alert(0, "d", {"rule"}, at(0.2))
    assert taken.unalerted == [(0, "d", "model")]
    assert not taken.complete
    taken.note_alert(0, "d", {"rule", "model"}, at(0.3))
    assert taken.unalerted == []
    assert taken.complete


def test_what_comes_twice_is_counted_once_and_told() -> None:
    taken = account(2)
    for number in range(2):
        taken.note_sent(number, number)
        taken.note_acknowledged(number, number)
    for seconds in (0.5, 0.9):
        taken.note_prediction(0, at(seconds), ())
    for _ in range(3):
        taken.note_dead_letter(1, "not_json")
    assert (taken.predictions, taken.dead_letters["not_json"], taken.repeated) == (1, 1, 3)
    assert taken.prediction().received_s.tolist() == pytest.approx([0.5])


def test_an_event_that_kafka_did_not_acknowledge_is_no_loss_of_the_engine() -> None:
    taken = account(2)
    taken.note_sent(0, 0)
    taken.note_refused(0, "KafkaTimeoutError")
    taken.note_sent(1, 1)
    taken.note_refused(1, "KafkaTimeoutError")
    taken.note_prediction(1, at(1.5), ())  # it was written all the same
    assert (taken.lost, taken.refused, taken.complete) == (0, 2, True)
    assert taken.problems == {"KafkaTimeoutError": 2}


def test_how_far_behind_is_the_age_of_the_oldest_that_is_not_done() -> None:
    taken = account(4)
    assert taken.behind_s(10) == 0  # nothing was sent
    for number in range(3):
        taken.note_sent(number, number)
    taken.note_prediction(1, at(1.5), ())
    assert taken.behind_s(10) == 10
    taken.note_dead_letter(0, "empty")
    assert taken.behind_s(10) == 8
    taken.note_refused(2, "NotLeaderError")
    assert taken.behind_s(10) == 0


@given(
    st.permutations([(n, step) for n in range(EVENTS) for step in ("acknowledged", "prediction", "alert")])
)
def test_the_order_in_which_things_arrive_does_not_matter(steps: list[tuple[int, str]]) -> None:
    """An alert may come before its prediction, a prediction before Kafka's acknowledgement of the event."""
    taken = account()
    for number in range(EVENTS):
        taken.note_sent(number, number)
    acknowledged, predicted = set(), set()
    for number, step in steps:
        assert not taken.complete
        if step == "acknowledged":
            taken.note_acknowledged(number, number + 0.1)
            acknowledged.add(number)
        elif step == "prediction":
            taken.note_prediction(number, at(number + 0.2), {("d", "model")})
            predicted.add(number)
        else:
            taken.note_alert(number, "d", {"model"}, at(number + 0.3))
        assert taken.lost == len(acknowledged - predicted)
        assert set(taken.lost_numbers()) == acknowledged - predicted
    assert taken.complete
    assert taken.prediction().received_s.tolist() == pytest.approx([0.2] * EVENTS, abs=1e-5)
    assert taken.alerts("model").received_s.tolist() == pytest.approx([0.3] * EVENTS, abs=1e-5)
