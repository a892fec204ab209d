"""The window is the last five messages by event time, the same on every replay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.windows import (
    DISORDER_US,
    KEPT,
    MAX_TEXT,
    WINDOW,
    Lifetimes,
    Turn,
    admit,
    decode,
    encode,
    has_ended,
    is_over,
    window_as_of,
)


def turn(offset: int, *, at: int | None = None, message_id: str | None = None, text: str = "x") -> Turn:
    return Turn(offset, message_id or f"m{offset}", offset * 10 if at is None else at, "buyer", text)


def replay(
    turns: list[Turn], *, committed: int = 0, state: tuple[Turn, ...] = ()
) -> tuple[list[list[str]], tuple[Turn, ...]]:
    windows = []
    for item in turns:
        state, window = admit(state, item, committed=committed)
        windows.append([t.message_id for t in window])
    return windows, state


def test_the_last_five_in_order() -> None:
    windows, _ = replay([turn(i) for i in range(7)])
    assert windows[0] == ["m0"]
    assert windows[6] == ["m2", "m3", "m4", "m5", "m6"]


def test_a_late_message_sees_what_was_sent_before_it_and_later_ones_see_it_in_place() -> None:
    windows, _ = replay([turn(0, at=100), turn(1, at=300), turn(2, at=200), turn(3, at=400)])
    assert windows[2] == ["m0", "m2"]
    assert windows[3] == ["m0", "m2", "m1", "m3"]


def test_a_repeated_message_gets_the_window_of_its_first_arrival_and_changes_nothing() -> None:
    first = [turn(i) for i in range(4)]
    _, state = replay(first)
    again = Turn(9, "m2", 999, "buyer", "x")
    kept, window = admit(state, again, committed=0)
    assert kept is state
    assert [t.message_id for t in window] == ["m0", "m1", "m2"]


def test_an_edited_message_takes_the_place_of_the_earlier_one_from_its_offset_on() -> None:
    _, state = replay([turn(0), turn(1)])
    kept, window = admit(state, turn(2, at=10, message_id="m1", text="edited"), committed=0)
    assert [(t.message_id, t.text) for t in window] == [("m0", "x"), ("m1", "edited")]
    assert [t.text for t in window_as_of(kept, state[1])] == ["x", "x"]


def test_old_turns_are_forgotten_only_once_they_are_committed() -> None:
    _, uncommitted = replay([turn(i) for i in range(60)], committed=0)
    assert len(uncommitted) == 60
    kept, _ = admit(uncommitted, turn(60), committed=61)
    assert [t.offset for t in kept] == list(range(61 - KEPT, 61))


def test_a_burst_of_late_messages_does_not_push_out_the_last_that_were_sent() -> None:
    """A producer that comes back from an outage delivers what is old after what is new."""
    _, state = replay([turn(i, at=1000 + i) for i in range(10)])
    for offset in range(10, 40):
        state, _ = admit(state, turn(offset, at=offset), committed=offset)
    _, window = admit(state, turn(40, at=2000), committed=40)
    assert [t.message_id for t in window] == ["m6", "m7", "m8", "m9", "m40"]
    assert len(state) <= KEPT + WINDOW + 1


def test_a_flood_of_long_messages_keeps_the_state_below_kafkas_limit() -> None:
    """All of it uncommitted: 600 messages of 30 kB once made a changelog record that no broker takes."""
    state: tuple[Turn, ...] = ()
    for offset in range(600):
        state, window = admit(state, turn(offset, text="漢" * MAX_TEXT), committed=0)
        assert [t.offset for t in window] == list(range(max(0, offset - 4), offset + 1))
    assert len(state) >= KEPT
    assert len(encode(state)) < 900_000


def test_short_messages_with_long_ids_keep_it_below_too() -> None:
    state: tuple[Turn, ...] = ()
    for offset in range(2000):
        state, _ = admit(state, turn(offset, message_id=f"🙂{offset:0250d}", text=""), committed=0)
    assert len(encode(state)) < 900_000


def test_a_message_delivered_again_after_it_was_forgotten_stands_in_its_place() -> None:
    turns = [turn(offset, text="漢" * MAX_TEXT) for offset in range(60)]
    _, state = replay(turns)
    assert state[0].offset > 5
    kept, _ = admit(state, turns[5], committed=0)
    assert [t.offset for t in kept] == sorted(t.offset for t in kept)


def test_state_survives_encoding() -> None:
    _, state = replay([turn(0, text="ライン\u200b 🙂"), turn(1)])
    assert decode(encode(state)) == state


streams_of_turns = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 50), st.sampled_from(["a", "b"])), min_size=1, max_size=40
).map(
    lambda items: [
        Turn(offset, f"m{number}", at, "seller", text) for offset, (number, at, text) in enumerate(items)
    ]
)


@given(turns=streams_of_turns, data=st.data())
def test_a_replay_from_any_committed_offset_gives_the_same_windows(
    turns: list[Turn], data: st.DataObject
) -> None:
    """A crash leaves the state ahead of the committed offset by whatever was in flight."""
    committed = data.draw(st.integers(0, len(turns)))
    state: tuple[Turn, ...] = ()
    before = []
    for item in turns:
        state, window = admit(state, item, committed=min(item.offset, committed))
        before.append(window)
    after = []
    for item in turns[committed:]:
        state, window = admit(state, item, committed=committed)
        after.append(window)
    assert after == before[committed:]


@given(turns=streams_of_turns)
def test_a_window_is_short_sorted_unique_and_ends_in_the_judged_message(turns: list[Turn]) -> None:
    state: tuple[Turn, ...] = ()
    for item in turns:
        state, window = admit(state, item, committed=0)
        assert 1 <= len(window) <= WINDOW
        assert window[-1].message_id == item.message_id
        assert [(t.at_us, t.offset) for t in window] == sorted((t.at_us, t.offset) for t in window)
        assert len({t.message_id for t in window}) == len(window)


# Conversations that are over.

LIFE = Lifetimes(idle_us=100 * DISORDER_US, ended_us=10 * DISORDER_US)


def at(offset: int, hours: float, *, ended: bool = False) -> Turn:
    us = int(hours * DISORDER_US)
    return Turn(offset, f"m{offset}", us, "buyer", "x", arrived_us=us, ended=ended)


def ids(window: tuple[Turn, ...]) -> list[str]:
    return [turn.message_id for turn in window]


def test_a_message_after_a_long_silence_begins_a_new_conversation() -> None:
    state, _ = admit((), at(0, 0), committed=0, lifetimes=LIFE)
    state, window = admit(state, at(1, 100), committed=0, lifetimes=LIFE)
    assert ids(window) == ["m0", "m1"], "exactly as long as allowed"
    state, window = admit(state, at(2, 201), committed=0, lifetimes=LIFE)
    assert ids(window) == ["m2"]
    state, window = admit(state, at(3, 202), committed=0, lifetimes=LIFE)
    assert ids(window) == ["m2", "m3"]


def test_after_a_transaction_has_ended_the_silence_may_be_shorter() -> None:
    assert has_ended("completed")
    assert has_ended("cancelled")
    assert not has_ended("shipped")
    assert not has_ended(None)
    state, _ = admit((), at(0, 0), committed=0, lifetimes=LIFE)
    state, _ = admit(state, at(1, 1, ended=True), committed=0, lifetimes=LIFE)
    _, soon = admit(state, at(2, 10), committed=0, lifetimes=LIFE)
    assert ids(soon) == ["m0", "m1", "m2"], "thanks and quarrels after the end still have their context"
    _, late = admit(state, at(2, 12), committed=0, lifetimes=LIFE)
    assert ids(late) == ["m2"]


def test_a_replay_across_the_silence_gives_the_same_windows() -> None:
    turns = [at(0, 0), at(1, 1), at(2, 300), at(3, 301)]
    state: tuple[Turn, ...] = ()
    for one in turns:
        state, _ = admit(state, one, committed=0, lifetimes=LIFE)
    again = [ids(admit(state, one, committed=0, lifetimes=LIFE)[1]) for one in turns]
    assert again == [["m0"], ["m0", "m1"], ["m2"], ["m2", "m3"]]


def test_what_was_said_before_the_silence_is_kept_only_while_it_may_come_again() -> None:
    state, _ = admit((), at(0, 0), committed=0, lifetimes=LIFE)
    uncommitted, _ = admit(state, at(1, 300), committed=0, lifetimes=LIFE)
    assert ids(uncommitted) == ["m0", "m1"]
    committed, _ = admit(state, at(1, 300), committed=1, lifetimes=LIFE)
    assert ids(committed) == ["m1"]


def test_the_same_words_after_a_silence_are_not_a_repetition() -> None:
    """Otherwise the answer would depend on whether the state had been dropped."""
    state, _ = admit((), at(0, 0), committed=0, lifetimes=LIFE)
    again = Turn(5, "m0", 0, "buyer", "x", arrived_us=300 * DISORDER_US)
    kept, window = admit(state, again, committed=5, lifetimes=LIFE)
    assert [turn.offset for turn in window] == [5]
    assert [turn.offset for turn in kept] == [5]


def test_over_means_silent_for_long_and_committed() -> None:
    state, _ = admit((), at(7, 0), committed=0, lifetimes=LIFE)
    late_us = 102 * DISORDER_US
    assert is_over(state, now_us=late_us, committed=8, lifetimes=LIFE)
    assert not is_over(state, now_us=late_us, committed=7, lifetimes=LIFE), "Kafka may deliver it again"
    assert not is_over(state, now_us=late_us - DISORDER_US, committed=8, lifetimes=LIFE)


arrivals = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 120), st.integers(-50, 50), st.booleans()), min_size=1, max_size=30
)  # fmt: skip


def conversation_of(items: list[tuple[int, int, int, bool]]) -> list[Turn]:
    turns, hours = [], 0
    for offset, (number, silence, sent_early, ended) in enumerate(items):
        hours += silence
        arrived_us = hours * DISORDER_US
        turns.append(
            Turn(
                offset,
                f"m{number}",
                arrived_us + sent_early,
                "seller",
                "x",
                arrived_us=arrived_us,
                ended=ended,
            )
        )
    return turns


@given(items=arrivals, data=st.data())
def test_dropping_what_is_over_changes_no_window(
    items: list[tuple[int, int, int, bool]], data: st.DataObject
) -> None:
    """Whenever the table is looked through: a worker that never drops anything judges the same."""
    kept_state: tuple[Turn, ...] = ()
    dropped_state: tuple[Turn, ...] = ()
    for one in conversation_of(items):
        look_at_us = data.draw(st.integers(0, one.arrived_us))
        if dropped_state and is_over(dropped_state, now_us=look_at_us, committed=one.offset, lifetimes=LIFE):
            dropped_state = ()
        kept_state, expected = admit(kept_state, one, committed=one.offset, lifetimes=LIFE)
        dropped_state, window = admit(dropped_state, one, committed=one.offset, lifetimes=LIFE)
        assert [t.offset for t in window] == [t.offset for t in expected]


@given(items=arrivals, data=st.data())
def test_a_replay_over_silences_gives_the_same_windows(
    items: list[tuple[int, int, int, bool]], data: st.DataObject
) -> None:
    turns = conversation_of(items)
    committed = data.draw(st.integers(0, len(turns)))
    state: tuple[Turn, ...] = ()
    before = []
    for one in turns:
        state, window = admit(state, one, committed=min(one.offset, committed), lifetimes=LIFE)
        before.append(window)
    for one in turns[committed:]:
        state, window = admit(state, one, committed=committed, lifetimes=LIFE)
        assert window == before[one.offset]
