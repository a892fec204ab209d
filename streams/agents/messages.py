"""Messages: decode, join the conversation's window, examine."""

from __future__ import annotations

from collections.abc import Sequence

from streams.agents.intake import count_unknown_fields
from streams.agents.window_table import WindowTable
from streams.events import Decoded, Message, decode_message
from streams.kafka.outbox import Outgoing
from streams.screening import Case, Examiner, Source
from streams.windows import MAX_TEXT, Turn, has_ended


class MessageIntake:
    """What the messages agent does with a record."""

    def __init__(self, examiner: Examiner, windows: WindowTable) -> None:
        self._examiner = examiner
        self._windows = windows

    def examine(self, source: Source) -> Case:
        """The case of a `messages` record. Raises `BadRecord`."""
        decoded = decode_message(
            source.value, key=source.key, timestamp_us=source.timestamp_us, headers=source.headers
        )
        count_unknown_fields("messages", decoded)
        message = decoded.event
        window = self._windows.admit(
            source.position.partition,
            message.transaction_id,
            turn_of(decoded, source.position.offset, source.timestamp_us),
        )
        return self._examiner.message(decoded, window, source)

    def changes(self, cases: Sequence[Case]) -> list[Outgoing]:
        """The windows that these cases changed, for the changelog."""
        return self._windows.changes(
            (case.source.position.partition, case.screened.subject.key) for case in cases
        )


def turn_of(decoded: Decoded[Message], offset: int, arrived_us: int) -> Turn:
    """The message as its conversation's window keeps it."""
    message = decoded.event
    return Turn(
        offset=offset,
        message_id=message.message_id,
        at_us=decoded.at_us,
        writer=message.writer,
        text=message.text[:MAX_TEXT],
        arrived_us=arrived_us,
        ended=has_ended(message.status),
    )
