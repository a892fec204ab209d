"""One event's labels: its prediction joined with what moderators decided about its alerts (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from streams.alerts import Subject, alert_id
from streams.published import MessageSubject, Prediction
from streams.vocabulary import PATROL_DOMAIN

Kind = Literal["message", "listing"]
#: Where a label comes from: a verdict on an alert of the domain, a verdict on a patrolled event, or nobody's verdict:
#: nothing spoke against the event, so it is taken to be fine.
Source = Literal["alert", "patrol", "unflagged"]
#: Salt of the sample of unflagged events, so that it is another one than the patrol's.
_UNFLAGGED: Final = "labels.unflagged"
#: A note of predictions that no model has answered in time.
_UNSCORED: Final = "models_unavailable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The newest verdict on an alert. `domain` is what the decision names; `contradicted`: another moderator, or an
    earlier decision, said the opposite.
    """

    verdict: Literal["violation", "no_violation", "unsure"]
    domain: str | None = None
    contradicted: bool = False


@dataclass(frozen=True, slots=True)
class Review:
    """All that is known of alerts: newest verdicts by alert id, ids that were raised, and the transactions and
    listings that any alert speaks of.
    """

    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    alerted: Collection[str] = frozenset()
    alerted_keys: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Labels:
    """0, 1 or None (nobody knows) by domain, and where each that is known comes from.

    `hard`: a moderator found an alert of the event to be none, so its label 0 is a near miss.
    """

    values: Mapping[str, int | None]
    sources: Mapping[str, Source]
    hard: bool = False
    contradicted: tuple[str, ...] = ()


#: Why an event gives no example: nobody has judged its alerts (`unjudged`), or moderators were `unsure`, or `contradicted` each other
#: and such are left out; a patrol's verdict `names_no_domain`; `near_alert`: unflagged, but an alert speaks of the
#: same transaction or listing; `in_doubt`: no alert, but a shadow rule, a model without a say or no score at all.
LeftOut = Literal["unjudged", "unsure", "contradicted", "names_no_domain", "near_alert", "in_doubt"]


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of an event: `labels` of one that was judged, or the reason why there are none.

    Neither: nothing ever spoke against it. `decided` are the ids of its alerts that have a verdict.
    """

    labels: Labels | None = None
    left_out: LeftOut | None = None
    decided: tuple[str, ...] = ()


def kind_of(prediction: Prediction) -> Kind:
    """Message or listing."""
    return "message" if isinstance(prediction.subject, MessageSubject) else "listing"


def subject_of(prediction: Prediction) -> Subject:
    """The subject that the event's alert ids are made of."""
    of = prediction.subject
    if isinstance(of, MessageSubject):
        ids = (("message_id", of.message_id), ("transaction_id", of.transaction_id))
        return Subject("message", of.transaction_id, ids, prediction.content)
    ids = (("listing_id", of.listing_id), ("seller_id", of.seller_id))
    return Subject("listing", of.listing_id, ids, prediction.content)


def unflagged_order(subject: Subject) -> str:
    """A hash that orders events by chance, the same chance in every export: see `LowestHashes`."""
    return alert_id(subject, _UNFLAGGED)


def join(
    prediction: Prediction, domains: Sequence[str], review: Review, *, with_contradicted: bool = True
) -> Joined:
    """Labels of an event in `domains`, which are those of its kind that are wanted.

    A verdict speaks of its domain only; what nobody was asked about stays unknown. A patrol's "no violation" speaks
    of every domain, its "violation" of the one that the decision names. A verdict on an alert outweighs a patrol's.
    """
    subject = subject_of(prediction)
    said = {domain: review.judgements.get(alert_id(subject, domain)) for domain in domains}
    patrol_id = alert_id(subject, PATROL_DOMAIN)
    patrol = review.judgements.get(patrol_id)
    decided = tuple(alert_id(subject, domain) for domain, found in said.items() if found is not None)
    decided += (patrol_id,) if patrol is not None else ()
    reasons: list[LeftOut] = []
    values: dict[str, int | None] = dict.fromkeys(domains)
    sources: dict[str, Source] = {}
    contradicted: list[str] = []
    hard = False
    if patrol is not None:
        if patrol.verdict == "violation" and patrol.domain not in values:
            reasons.append("names_no_domain")
        elif _counts(patrol, reasons, with_contradicted):
            spoken_of = [patrol.domain] if patrol.verdict == "violation" else list(domains)
            for domain in spoken_of:
                assert domain is not None
                values[domain], sources[domain] = int(patrol.verdict == "violation"), "patrol"
                contradicted += [domain] if patrol.contradicted else []
    for domain, found in said.items():
        if found is None:
            continue
        if not _counts(found, reasons, with_contradicted):
            values[domain] = None
            sources.pop(domain, None)
            continue
        values[domain], sources[domain] = int(found.verdict == "violation"), "alert"
        hard = hard or found.verdict == "no_violation"
        contradicted += [domain] if found.contradicted else []
    if sources:
        known = Labels(values, sources, hard, tuple(dict.fromkeys(contradicted)))
        return Joined(known, decided=decided)
    if reasons:
        return Joined(left_out=reasons[0], decided=decided)
    return Joined(left_out=_why_not_easy(prediction, subject, domains, review), decided=decided)


def unflagged(domains: Sequence[str]) -> Labels:
    """Labels of an event that nothing ever spoke against: taken to violate nothing."""
    return Labels(dict.fromkeys(domains, 0), dict.fromkeys(domains, "unflagged"))


def _counts(found: Judgement, reasons: list[LeftOut], with_contradicted: bool) -> bool:
    if found.verdict == "unsure":
        reasons.append("unsure")
        return False
    if found.contradicted and not with_contradicted:
        reasons.append("contradicted")
        return False
    return True


def _why_not_easy(
    prediction: Prediction, subject: Subject, domains: Sequence[str], review: Review
) -> LeftOut | None:
    ids = {*prediction.alerts, *(alert_id(subject, domain) for domain in (*domains, PATROL_DOMAIN))}
    if prediction.alerts or any(identity in review.alerted for identity in ids):
        return "unjudged"
    if subject.key in review.alerted_keys:
        return "near_alert"
    scored = all(score.score is not None for score in prediction.scores)
    passed = any(score.score is not None and score.score >= score.threshold for score in prediction.scores)
    if prediction.rules or passed or not scored or _UNSCORED in prediction.notes:
        return "in_doubt"
    return None
