"""Reports of customers: decode, judge what is reported anew in the reported domain, and raise an alert in any case.

The live event has its prediction and its alerts in other domains; a report adds neither.
"""

from __future__ import annotations

from dataclasses import replace

from streams.agents.intake import count_unknown_fields
from streams.agents.messages import turn_of
from streams.alerts import ReportEvidence, Screened, Subject, unseen_subject
from streams.events import BadRecord, Decoded, rfc3339
from streams.features.tokens import TextPipeline
from streams.reports import (
    Report,
    ReportedMessageIds,
    decode_report,
    reported_listing,
    reported_message,
    revision_before,
)
from streams.rulebook import Rulebook, RulebookSource
from streams.screening import Case, Examiner, Source
from streams.vocabulary import Kind
from streams.windows import WINDOW

#: Characters of a customer's words that an alert shows; forms for reports take a few hundred.
MAX_SHOWN_REASON = 1_000
#: Ids are at most this long everywhere else.
MAX_SHOWN_ID = 256


class ReportIntake:
    """What the reports agent does with a record."""

    def __init__(self, examiner: Examiner, *, rulebook: RulebookSource, text: TextPipeline) -> None:
        self._examiner = examiner
        self._live = rulebook
        self._text = text

    def examine(self, source: Source) -> Case:
        """The case of a `reports` record. Raises `BadRecord`."""
        decoded = _decoded(source)
        count_unknown_fields("reports", decoded)
        return self._case(decoded, source)

    def examine_again(self, source: Source) -> Case:
        """The case of a report that waited in `rescore`. Raises `BadRecord`, e.g. if its domain is gone."""
        return self._case(_decoded(source), source)

    def _case(self, decoded: Decoded[Report], source: Source) -> Case:
        report, book = decoded.event, self._live.current
        domain = book.policy.domains.get(report.domain)
        if domain is None:
            raise BadRecord("unknown_domain", "`domain` is none of domains.yaml")
        kind = _kind(report)
        if domain.applies_to != kind:
            raise BadRecord("bad_value", f"`domain` is about {domain.applies_to}s; a {kind} is reported")
        case = self._judged(decoded, source, book)
        case.screened = replace(
            case.screened, rules=tuple(rule for rule in case.screened.rules if rule.domain == domain.name)
        )
        case.wanted = tuple(one for one in case.wanted if one.domain == domain.name and one.decides)
        if case.image is not None and not case.wanted:
            case.image.cancel()
            case.image = None
        case.report = self._evidence(decoded)
        case.revision = revision_before(source.position.offset)
        return case

    def _judged(self, decoded: Decoded[Report], source: Source, book: Rulebook) -> Case:
        report = decoded.event
        if report.message is not None:
            message = reported_message(decoded, source.timestamp_us)
            # Examined turns are remembered by offset: each of a report's takes one of its own.
            first = source.position.offset * WINDOW
            window = [
                turn_of(replace(message, event=said), first + at, source.timestamp_us)
                for at, said in enumerate((*report.earlier, report.message))
            ]
            return self._examiner.message(message, window, source, counted=False)
        if report.listing is not None:
            return self._examiner.listing(
                reported_listing(decoded, source.timestamp_us), source, counted=False
            )
        return Case(
            screened=Screened(
                subject=_named(report),
                position=source.position,
                event_at_us=decoded.at_us,
                notes=(*decoded.notes, "content_missing"),
                rules=(),
                shown={},
                ruleset=book.rules.version,
                policy=book.policy.version,
            ),
            source=source,
            rulebook=book,
            wanted=(),
            features=None,
        )

    def _evidence(self, decoded: Decoded[Report]) -> ReportEvidence:
        report = decoded.event
        reason = None if report.reason is None else self._text.prepare(report.reason).masked
        return ReportEvidence(
            domain=report.domain,
            report_id=report.report_id,
            reported_at=rfc3339(decoded.at_us),
            reporter_id=None if report.reporter_id is None else report.reporter_id[:MAX_SHOWN_ID],
            reason=None if reason is None else reason[:MAX_SHOWN_REASON],
        )


def _decoded(source: Source) -> Decoded[Report]:
    return decode_report(
        source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
    )


def _kind(report: Report) -> Kind:
    is_message = report.message is not None or isinstance(report.subject, ReportedMessageIds)
    return "message" if is_message else "listing"


def _named(report: Report) -> Subject:
    """The subject of a report without content."""
    named = report.subject
    if isinstance(named, ReportedMessageIds):
        ids = (("message_id", named.message_id), ("transaction_id", named.transaction_id))
        return unseen_subject("message", key=named.transaction_id, ids=ids)
    assert named is not None
    ids = (("listing_id", named.listing_id), ("seller_id", named.seller_id))
    return unseen_subject("listing", key=named.listing_id, ids=ids)
