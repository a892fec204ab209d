"""Decisions: moderators' verdicts, checked and counted by domain; bad ones become dead letters.

Joining them with alerts and predictions (precision@K, labels) builds on this agent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams import metrics
from streams.agents.intake import check_size, count_unknown_fields, refused, source_of
from streams.events import BadRecord, decode_decision
from streams.kafka.outbox import Outbox, Outgoing, dead_letter

#: Domains are named by moderation tools here, not by our policy: no more time series than this.
MAX_DOMAINS = 100
#: A name may be as long as a record; each scrape would carry it.
MAX_DOMAIN_CHARACTERS = 64


class DecisionIntake:
    """What the decisions agent does with a delivery."""

    def __init__(self, outbox: Outbox, *, deadletter_topic: str, max_record_bytes: int) -> None:
        self._outbox = outbox
        self._deadletter_topic = deadletter_topic
        self._max_record_bytes = max_record_bytes
        self._domains: set[str] = set()

    async def take_in(self, records: Sequence[Any], *, now_us: int) -> None:
        """Check every decision; returns when the dead letters among them are acknowledged."""
        letters: list[Outgoing] = []
        for record in records:
            source = source_of(record)
            try:
                check_size(source, self._max_record_bytes)
                decoded = decode_decision(
                    source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
                )
            except BadRecord as refusal:
                letter = refused(source, refusal, now_us=now_us)
                letters.append(dead_letter(self._deadletter_topic, letter))
                metrics.DEAD_LETTERS.labels(topic=letter.topic, reason=letter.reason).inc()
                continue
            count_unknown_fields("decisions", decoded)
            domain = (decoded.event.domain or "(none)")[:MAX_DOMAIN_CHARACTERS]
            if domain not in self._domains and len(self._domains) >= MAX_DOMAINS:
                domain = "(other)"
            self._domains.add(domain)
            metrics.DECISIONS.labels(domain=domain, verdict=decoded.event.verdict).inc()
        await self._outbox.send(letters)
