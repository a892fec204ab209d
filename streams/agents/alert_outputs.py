"""An alert as it goes out: to its topic for subscribers, and its facts to `alerted` for the workers' own books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from streams.alerts import Subject
from streams.kafka.outbox import Outgoing
from streams.kafka.topics import alerts_topic
from streams.review.alerted import encode, facts_of, key_of
from streams.settings import Settings
from streams.stress.identity import of_a_stress_run


def alert_outputs(settings: Settings, subject: Subject, alert: Mapping[str, Any]) -> list[Outgoing]:
    """What is sent for one alert, to be acknowledged together. Nobody reviews a stress run's alerts."""
    key = subject.key.encode("utf-8", "replace")
    outputs = [Outgoing(alerts_topic(settings, alert["domain"]), key, orjson.dumps(alert))]
    if not of_a_stress_run(value for _, value in subject.ids):
        facts = facts_of(alert)
        outputs.append(Outgoing(settings.topic("alerted"), key_of(facts), encode(facts)))
    return outputs
