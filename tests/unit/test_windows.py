"""The window is the last five messages by event time, the same on every replay."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.windows import KEPT, MAX_TEXT, WINDOW, Turn, admit, decode, encode, window_as_of


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
