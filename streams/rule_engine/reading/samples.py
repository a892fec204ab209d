"""Reads `tests:`, the examples inside a rule."""

from __future__ import annotations

from streams.diagnostics import did_you_mean
from streams.rule_engine.reading.when import WRITERS, is_metadata, read_time_us
from streams.rule_engine.rule import ATTRIBUTE_PREFIX, FIELDS, METADATA, WINDOW_MESSAGES, Fact
from streams.rule_engine.samples import Sample
from streams.vocabulary import Kind
from streams.yaml_cursor import Cursor

MAX_SAMPLES = 200
MAX_SAMPLE_CHARS = 10_000
TEST_KEYS = ("should_match", "should_not_match")


def read_samples(cursor: Cursor, kind: Kind) -> tuple[Sample, ...]:
    """All samples of a rule that could be read."""
    if not cursor.mapping(TEST_KEYS):
        return ()
    samples: list[Sample] = []
    for key in TEST_KEYS:
        listed = cursor.get(key)
        for index, item in enumerate(listed.items(most=MAX_SAMPLES) if listed else ()):
            if (sample := _sample(item, kind, index, should_match=key == "should_match")) is not None:
                samples.append(sample)
    return tuple(samples)


def _sample(cursor: Cursor, kind: Kind, index: int, *, should_match: bool) -> Sample | None:
    line, column = cursor.document.place(cursor.path)
    if isinstance(cursor.value, str) and kind == "message":  # the text alone
        return Sample(should_match, index, line, column, turns=((WRITERS[0], cursor.value),))
    texts = ("text", "messages") if kind == "message" else FIELDS[kind]
    if not isinstance(cursor.value, dict):
        cursor.note("sample", f"a sample is a mapping with {' or '.join(texts)}")
        return None
    for name in cursor.value:
        if name not in texts and name != "at" and not is_metadata(name, kind):
            known = (*texts, *METADATA[kind], "at")
            cursor.note(
                "sample-key", f'unknown key "{name}" in a sample', did_you_mean(name, known), at_key=name
            )
    if not any(text in cursor.value for text in texts):
        cursor.note("sample", f"a sample needs {' or '.join(texts)}")
        return None
    facts = tuple(
        (name, fact)
        for name, value in cursor.entries()
        if is_metadata(name, kind) and (fact := _fact(value, name)) is not None
    )
    at_us = cursor.read("at", read_time_us)
    if kind == "listing":
        read = [(name, cursor.read(name, _sample_text)) for name in texts]
        fields = tuple((name, text) for name, text in read if text is not None)
        return Sample(should_match, index, line, column, fields=fields, facts=facts, at_us=at_us)
    writer = str(dict(facts).get("writer", WRITERS[0]))
    turns = _turns(cursor, writer)
    if turns and turns[-1][0] != writer:  # the last message is the event: who wrote it is a fact
        if "writer" in cursor.value:
            cursor.note(
                "sample", f'"writer" is {writer} and the last message is by the {turns[-1][0]}', "remove one"
            )
        facts = (*facts, ("writer", turns[-1][0]))
    return Sample(should_match, index, line, column, turns=turns, facts=facts, at_us=at_us)


def _turns(cursor: Cursor, writer: str) -> tuple[tuple[str, str], ...]:
    if "text" in cursor.value and "messages" in cursor.value:
        cursor.note("sample", 'give "text" or "messages", not both', at_key="text")
    if (text := cursor.read("text", _sample_text)) is not None:
        return ((writer, text),)
    listed = cursor.get("messages")
    turns: list[tuple[str, str]] = []
    for item in listed.items(most=WINDOW_MESSAGES) if listed else ():
        if not isinstance(item.value, dict):  # the text alone: by whoever wrote the event
            text = _sample_text(item)
            turns.extend([(writer, text)] if text is not None else [])
        elif item.mapping(("writer", "text"), required=("writer", "text")):
            said_by = item.read("writer", lambda at: at.word(WRITERS))
            text = item.read("text", _sample_text)
            turns.extend([(said_by, text)] if said_by is not None and text is not None else [])
    return tuple(turns)


def _sample_text(cursor: Cursor) -> str | None:
    return cursor.text(most=MAX_SAMPLE_CHARS, least=0)


def _fact(cursor: Cursor, name: str) -> Fact | None:
    if name == "price":
        return cursor.number(least=0, most=1e15)
    if name == "writer":
        return cursor.word(WRITERS)
    if name.startswith(ATTRIBUTE_PREFIX) and isinstance(cursor.value, bool | int | float):
        return cursor.value if isinstance(cursor.value, bool) else float(cursor.value)
    return cursor.text(most=200)
