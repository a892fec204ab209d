"""The five-message window of a conversation, evaluated *as of* an offset so that a replay gives the same window (pure).

At-least-once means that after a crash the state may be ahead of the committed offset: a replayed message is then in
the window already, together with messages that came after it. So every turn carries its Kafka offset, a window is
always taken as of the offset of the message it is for, and turns are only forgotten when Kafka can no longer replay
a message that needs them (worked timeline in docs/windows.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from streams.events import FINAL_STATUSES, Writer

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
#: No table value is larger: four bytes a character, and room for the numbers of some thousand turns.
MAX_VALUE_BYTES = 4 * MAX_KEPT_CHARACTERS + 200_000
#: What a turn counts beside its text and id: its numbers and frame are some 30 bytes.
TURN_CHARACTERS = 16
DAY_US: Final = 86_400_000_000
#: A conversation is dropped this much later than it ended: records of one partition may be stamped out of order by
#: producers where the topic does not stamp them itself, by at most Kafka's own limit of an hour.
DISORDER_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long after its last message a conversation is over: the next message begins a new one.

    Counted between the arrivals (record timestamps) of two successive messages, so the answer is the same on every
    replay, and the same whether or not the state has been dropped in between.
    """

    idle_us: int = 30 * DAY_US
    #: After a message whose transaction was completed or cancelled.
    ended_us: int = 7 * DAY_US

    @classmethod
    def of_days(cls, *, idle: float, ended: float) -> Lifetimes:
        """From the settings `window_idle_days` and `window_ended_days`."""
        return cls(idle_us=int(idle * DAY_US), ended_us=int(ended * DAY_US))

    def over_after_us(self, last: Turn) -> int:
        """How long the conversation may be silent after this message."""
        return min(self.ended_us, self.idle_us) if last.ended else self.idle_us

    def parts(self, last: Turn, turn: Turn) -> bool:
        """The silence between two successive messages was too long for one conversation."""
        return turn.arrived_us - last.arrived_us > self.over_after_us(last)


FOR_EVER: Final = Lifetimes(idle_us=1 << 62, ended_us=1 << 62)


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """One message of a conversation as the window keeps it. Times are microseconds since 1970.

    `at_us` is the event time, `arrived_us` the record's timestamp. `ended`: the transaction was over by then.
    `begins`: the silence before it was so long that a new conversation begins here (set by `admit`).
    """

    offset: int
    message_id: str
    at_us: int
    writer: Writer
    text: str
    arrived_us: int = 0
    ended: bool = False
    begins: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Turn, ...])


def encode(turns: Sequence[Turn]) -> bytes:
    """The table's value for a conversation (msgpack)."""
    return _encoder.encode(turns)


def decode(value: bytes) -> tuple[Turn, ...]:
    """The turns of a table value. Raises `msgspec.DecodeError` for bytes that `encode` did not make."""
    if len(value) > MAX_VALUE_BYTES:
        raise msgspec.DecodeError(f"{len(value)} bytes; no window is larger than {MAX_VALUE_BYTES}")
    return _decoder.decode(value)


def admit(
    turns: tuple[Turn, ...], turn: Turn, *, committed: int, lifetimes: Lifetimes = FOR_EVER
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
    before = tuple(known for known in turns if known.offset < turn.offset)
    if before and lifetimes.parts(before[-1], turn):
        turn = msgspec.structs.replace(turn, begins=True)
    else:
        for known in _conversation(before):
            if known.message_id == turn.message_id and (known.text, known.writer) == (turn.text, turn.writer):
                return turns, window_as_of(turns, known)
    # Later turns are there when the message is delivered again after it was forgotten.
    grown = (*before, turn, *turns[len(before) :])
    return _kept(grown, committed=committed), window_as_of(grown, turn)


def is_over(turns: Sequence[Turn], *, now_us: int, committed: int, lifetimes: Lifetimes) -> bool:
    """No later message can need these turns: their conversation is over and Kafka delivers none of them again.

    `now_us` is the timestamp of a record of the partition below `committed`.
    """
    last = turns[-1]
    return last.offset < committed and now_us - last.arrived_us > lifetimes.over_after_us(last) + DISORDER_US


def _conversation(turns: Sequence[Turn]) -> Sequence[Turn]:
    """The turns since the last long silence."""
    for at in range(len(turns) - 1, 0, -1):
        if turns[at].begins:
            return turns[at:]
    return turns


def _kept(turns: tuple[Turn, ...], *, committed: int) -> tuple[Turn, ...]:
    """What must not be forgotten: what may be delivered again, the last to arrive, and the last to be sent."""
    # Of a conversation that is over nothing is read again, once all that came before the new one is committed:
    # repetitions, which leave no turn of their own, included.
    over = max((at for at, turn in enumerate(turns) if turn.begins and turn.offset <= committed), default=0)
    turns = turns[over:]
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
    for turn in _conversation([turn for turn in turns if turn.offset <= judged.offset]):
        arrived[turn.message_id] = turn
    before = sorted(
        (turn for turn in arrived.values() if _sent_order(turn) <= _sent_order(judged)), key=_sent_order
    )
    return tuple(before[-WINDOW:])


def has_ended(status: str | None) -> bool:
    """A transaction of that status is over."""
    return status in FINAL_STATUSES
