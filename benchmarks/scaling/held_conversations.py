"""The axis of conversations: so many are held in the worker's state, and messages come to a few of them or to any."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import orjson

from benchmarks.scaling.case import Case, Event, Store
from benchmarks.scaling.workshop import Workshop
from benchmarks.state.recovery import PARTITIONS, transaction_id

STORES: tuple[Store, ...] = ("memory", "rocksdb")
#: Conversations that are spoken in at the same time, so that most messages meet what the worker remembers of the turns
#: before them (`streams.screening.REMEMBERED_TURNS`).
LIVELY = 1_000


def conversations(workshop: Workshop) -> Iterator[Case]:
    """`lively`: all messages belong to a thousand of the conversations; `scattered`: each to any of them."""
    for number in workshop.sizes.conversations:
        for store in STORES:
            yield Case(
                "conversations",
                number,
                f"{number:,} conversations, {store}",
                {
                    "lively": joining(workshop, min(LIVELY, number), "lively"),
                    "scattered": joining(workshop, number, "scattered"),
                },
                workshop.rules_dir(),
                workshop.repository(),
                conversations=number,
                store=store,
            )


def joining(workshop: Workshop, number: int, name: str) -> list[Event]:
    """The messages, each said in one of the first so many held conversations, taken at random and the same every time.

    They are sent to the partition where their conversation's window is, and have the time that the broker gives them.
    """
    random = Random(name)
    found = []
    for event in workshop.messages:
        body = orjson.loads(event.value)
        conversation = random.randrange(number)
        identity = transaction_id(conversation)
        body |= {"message_id": f"{name}-{body['message_id']}", "transaction_id": identity}
        del body["sent_at"]
        found.append(
            Event(body["message_id"], identity.encode(), orjson.dumps(body), conversation % PARTITIONS)
        )
    return found
