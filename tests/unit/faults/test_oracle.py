"""The oracle's windows: examples from docs/windows.md, and the engine's own windows over random histories."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams import windows
from tests.faults.checker.oracle import Oracle, Turn

IDLE_MS, ENDED_MS = 1000.4, 300.4


def _turn(
    offset: int,
    ident: str,
    sent_us: int,
    *,
    arrived_ms: int = 0,
    content: str = "",
    writer: int = 1,
    ended: bool = False,
) -> Turn:
    return Turn(offset, ident, sent_us, arrived_ms, writer, ended, content or ident, frozenset())


def _ids(window: list[Turn]) -> list[str]:
    return [turn.message_id for turn in window]


def test_the_worked_timeline_of_the_documentation():
    oracle = Oracle(idle_ms=1e9, ended_ms=1e9)
    sent = {"m1": 1, "m2": 5, "m3": 3, "m4": 8}
    windows_of = [
        _ids(oracle.window("t7", _turn(40 + n, ident, at))) for n, (ident, at) in enumerate(sent.items())
    ]
    assert windows_of == [["m1"], ["m1", "m2"], ["m1", "m3"], ["m1", "m3", "m2", "m4"]]


def test_conversations_do_not_mix():
    oracle = Oracle(idle_ms=1e9, ended_ms=1e9)
    oracle.window("t1", _turn(0, "a", 1))
    assert _ids(oracle.window("t2", _turn(1, "b", 2))) == ["b"]


def test_a_silence_ends_a_conversation_sooner_after_its_last_word():
    oracle = Oracle(idle_ms=IDLE_MS, ended_ms=ENDED_MS)
    oracle.window("t", _turn(0, "a", 1, arrived_ms=0))
    assert _ids(oracle.window("t", _turn(1, "b", 2, arrived_ms=1000, ended=True))) == ["a", "b"]
    assert _ids(oracle.window("t", _turn(2, "c", 3, arrived_ms=1300, ended=True))) == ["a", "b", "c"]
    assert _ids(oracle.window("t", _turn(3, "d", 4, arrived_ms=1601))) == ["d"]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 7),  # message
        st.integers(0, 2),  # wording
        st.integers(0, 9),  # sent
        st.integers(0, 1200),  # silence before it, ms
        st.booleans(),  # ended
        st.integers(1, 2),  # writer
    ),
    max_size=14,
)


@given(STEPS)
def test_the_engine_agrees(steps: list[tuple[int, int, int, int, bool, int]]):
    """Two programs that share nothing but the documentation. Fourteen turns are fewer than the engine forgets after."""
    oracle = Oracle(idle_ms=IDLE_MS, ended_ms=ENDED_MS)
    lifetimes = windows.Lifetimes(idle_us=int(IDLE_MS * 1000), ended_us=int(ENDED_MS * 1000))
    kept: tuple[windows.Turn, ...] = ()
    arrived_ms = 0
    for offset, (ident, wording, sent, silence_ms, ended, writer) in enumerate(steps):
        arrived_ms += silence_ms
        text = f"wording {wording}"
        theirs = windows.Turn(
            offset=offset, message_id=str(ident), at_us=sent, writer="seller" if writer == 1 else "buyer", text=text,
            arrived_us=arrived_ms * 1000, ended=ended,
        )  # fmt: skip
        kept, window = windows.admit(kept, theirs, committed=offset, lifetimes=lifetimes)
        ours = oracle.window(
            "t", Turn(offset, str(ident), sent, arrived_ms, writer, ended, text, frozenset())
        )
        assert [(t.message_id, t.offset) for t in window] == [(t.message_id, t.offset) for t in ours]
