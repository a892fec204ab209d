from __future__ import annotations

from aiokafka import TopicPartition
from hypothesis import example, given
from hypothesis import strategies as st

from streams.kafka.sampling import RUN, runs

spans = st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 50_000)), max_size=6)


@given(spans, st.integers(RUN, 5_000))
@example([(0, 89)], 88)  # runs once reached into each other where nearly everything is wanted
def test_runs_lie_inside_and_apart_and_hold_about_as_many_as_wanted(
    lengths: list[tuple[int, int]], wanted: int
) -> None:
    starts = {TopicPartition("t", n): start for n, (start, _) in enumerate(lengths)}
    ends = {tp: starts[tp] + lengths[tp.partition][1] for tp in starts}
    found = runs(starts, ends, wanted)
    there = sum(length for _, length in lengths)
    read = [(tp, at) for tp, start, end in found for at in range(start, end)]
    assert len(read) == len(set(read)), "no record twice"
    assert all(starts[tp] <= at < ends[tp] for tp, at in read)
    if there <= wanted:
        assert len(read) == there
    else:
        assert abs(len(read) - wanted) <= RUN * (len(lengths) + 1)


def test_runs_are_spread_over_the_whole_time() -> None:
    one = TopicPartition("t", 0)
    found = runs({one: 0}, {one: 100_000}, 1_000)
    assert len(found) == 40
    assert found[0][1] == 0
    assert found[-1][1] == 97_500
