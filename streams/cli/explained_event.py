"""What `sekisho rules explain` is asked about: a listing, or a message with the conversation before it (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from streams.backtest.history import Past, PastListing, PastMessage, Skipped, past_of_line
from streams.rule_engine import Explanation, RuleSet, ScannedTurn, Span, explain_listing, explain_message
from streams.rule_engine.rule import Fact
from streams.screening import listing_facts, message_facts
from streams.windows import Turn, admit


class NotAnEvent(ValueError):
    """The file holds nothing that a rule could be asked about; the text says where and what would be."""


@dataclass(frozen=True, slots=True)
class AskedMessage:
    """A message, the last of `turns` (oldest first), and its metadata."""

    turns: Sequence[Turn]
    facts: Mapping[str, Fact]
    at_us: int

    def explain(self, rules: RuleSet) -> list[Explanation]:
        """What every rule makes of it."""
        scanned = [ScannedTurn(turn.message_id, turn.writer, rules.scan(turn.text)) for turn in self.turns]
        return explain_message(rules, scanned, self.facts, at_us=self.at_us)

    def text_of(self, span: Span) -> str:
        """The text in which a span stands."""
        return next(turn.text for turn in self.turns if turn.message_id == span.message_id)

    def where(self, span: Span) -> str:
        """Which earlier message of the conversation, for a person; empty for the event's own."""
        back = next(n for n, turn in enumerate(reversed(self.turns)) if turn.message_id == span.message_id)
        return f"{back} before, {self.turns[-1 - back].writer}" if back else ""


@dataclass(frozen=True, slots=True)
class AskedListing:
    """A listing's texts by field, and its metadata."""

    fields: Mapping[str, str]
    facts: Mapping[str, Fact]
    at_us: int

    def explain(self, rules: RuleSet) -> list[Explanation]:
        """What every rule makes of it."""
        scans = {name: rules.scan(text) for name, text in self.fields.items()}
        return explain_listing(rules, scans, self.facts, at_us=self.at_us)

    def text_of(self, span: Span) -> str:
        """The text in which a span stands."""
        return self.fields[span.field]

    def where(self, span: Span) -> str:
        """The field."""
        return span.field


Asked = AskedMessage | AskedListing


def read_event(content: bytes, now_us: int) -> Asked:
    """The event of a file: the last one in it, with the earlier messages of its conversation that stand before it.

    Allowed are a listing; a message, with its earlier messages under `earlier` if there are any; an example
    conversation (`messages`); and several messages, as a list or one a line. `now_us` is taken for events that do not
    say when they happened. Raises `NotAnEvent`.
    """
    events: list[PastMessage | PastListing] = []
    for number, value in enumerate(_values(content), start=1):
        for one in _with_earlier(value, now_us):
            # each a microsecond later, so that those without a time keep their order
            held = past_of_line(msgspec.json.encode(one), without_time_us=now_us + len(events))
            events.extend(_usable(past, number) for past in held)
    if not events:
        raise NotAnEvent("the file is empty")
    last = events[-1]
    if isinstance(last, PastListing):
        listing = last.decoded.event
        fields = {"title": listing.title, "description": listing.description}
        return AskedListing(fields, listing_facts(listing), last.decoded.at_us)
    turns: tuple[Turn, ...] = ()
    window: tuple[Turn, ...] = ()
    for offset, one in enumerate(events):
        if (
            isinstance(one, PastMessage)
            and one.decoded.event.transaction_id == last.decoded.event.transaction_id
        ):
            said = one.decoded.event
            turn = Turn(offset, said.message_id, one.decoded.at_us, said.writer, said.text)
            turns, window = admit(turns, turn, committed=offset)
    return AskedMessage(window, message_facts(last.decoded.event), last.decoded.at_us)


def _values(content: bytes) -> Iterator[Any]:
    """The JSON values of a file: one, the items of a list, or one a line."""
    try:
        whole = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip():
                try:
                    yield msgspec.json.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                    raise NotAnEvent(f"neither the file nor its line {number} is JSON: {error}") from error
        return
    yield from whole if isinstance(whole, list) else [whole]


def _with_earlier(value: Any, now_us: int) -> Iterator[Any]:  # noqa: ANN401 - whatever the JSON holds
    if not isinstance(value, dict) or "earlier" not in value:
        yield value
        return
    earlier = value["earlier"]
    if not isinstance(earlier, list) or not all(isinstance(one, dict) for one in earlier):
        raise NotAnEvent('"earlier" must be a list of messages, oldest first, each with "writer" and "text"')
    known = {name: value[name] for name in ("transaction_id", "status", "sent_at") if name in value}
    for position, one in enumerate(earlier):
        yield {"message_id": f"earlier[{position}]", **known, **one}
    yield {name: what for name, what in value.items() if name != "earlier"}


def _usable(past: Past, number: int) -> PastMessage | PastListing:
    if isinstance(past, Skipped):
        raise NotAnEvent(
            f"record {number} is no message and no listing: {past.reason}: {past.detail} "
            "(docs/contracts.md names their fields)"
        )
    return past
