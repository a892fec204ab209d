"""Events of a file as drafts: whose they were is taken off, which belong together is kept (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import orjson

from streams.replay_files import Outgoing
from streams.stress.material import Draft, Topic


class UnusableEvent(ValueError):
    """An event that cannot be sent; says why."""


def read_drafts(topic: Topic, records: Iterable[Outgoing]) -> list[Draft]:
    """The drafts of records that were read for a topic, in order. Raises `UnusableEvent`."""
    found = []
    names: dict[str, str] = {}
    for record in records:
        body = _body(record)
        conversation = ""
        if topic == "messages":
            transaction = str(body.get("transaction_id"))
            conversation = names.setdefault(transaction, str(len(names)))
        found.append(Draft(topic, body, conversation))
    return found


def mixed(messages: Sequence[Draft], listings: Sequence[Draft]) -> Iterator[Draft]:
    """Both kinds, each in its order and spread evenly over the other, again and again as new conversations.

    Raises ValueError when there is nothing at all.
    """
    if not messages and not listings:
        raise ValueError("no events to send")
    total = len(messages) + len(listings)
    for lap in count(1):
        taken = 0
        for position in range(total):
            if (position + 1) * len(listings) // total > position * len(listings) // total:
                yield listings[position - taken]
            else:
                draft = messages[taken]
                taken += 1
                yield Draft(draft.topic, draft.body, f"{lap}.{draft.conversation}")


def _body(record: Outgoing) -> dict[str, Any]:
    try:
        body = orjson.loads(record.value or b"")
    except ValueError as error:  # half a surrogate pair, which cannot be written again as it was
        raise UnusableEvent(str(error)) from error
    if not isinstance(body, dict):
        raise UnusableEvent(f"a JSON {type(body).__name__}, not an object")
    return body
