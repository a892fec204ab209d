"""Axes of messages: more domains, more rules, more workers, longer texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice

import orjson

from benchmarks.scaling.case import Case, Event
from benchmarks.scaling.workshop import Workshop

ALL = "all"


def domains(workshop: Workshop) -> Iterator[Case]:
    """Each domain has a model of its own, and every message is scored by all."""
    for number in workshop.sizes.domains:
        yield Case(
            "domains",
            number,
            f"{number} domain{'s' if number > 1 else ''}",
            {ALL: workshop.messages},
            workshop.rules_dir(domains=number),
            workshop.repository(domains=number),
        )


def rules(workshop: Workshop) -> Iterator[Case]:
    """The same domains with more rules, all of them active."""
    for number in workshop.sizes.rules:
        yield Case(
            "rules",
            number,
            f"{number:,} rules",
            {ALL: workshop.messages},
            workshop.rules_dir(rules=number),
            workshop.repository(),
        )


def workers(workshop: Workshop) -> Iterator[Case]:
    """More workers on two cores, and on all where there are more: there a model has an instance for every other core."""
    for cores in dict.fromkeys((min(2, workshop.cores), workshop.cores)):
        for number in workshop.sizes.workers:
            yield Case(
                "workers",
                number,
                f"{number} worker{'s' if number > 1 else ''} on {cores} cores",
                {ALL: workshop.messages},
                workshop.rules_dir(),
                workshop.repository(instances=max(1, cores // 2)),
                workers=number,
                cores=cores,
            )


def lengths(workshop: Workshop) -> Iterator[Case]:
    """Messages of so many characters, each conversation made of such messages."""
    for characters in workshop.sizes.characters:
        yield Case(
            "lengths",
            characters,
            f"{characters} characters",
            {ALL: of_length(workshop.messages, characters)},
            workshop.rules_dir(),
            workshop.repository(),
        )


def of_length(messages: Sequence[Event], characters: int) -> list[Event]:
    """The same messages, each with so many characters: its own text and then those of the messages after it."""
    bodies = [orjson.loads(event.value) for event in messages]
    texts = [str(body["text"]) for body in bodies]
    found = []
    for at, (event, body) in enumerate(zip(messages, bodies, strict=True)):
        following = chain.from_iterable(f"{text} " for text in islice(cycle(texts), at, None))
        # Without a full stop a text may end in a space, and is shorter once that is stripped.
        text = "".join(islice(following, characters - 1)) + "."
        found.append(Event(event.event_id, event.key, orjson.dumps({**body, "text": text})))
    return found
