"""Events to be sent, before they get their ids and times, and how they get them (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from streams.events import rfc3339
from streams.replay_files import KEY_FIELDS, Outgoing
from streams.stress.identity import HEADER, event_id

Topic = Literal["messages", "listings"]


@dataclass(frozen=True, slots=True)
class Draft:
    """An event without ids and times. Messages with the same `conversation` belong together."""

    topic: Topic
    body: Mapping[str, Any]
    conversation: str = ""


def record(draft: Draft, run: str, number: int, due_us: int) -> Outgoing:
    """The record of the run's event of that number, due at `due_us` (microseconds since 1970).

    Every id is the run's own, so that nothing of it is taken for a real user, transaction or listing. The event's time
    is when it was due, so the records that come of it carry both ends of their latency: `event_at` and their own time.
    """
    identifier = event_id(run, number)
    body = dict(draft.body)
    if draft.topic == "messages":
        body["message_id"] = identifier
        body["transaction_id"] = f"{run}-t{draft.conversation}"
        body["sent_at"] = rfc3339(due_us)
        if "sender_id" in body:
            body["sender_id"] = f"{run}-u"
    else:
        body["listing_id"] = identifier
        body["seller_id"] = f"{run}-s"
        body["updated_at"] = rfc3339(due_us)
    if "event_id" in body:
        body["event_id"] = identifier
    key = str(body[KEY_FIELDS[draft.topic][0]]).encode()
    return Outgoing(key, orjson.dumps(body), ((HEADER, identifier.encode()),))
