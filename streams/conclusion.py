"""From a screened case and its scores to what is written down: alerts, a prediction, or a place in `rescore` (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streams.alerts import (
    Evidence,
    ModelEvidence,
    PatrolEvidence,
    ReportEvidence,
    RuleEvidence,
    Subject,
    alert_id,
    alert_records,
    prediction_record,
)
from streams.inference.scorer import ModelFailure, ModelScore, ModelVersion
from streams.screening import Case, Wanted
from streams.shares import within
from streams.stress.identity import of_a_stress_run

Outcomes = Mapping[ModelVersion, ModelScore | ModelFailure]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What is to be written for one event.

    `prediction` is None while the event waits in `rescore` (`aside`), and for a report: its event has one. `models` and
    `notes` are what it was concluded from, besides what the case knows.
    """

    alerts: tuple[tuple[str, dict[str, object]], ...]
    prediction: dict[str, object] | None
    aside: bool
    revision: int
    alerted: frozenset[str]
    raised_by: tuple[tuple[str, str], ...]
    models: tuple[ModelEvidence, ...] = ()
    notes: tuple[str, ...] = ()


def announce(case: Case, *, now_us: int) -> Conclusion:
    """The alerts that rules alone raise, for when the models keep the event waiting."""
    return _conclude(case, (), now_us=now_us, aside=True, notes=())


def conclude(
    case: Case, outcomes: Outcomes, *, notes: Sequence[str], now_us: int, rescore_max_age_us: int
) -> Conclusion:
    """Weigh a case whose models have answered or failed.

    A failure that may pass (a server away, a deadline) puts the event aside for `rescore`, together with the alerts
    that can be raised already; unless it has been aside for `rescore_max_age_us`: then the prediction says that the
    models did not answer. A failure that will not pass (this row, this model) is written into the prediction, and so is
    any failure of a model that only watches: nobody waits for it.
    """
    models = tuple(_evidence(wanted, outcomes[wanted.model]) for wanted in case.wanted)
    deciding = (outcomes[wanted.model] for wanted in case.wanted if wanted.decides)
    may_pass = any(isinstance(o, ModelFailure) and o.retriable for o in deciding)
    too_old = case.put_aside_at_us is not None and now_us - case.put_aside_at_us > rescore_max_age_us
    if may_pass and too_old:
        notes = (*notes, "models_unavailable")
    return _conclude(case, models, now_us=now_us, aside=may_pass and not too_old, notes=notes)


def _conclude(
    case: Case, models: tuple[ModelEvidence, ...], *, now_us: int, aside: bool, notes: Sequence[str]
) -> Conclusion:
    reports = () if case.report is None else (case.report,)
    known: tuple[Evidence, ...] = (*reports, *case.screened.rules, *models)
    raising = [item for item in known if item.raises_alert]
    if not aside and not raising and not case.alerted:
        raising = _patrol(case)
    fresh = [item for item in raising if _name(item) not in case.alerted]
    domains = {item.domain for item in fresh}
    # What is said again of an event that a customer reports has been counted for its rules and models before.
    raised = fresh if case.report is None else [item for item in fresh if item is case.report]
    revision = case.revision + 1 if fresh else case.revision
    policy = case.rulebook.policy
    alerts = alert_records(
        case.screened,
        [item for item in raising if item.domain in domains],
        severities={name: policy.domains[name].severity for name in domains & policy.domains.keys()},
        revision=revision,
        now_us=now_us,
    )
    prediction = None
    if not aside and case.report is None:
        every_domain = dict.fromkeys(item.domain for item in raising)
        prediction = prediction_record(
            case.screened,
            models,
            alerts=[alert_id(case.screened.subject, domain) for domain in every_domain],
            notes=notes,
            now_us=now_us,
        )
    return Conclusion(
        alerts=tuple(alerts),
        prediction=prediction,
        aside=aside,
        revision=revision,
        alerted=case.alerted | {_name(item) for item in fresh},
        raised_by=tuple(dict.fromkeys((item.domain, item.by) for item in raised)),
        models=models,
        notes=tuple(notes),
    )


def _patrol(case: Case) -> list[Evidence]:
    """The evidence that draws a case which nothing flagged, if it is drawn."""
    subject = case.screened.subject
    share = case.rulebook.policy.patrol.share(subject.kind)
    if of_a_stress_run(value for _, value in subject.ids) or not drawn(subject, share):
        return []
    return [PatrolEvidence(share)]


def drawn(subject: Subject, share: float) -> bool:
    """Whether the patrol draws this wording of a subject: a replay draws the same, a larger share draws more."""
    return within(share, "patrol", *(value for _, value in subject.ids), subject.content_hash)


def _evidence(wanted: Wanted, outcome: ModelScore | ModelFailure) -> ModelEvidence:
    return ModelEvidence(
        domain=wanted.domain,
        model=wanted.model.model,
        version=wanted.model.version,
        role=wanted.role,
        threshold=wanted.threshold,
        score=outcome.score if isinstance(outcome, ModelScore) else None,
        gate=outcome.gate if isinstance(outcome, ModelScore) else None,
        failure=outcome.reason if isinstance(outcome, ModelFailure) else None,
        decides=wanted.decides,
    )


def _name(item: Evidence) -> str:
    """What tells one piece of evidence from another across revisions."""
    if isinstance(item, ReportEvidence):
        return f"report:{item.domain}:{item.report_id}"
    if isinstance(item, RuleEvidence):
        return f"rule:{item.domain}:{item.rule_id}"
    if isinstance(item, PatrolEvidence):
        return "patrol"
    return f"model:{item.domain}:{item.model}:{item.version}"
