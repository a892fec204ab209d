"""What each message's window must be, worked out from the input topic alone, in the plainest way (docs/windows.md)."""

from __future__ import annotations

from typing import NamedTuple

WINDOW = 5
#: Conversations that are over are forgotten so often, in records, so that a million events fit into memory.
TIDY_EVERY = 20_000


class Turn(NamedTuple):
    """One message. `words` are the marker words of its text, `content` tells one wording from another."""

    offset: int
    message_id: str
    sent_us: int
    arrived_ms: int
    writer: int
    ended: bool
    content: str
    words: frozenset[str]


class Oracle:
    """Windows of one partition, whose messages must be given in the order of their offsets.

    A conversation silent for more than `idle_ms`, or `ended_ms` after a message that ended it, begins anew with the
    next message. Both are fractions of a millisecond off every whole one, so that no silence is exactly as long.
    """

    def __init__(self, *, idle_ms: float, ended_ms: float) -> None:
        self._idle_ms = idle_ms
        self._ended_ms = min(idle_ms, ended_ms)
        self._conversations: dict[str, list[Turn]] = {}
        self._seen = 0

    def window(self, conversation: str, turn: Turn) -> list[Turn]:
        """The window of this message, oldest first, itself last (or the message that it repeats)."""
        self._tidy(turn.arrived_ms)
        turns = self._conversations.setdefault(conversation, [])
        if turns and turn.arrived_ms - turns[-1].arrived_ms > self._silence_ms(turns[-1]):
            turns.clear()
        for known in turns:
            if (known.message_id, known.content, known.writer) == (
                turn.message_id,
                turn.content,
                turn.writer,
            ):
                return _last_five(turns, known)
        turns.append(turn)
        return _last_five(turns, turn)

    def _silence_ms(self, last: Turn) -> float:
        return self._ended_ms if last.ended else self._idle_ms

    def _tidy(self, now_ms: int) -> None:
        self._seen += 1
        if self._seen % TIDY_EVERY == 0:
            over = [
                name
                for name, turns in self._conversations.items()
                if now_ms - turns[-1].arrived_ms > self._silence_ms(turns[-1])
            ]
            for name in over:
                del self._conversations[name]


def _last_five(turns: list[Turn], judged: Turn) -> list[Turn]:
    latest: dict[str, Turn] = {}
    for turn in turns:
        if turn.offset <= judged.offset:
            latest[turn.message_id] = turn  # an edit stands in the place of what it edits
    not_later = [t for t in latest.values() if (t.sent_us, t.offset) <= (judged.sent_us, judged.offset)]
    return sorted(not_later, key=lambda t: (t.sent_us, t.offset))[-WINDOW:]
