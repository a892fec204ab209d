"""A sample by hash: the lowest, whatever the order, and one for each event."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.labels.sampling import LowestHashes

DIGESTS = st.lists(st.integers(0, 40).map(lambda number: f"{number:032x}"), max_size=60)


@given(DIGESTS, st.integers(0, 12), st.randoms(use_true_random=False))
def test_the_lowest_are_kept_whatever_the_order(digests: list[str], capacity: int, random) -> None:
    offered = [(digest, f"{place:04d}") for place, digest in enumerate(digests)]
    expected = sorted(dict(reversed(offered)).items())[:capacity]
    random.shuffle(offered)
    kept: LowestHashes[str] = LowestHashes(capacity)
    for digest, rank in offered:
        kept.offer(digest, rank, f"{digest} {rank}")
    assert kept.offered == len(offered)
    assert len(kept) == len(expected)
    # What was pushed out never comes back: the highest hash that is kept only gets lower.
    assert list(kept.lowest_first()) == [f"{digest} {rank}" for digest, rank in expected]


@given(DIGESTS, st.integers(0, 12), st.integers(0, 12))
def test_a_larger_sample_holds_the_smaller(digests: list[str], one: int, other: int) -> None:
    samples = []
    for capacity in sorted((one, other)):
        kept: LowestHashes[str] = LowestHashes(capacity)
        for digest in digests:
            kept.offer(digest, "", digest)
        samples.append(list(kept.lowest_first()))
    assert samples[1][: len(samples[0])] == samples[0]
