"""Which offsets of a changelog are others' records, told from the acknowledgements of one's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streams.agents.last_words import Told


@given(
    owners=st.lists(st.booleans(), max_size=60),
    looks=st.lists(st.integers(0, 60), max_size=10),
    delay=st.integers(0, 5),
)
def test_every_record_of_others_is_read_and_none_of_ones_own_stretch(
    owners: list[bool], looks: list[int], delay: int
) -> None:
    """`owners[offset]`: it is ours. Acknowledgements come `delay` records late; looks happen at those ends of the log."""
    told, first = Told(checked=100), 100
    read: set[int] = set()
    noted = 0
    for look in (*sorted(min(look, len(owners)) for look in looks), len(owners), len(owners)):
        due = len(owners) if look == len(owners) else max(noted, look - delay)
        for offset in range(noted, due):
            if owners[offset]:
                told.note(first + offset)
        noted = max(noted, due)
        strange = told.strange(end=first + look)
        read.update(strange)
        told.done(strange.stop)
    others = {first + offset for offset, ours in enumerate(owners) if not ours}
    assert others <= read
    if not others and not delay:
        assert not read


def test_a_record_of_ones_own_whose_acknowledgement_is_on_its_way_is_not_read_at_once() -> None:
    told = Told(checked=0)
    assert not told.strange(end=3)
    for offset in range(3):
        told.note(offset)
    assert not told.strange(end=3)
    assert told.checked == 3


def test_what_was_written_anew_after_a_lost_acknowledgement_is_read() -> None:
    told = Told(checked=0)
    told.note(1)
    assert told.strange(end=2) == range(0, 2)
    told.done(2)
    assert not told.strange(end=2)
