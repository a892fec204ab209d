"""The five-message window of a conversation, evaluated *as of* an offset so that a replay gives the same window (pure).

At-least-once means that after a crash the state may be ahead of the committed offset: a replayed message is then in
the window already, together with messages that came after it. So every turn carries its Kafka offset, a window is
always taken as of the offset of the message it is for, and turns are only forgotten when Kafka can no longer replay
a message that needs them (worked timeline in docs/windows.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

#: Messages in a window, the judged one included (design of the conversation model).
WINDOW = 5
#: Committed turns kept per conversation. Five would do if messages always came in the order they were sent; the rest
#: lets a message that arrives late, up to eleven places, still find the four that were sent before it.
KEPT = 16
#: Longest text kept per turn, in characters. Rules read this much, models less.
MAX_TEXT = 10_000
#: Characters kept per conversation, all turns with their ids together: at most 800 kB of UTF-8, so that the table's
#: record fits into Kafka's default limit of 1 MB and never costs more than that to write. `KEPT` turns of the longest
#: text and id are within it.
MAX_KEPT_CHARACTERS = 200_000
#: What a turn counts beside its text and id: its numbers and frame are some 30 bytes.
TURN_CHARACTERS = 16


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """One message of a conversation as the window keeps it. `at_us` is the event time in microseconds."""

    offset: int
    message_id: str
    at_us: int
    writer: str
    text: str


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Turn, ...])


def encode(turns: Sequence[Turn]) -> bytes:
    """The table's value for a conversation (msgpack)."""
    return _encoder.encode(turns)


def decode(value: bytes) -> tuple[Turn, ...]:
    """The turns of a table value. Raises `msgspec.DecodeError` for bytes that `encode` did not make."""
    return _decoder.decode(value)


def admit(
    turns: tuple[Turn, ...], turn: Turn, *, committed: int
) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Let a message join its conversation: (the turns to keep, the window that ends in the message).

    `turns` are in offset order. A replayed offset or an exact repetition of a message (producers retry) changes
    nothing and gets the window of its first arrival. A message that comes again with another text is an edit: from
    its offset on it stands in the place of the earlier one. `committed` is the partition's committed offset: turns
    at or above it are kept up to `MAX_KEPT_CHARACTERS`, because Kafka may deliver their messages again.
    """
    for known in turns:
        if known.offset == turn.offset:
            return turns, window_as_of(turns, known)
        if known.message_id == turn.message_id and (known.text, known.writer) == (turn.text, turn.writer):
            return turns, window_as_of(turns, known)
    grown = (*turns, turn)
    if turns and turn.offset < turns[-1].offset:  # delivered again after it was forgotten
        grown = tuple(sorted(grown, key=lambda known: known.offset))
    return _kept(grown, committed=committed), window_as_of(grown, turn)


def _kept(turns: tuple[Turn, ...], *, committed: int) -> tuple[Turn, ...]:
    """What must not be forgotten: what may be delivered again, the last to arrive, and the last to be sent."""
    settled = sum(1 for turn in turns if turn.offset < committed)
    if settled > KEPT:
        last_sent = window_as_of(turns[:settled], max(turns[:settled], key=_sent_order))
        early = {turn.offset for turn in last_sent} - {turn.offset for turn in turns[settled - KEPT :]}
        turns = (*(t for t in turns[: settled - KEPT] if t.offset in early), *turns[settled - KEPT :])
    size = sum(map(_characters, turns))
    dropped = 0
    while size > MAX_KEPT_CHARACTERS and len(turns) - dropped > KEPT:
        size -= _characters(turns[dropped])
        dropped += 1
    return turns[dropped:]


def _characters(turn: Turn) -> int:
    return len(turn.text) + len(turn.message_id) + TURN_CHARACTERS


def _sent_order(turn: Turn) -> tuple[int, int]:
    return turn.at_us, turn.offset


def window_as_of(turns: Sequence[Turn], judged: Turn) -> tuple[Turn, ...]:
    """The last five messages up to and including `judged`, by event time, of those that had arrived by its offset."""
    arrived: dict[str, Turn] = {}
    for turn in turns:
        if turn.offset <= judged.offset:
            arrived[turn.message_id] = turn
    before = sorted(
        (turn for turn in arrived.values() if _sent_order(turn) <= _sent_order(judged)), key=_sent_order
    )
    return tuple(before[-WINDOW:])
