"""Whether a run met its goals, in sentences that say what is wrong and where to look (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from streams.stress.account import Account, By
from streams.stress.identity import event_id
from streams.stress.measures import Percentiles, percentiles

#: Sending may take so much longer than it should: more, and the goals were not tried at the load they speak of. Half a
#: second is allowed whatever the length, for a short run that is held up once.
MOST_LONGER: Final = 0.02
MOST_LONGER_S: Final = 0.5
_NAMES: Final[dict[By, str]] = {"rule": "alerts by rules", "model": "alerts by models"}


@dataclass(frozen=True, slots=True)
class Goals:
    """What a run must keep. None: no goal.

    `p99_ms`: of the alerts by rules, and of those by models, 99 of 100 are in a subscriber's hands so long after their
    event was due; `rule_p99_ms` is another goal for those by rules, `prediction_p99_ms` one for predictions. `max_loss`:
    events and alerts that may be missing.
    """

    p99_ms: float | None = None
    rule_p99_ms: float | None = None
    prediction_p99_ms: float | None = None
    max_loss: int = 0

    def p99_of(self, by: By) -> float | None:
        """The goal for alerts by rules or by models."""
        return self.rule_p99_ms if by == "rule" and self.rule_p99_ms is not None else self.p99_ms


@dataclass(frozen=True, slots=True)
class Verdict:
    """`complaints` is empty when every goal was met."""

    complaints: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Every goal was met."""
        return not self.complaints


def judge(
    account: Account, goals: Goals, *, run: str, sent_for_s: float, span_s: float, stopped: str = ""
) -> Verdict:
    """Hold the account of a finished run against the goals.

    `sent_for_s` is how long the sending took, `span_s` how long it should have; `stopped` says why it ended early.
    """
    complaints = [stopped] if stopped else []
    complaints += _not_offered(account, sent_for_s, span_s, stopped=bool(stopped))
    complaints += _lost(account, goals.max_loss, run)
    complaints += _slow(account, goals)
    return Verdict(tuple(complaints))


def _not_offered(account: Account, sent_for_s: float, span_s: float, *, stopped: bool) -> list[str]:
    found = []
    if account.refused:
        (problem, _), *_ = account.problems.most_common(1)
        found.append(
            f"Kafka did not acknowledge {account.refused:,} of {account.sent:,} events ({problem}): look at the brokers"
        )
    if not stopped and sent_for_s - span_s > max(MOST_LONGER * span_s, MOST_LONGER_S):
        found.append(
            f"the load was not reached: sending took {sent_for_s:.1f} s instead of {span_s:.1f} s. This machine or the "
            "connection to Kafka is too slow for it: run several at once on several machines, or ask for less"
        )
    return found


def _lost(account: Account, max_loss: int, run: str) -> list[str]:
    unalerted = account.unalerted
    if account.lost + len(unalerted) <= max_loss:
        return []
    found = [
        f"{count:,} records in {topic} cannot be read: do the deployment and this program have the same version?"
        for topic, count in account.unreadable.items()
    ]
    allowed = f", {max_loss:,} allowed" if max_loss else ""
    if account.lost:
        names = ", ".join(event_id(run, number) for number in account.lost_numbers(3))
        found.append(
            f"{account.lost:,} of {account.acknowledged:,} events have neither a prediction nor a dead letter{allowed}, "
            f"e.g. {names}: they wait (is a worker running? is Triton away?), or are lost"
        )
    if unalerted:
        names = ", ".join(f"{event_id(run, number)} ({domain}, {by})" for number, domain, by in unalerted[:3])
        found.append(
            f"{len(unalerted):,} alerts that predictions tell of did not come{allowed}, e.g. {names}"
        )
    return found


def _slow(account: Account, goals: Goals) -> list[str]:
    found = _slower("predictions", percentiles(account.prediction().received_s), goals.prediction_p99_ms)
    alerts = {by: percentiles(account.alerts(by).received_s) for by in _NAMES}
    for by, figures in alerts.items():
        found += _slower(_NAMES[by], figures, goals.p99_of(by))
    if any(goals.p99_of(by) is not None for by in _NAMES) and not any(alerts.values()):
        found.append(
            "no alert came, so nothing could be timed: send events that raise some (--from), or run for longer"
        )
    return found


def _slower(name: str, figures: Percentiles | None, goal_ms: float | None) -> list[str]:
    if figures is None or goal_ms is None or figures.p99_ms <= goal_ms:
        return []
    return [
        f"{name} are too slow: p99 {figures.p99_ms:,.0f} ms of {figures.count:,}, the goal is {goal_ms:g} ms"
    ]
