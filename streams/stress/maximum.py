"""Finds the highest rate that a deployment keeps up with, by runs at changing rates."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from streams.stress.run import Run
from streams.stress.schedule import Schedule
from streams.stress.search import Trial, highest_held, next_rate
from streams.stress.verdict import Goals, Verdict, judge

#: Without a goal of its own, a search takes a deployment for too slow when predictions come so late: their backlog grows.
USUAL_PREDICTION_P99_MS = 1_000.0


def judged(run: Run, goals: Goals) -> Verdict:
    """The verdict on a finished run."""
    return judge(
        run.account,
        goals,
        run=run.name,
        sent_for_s=run.sent_for_s,
        span_s=run.schedule.span_s,
        stopped=run.stopped,
    )


def goals_of_search(goals: Goals) -> Goals:
    """The goals that decide whether a rate is kept up with: always one that fails when a backlog grows."""
    if goals.prediction_p99_ms is not None:
        return goals
    return replace(goals, prediction_p99_ms=max(USUAL_PREDICTION_P99_MS, goals.p99_ms or 0.0))


async def find_maximum(
    schedule: Schedule,
    goals: Goals,
    attempt: Callable[[Schedule], Awaitable[Run]],
    *,
    on_trial: Callable[[Run, Verdict], None],
    stopped: Callable[[], bool] = lambda: False,
) -> float:
    """The highest rate of which a run keeps the goals, 0 if none did; the first tried is that of the schedule.

    `attempt` makes one run. A run after which events are still outstanding ends the search at what was found: what
    they hold up would be blamed on the next rate.
    """
    trials: list[Trial] = []
    goals = goals_of_search(goals)
    while (rate := next_rate(trials, schedule.rate)) is not None and not stopped():
        run = await attempt(replace(schedule, rate=rate))
        verdict = judged(run, goals)
        trials.append(Trial(rate, verdict.passed))
        on_trial(run, verdict)
        if run.account.lost:
            break
    return highest_held(trials)
