"""Runs that are over, made by hand: some met their goals, some did not."""

from __future__ import annotations

import numpy as np

from streams.stress.account import Account, Arrival
from streams.stress.run import Run
from streams.stress.schedule import Schedule

NAME = "stress-20261121T180000Z-3f9a1c"
BEGAN_AT_US = 1_795_284_000_000_000


def quiet_run() -> Run:
    """200 events at 20/s: the tenth of them alert by a rule, those by a model 30 ms later."""
    schedule = Schedule(rate=20, seconds=10)
    account = Account(schedule.due_s())
    for number, due_s in enumerate(schedule.due_s().tolist()):
        late_s = 0.0001 * (number % 10)
        account.note_sent(number, due_s + late_s)
        account.note_acknowledged(number, due_s + late_s + 0.002)
        evidence = {("harassment", "rule"), ("harassment", "model")} if number % 10 == 0 else set()
        for _, by in sorted(evidence):
            seconds = due_s + (0.012 if by == "rule" else 0.042) + number / 10_000
            account.note_alert(number, "harassment", {by}, Arrival(seconds, seconds - 0.001))  # type: ignore[arg-type]
        account.note_prediction(number, Arrival(due_s + 0.04, due_s + 0.039), evidence)  # type: ignore[arg-type]
    return Run(NAME, schedule, account, BEGAN_AT_US, sent_for_s=10.0, drained_for_s=0.1, own_cpu_s=0.31)


def bad_run() -> Run:
    """Everything that can go wrong at once."""
    schedule = Schedule(rate=100, seconds=2, warm_up_s=1)
    account = Account(schedule.due_s(), measured_from_s=1)
    for number, due_s in enumerate(schedule.due_s().tolist()):
        account.note_sent(number, due_s + 0.8)
        if number % 50 == 7:
            account.note_refused(number, "KafkaTimeoutError")
            continue
        account.note_acknowledged(number, due_s + 0.9)
        if number % 40 == 3:
            continue
        if number % 60 == 11:
            account.note_dead_letter(number, "bad_value")
            continue
        account.note_prediction(
            number,
            Arrival(due_s + 2.5, due_s + 2.4),
            {("harassment", "model")} if number % 90 == 0 else set(),
        )
        if number % 45 == 1:
            account.note_prediction(number, Arrival(due_s + 3, due_s + 3), ())
            account.note_alert(number, "harassment", {"rule"}, Arrival(due_s + 1.5, due_s + 1.4))
    return Run(NAME, schedule, account, BEGAN_AT_US, sent_for_s=4.2, drained_for_s=30.0, own_cpu_s=1.5)


def run_without_alerts() -> Run:
    """Predictions alone."""
    schedule = Schedule(rate=2, seconds=1)
    account = Account(np.array([0.0, 0.5]))
    for number in range(2):
        account.note_sent(number, number / 2)
        account.note_acknowledged(number, number / 2 + 0.01)
        account.note_prediction(number, Arrival(number / 2 + 0.02, number / 2 + 0.02), ())
    return Run(NAME, schedule, account, BEGAN_AT_US, sent_for_s=0.5, drained_for_s=0.6, own_cpu_s=0.1)
