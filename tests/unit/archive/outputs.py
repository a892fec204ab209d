"""Records as the engine writes them, for the tests of the archive."""

from __future__ import annotations

import json

from streams.alerts import ModelEvidence, Screened, alert_records, message_subject, prediction_record
from streams.archive.rotation import Kept
from streams.events import Message, Position
from streams.kafka.dead_letters import DeadLetter, headers_of

NOON_MS = 1_795_262_400_000  # 2026-11-21T12:00:00Z
_SCORE = ModelEvidence("harassment", "message_harassment", 3, "champion", 0.9, 0.95)


def screened(number: int, text: str = "ばか") -> Screened:
    message = Message(message_id=f"m{number}", transaction_id="t7", writer="buyer", text=text)
    return Screened(
        subject=message_subject(message),
        position=Position("messages", 2, number),
        event_at_us=NOON_MS * 1000,
        notes=("key_missing",),
        rules=(),
        shown={
            "status": None,
            "messages": [{"message_id": f"m{number}", "writer": "buyer", "text": text}],
        },
        ruleset="r1",
        policy="p1",
    )


def prediction(number: int, at_ms: int = NOON_MS) -> Kept:
    body = prediction_record(
        screened(number), [_SCORE], alerts=["a1"], notes=["image_broken"], now_us=at_ms * 1000
    )
    return Kept(number, at_ms, b"t7", json.dumps(body).encode())


def alert(number: int, at_ms: int = NOON_MS) -> Kept:
    ((_, body),) = alert_records(
        screened(number), [_SCORE], severities={"harassment": "high"}, revision=2, now_us=at_ms * 1000
    )
    return Kept(number, at_ms, b"t7", json.dumps(body).encode())


def decision(number: int, at_ms: int = NOON_MS) -> Kept:
    body = {
        "alert_id": f"a{number}",
        "verdict": "violation",
        "moderator_id": "mod-7",
        "decided_at": "2026-11-21T11:00:00Z",
        "domain": "harassment",
    }
    return Kept(number, at_ms, b"a1", json.dumps(body).encode())


def dead_letter(number: int, at_ms: int = NOON_MS) -> Kept:
    letter = DeadLetter(
        reason="not_json",
        detail="…",
        topic="messages",
        partition=1,
        offset=17,
        at_us=at_ms * 1000,
        key=b"t7",
        value=b"{",
        headers=(),
        truncated_from=None,
    )
    return Kept(number, at_ms, b"t7", b"{", tuple(headers_of(letter)))
